"""What `zappa package` runs on its zip (``callbacks.zip``): out comes what Lambda needs and nothing else.

Zappa puts in the checkout and the virtual environment as they are, dates every member 1980 - so bytecode in it would
count as stale and be compiled again at each cold start - and adds a random id. Here the zip is made anew: without what
no invocation uses, with the static files collected and compressed, with bytecode that is never compared with its
source, and the same bytes for the same input.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

LIMIT = 20 * 1024 * 1024
SOURCES = ("ticketing", "tenants", "accounts", "tickets", "manage.py")
LANGUAGES = ("en", "de")
AWS_SERVICES = ("s3", "secretsmanager", "ssm", "sts")
# Patterns of paths within the zip; * also crosses slashes. What KEPT matches stays, what else DROPPED matches goes.
KEPT = (
    "*.dist-info/METADATA",  # versions, for importlib.metadata
    *(f"botocore/data/{service}/*" for service in AWS_SERVICES),
    "botocore/data/*.json",
    # Dates, numbers and messages in all languages that a tenant may choose; the admin's texts in those below.
    "django/conf/locale/*.mo",
    *(f"*/locale/{language}/*.mo" for language in LANGUAGES),
    "boto3/data/s3/*",
    "aws_lambda_powertools/utilities/__init__.py",
    "aws_lambda_powertools/utilities/jmespath_utils/*",  # which its metrics import
)
DROPPED = (
    "*.dist-info/*",
    "bin/*",
    ".git*",
    "*/__pycache__/*",
    "__pycache__/*",
    "*/tests/*",
    "*.po",
    "*.mo",
    "*.pyi",
    "*.c",
    "*.h",
    "*.pyx",
    "*/py.typed",
    "*/static/*",  # collected below
    "yaml/_yaml*.so",  # a faster writer of YAML, which the OpenAPI document alone is written in; the other does as well
    "botocore/data/*/*",
    "boto3/data/*",
    "boto3/examples/*",
    "django/conf/*_template/*",
    "django/contrib/admindocs/templates/*",
    "django/contrib/postgres/*",
    "django/contrib/gis/*",
    "aws_lambda_powertools/event_handler/*",
    "aws_lambda_powertools/utilities/*",
    # Zappa's own entry point and its settings: ticketing.aws.handler takes their place for every stage.
    "handler.py",
    "django_zappa_app.py",
    "zappa_settings.*",
    "package_info.json",
    "__init__.py",
)

UNUSED_STATIC = "rest_framework"  # the look of DRF's own pages; ours have their own

FIRST_REQUEST = """
from ticketing.aws.handler import handler

http = {"method": "GET", "path": "/healthz", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}
event = {"version": "2.0", "rawPath": "/healthz", "rawQueryString": "", "headers": {"host": "localhost"}}
answer = handler({**event, "requestContext": {"http": http}}, None)
assert answer["statusCode"] == 200, answer
"""


def finish(cli: Any) -> None:
    """Make the zip of a ZappaCLI anew in its place. Raises SystemExit with the reason when it cannot be deployed."""
    path = Path(cli.zip_path)
    if cli.runtime != f"python{sys.version_info.major}.{sys.version_info.minor}":
        sys.exit(f"The bytecode is for {cli.runtime}, so package with that Python: make package PYTHON={cli.runtime}")
    with tempfile.TemporaryDirectory(prefix="ticketing-package-") as folder:
        root = Path(folder, "package")
        _unpack(path, root)
        if (root / "zappa").exists():
            sys.exit("This environment holds more than the platform runs with: `make package` makes the right one.")
        collect_static(root)
        compile_bytecode(root)
        _answer_once(root)
        unpacked = _pack(root, path)
    size = path.stat().st_size
    print(f"{path}: {size / 2**20:.1f} MiB, {unpacked / 2**20:.1f} MiB unpacked")  # noqa: T201
    if size > LIMIT:
        sys.exit(f"The package is larger than {LIMIT / 2**20:.0f} MiB: see DROPPED in {__file__}")


def _unpack(path: Path, root: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(root, [name for name in archive.namelist() if stays(name)])


def stays(name: str) -> bool:
    """Whether a file belongs into the package, by its path below the root."""
    return any(fnmatchcase(name, each) for each in KEPT) or not any(fnmatchcase(name, each) for each in DROPPED)


def collect_static(root: Path) -> None:
    """From the checkout, where packages have their sources; what pages name stays, each file with its .gz twin."""
    folder = root / "static"
    environment = {**os.environ, "SECRET_KEY": "unused", "STATIC_ROOT": str(folder)}
    _run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0", "--ignore", UNUSED_STATIC],
        environment,
    )
    named = set(json.loads((folder / "staticfiles.json").read_text())["paths"].values()) | {"staticfiles.json"}
    for file in list(_files(folder)):
        name = file.relative_to(folder).as_posix().removesuffix(".gz")
        if name not in named or name.endswith(".map"):
            file.unlink()


def compile_bytecode(root: Path, seen_at: str = "/var/task") -> None:
    """Unchecked: the source's date is not looked at. The seed fixes the order of sets, so the bytes are the same.

    Our own sources stay for tracebacks; those of others make way for their bytecode, which saves a fifth of the size.
    """
    compileall = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    compileall += ["-s", str(root), "-p", seen_at]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    for each in sorted(root.iterdir()):
        if each.name in SOURCES or not each.is_dir():
            _run([*compileall, str(each)], environment)
        elif each.name != "static":
            _run([*compileall, "-b", str(each)], environment)
            for source in each.rglob("*.py"):
                source.unlink()


def _answer_once(root: Path) -> None:
    """Nothing that a request needs was dropped: the unpacked package answers one in an empty environment."""
    if sys.platform != "linux" or platform.machine() != "x86_64":  # the wheels are for Lambda's machines
        return
    _run([sys.executable, "-S", "-B", "-c", FIRST_REQUEST], {"PYTHONPATH": str(root), "SECRET_KEY": "unused"})


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def _pack(root: Path, path: Path) -> int:
    """Write the zip; the unpacked size comes out, in bytes."""
    unpacked = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in _files(root):
            member = zipfile.ZipInfo(file.relative_to(root).as_posix())
            member.create_system = 3
            member.external_attr = (0o755 if file.suffix == ".so" else 0o644) << 16
            content = file.read_bytes()
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)
            unpacked += len(content)
    return unpacked


def _files(root: Path) -> Iterator[Path]:
    return (file for file in sorted(root.rglob("*")) if file.is_file())
