"""`make image`: builds ticketing:server, ticketing:worker and ticketing:lambda, with a registry or without one."""

import os
import subprocess
import sys
import time

from deploy.image.engine import BUILD, PYTHON_IMAGE, ROOT, TARGETS, engine, find_engine, has_image

BASE = BUILD / "python-3.11-slim-bookworm.tar"
REGISTRY_SECONDS = 120
LINKS = "ln -s /usr/bin/python3.11 /usr/local/bin/python; ln -s /usr/bin/python3.11 /usr/local/bin/python3"
PACKAGES = ("python3.11", "python3.11-venv", "ca-certificates", "libstdc++6")
LEFT_OUT = ("man", "doc", "locale", "info", "lintian")


def main() -> None:
    provide_base()
    for target in TARGETS:
        start, name = time.monotonic(), f"ticketing:{target}"
        base = f"PYTHON_IMAGE={PYTHON_IMAGE}"
        engine("build", *build_options(), "--build-arg", base, "--target", target, "--tag", name, ".")
        print(f"{name:16} {size_of(name) / 2**20:6.1f} MiB, built in {time.monotonic() - start:.0f} s", flush=True)


def build_options() -> list[str]:
    # Podman's own isolation needs rights that CI's machines do not give, and only Docker's format knows health checks.
    options = [] if find_engine() == "docker" else ["--isolation", "chroot", "--format", "docker", "--layers"]
    certificates = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    return [*options, "--secret", f"id=certificates,src={certificates}"] if certificates else options


def size_of(image: str) -> int:
    return int(engine("image", "inspect", "--format", "{{.Size}}", image))


def provide_base() -> None:
    """Python's official image; where no registry answers, its name is given to Debian's own Python 3.11."""
    if has_image(PYTHON_IMAGE) or _pull():
        return
    if not BASE.exists():
        _bootstrap()
    engine("import", "--change", "CMD python3", str(BASE), PYTHON_IMAGE)
    print(f"{PYTHON_IMAGE}: no registry answers; made from Debian's packages", flush=True)


def _pull() -> bool:
    try:
        command = [find_engine(), "pull", "--quiet", PYTHON_IMAGE]
        return subprocess.run(command, capture_output=True, check=False, timeout=REGISTRY_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _bootstrap() -> None:
    BUILD.mkdir(exist_ok=True)
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=essential",
        f"--include={','.join(PACKAGES)}",
    ]
    command += [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in LEFT_OUT]
    command += ["--customize-hook", f'chroot "$1" sh -c "{LINKS}"', "bookworm", str(BASE)]
    try:
        subprocess.run(command, check=True, cwd=ROOT)
    except FileNotFoundError:
        sys.exit(
            f"{PYTHON_IMAGE} cannot be had: no registry answers, and there is no mmdebstrap to make it from Debian."
        )


if __name__ == "__main__":
    main()
