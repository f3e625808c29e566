"""`make bench-cold-start`: from a process to its first answer to `GET /tickets`, out of the Lambda package.

The reference is FastAPI with Mangum, pymongo and PyJWT, answering the same page from the same database, with bytecode
made in the same way. Both run in an empty environment, in turn, so that the machine's moods hit both. The target of the
median is 1.1 times the reference's and 128 MiB.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from benchmarks.results import at_most, missed, write_results  # noqa: E402
from deploy.package.hook import compile_bytecode  # noqa: E402
from ticketing.mongo.embedded import EmbeddedMongo  # noqa: E402
from tickets.demo.people import DEMO_TENANTS  # noqa: E402

TIMES, MEBIBYTES = 1.1, 128
ROWS = 50


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=Path, default=ROOT / "build/ticketing.zip")
    parser.add_argument("--reference", type=Path, default=ROOT / "build/reference", help="FastAPI's packages")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ticketing-cold-start-") as folder, EmbeddedMongo.for_tests() as mongo:
        ours, theirs = Path(folder, "ticketing"), Path(folder, "fastapi")
        zipfile.ZipFile(options.package).extractall(ours)
        shutil.copytree(options.reference, theirs)
        shutil.copy(HERE / "fastapi_app.py", theirs / "fastapi_app.py")
        compile_bytecode(theirs)
        environment = {
            "SECRET_KEY": "x" * 50,
            "MONGODB_URI": mongo.uri,
            "MONGODB_DATABASE": "cold_start",
            "AWS_LAMBDA_FUNCTION_NAME": "cold-start",
        }
        for command in ("migrate", "load_demo"):
            command_line = [sys.executable, "manage.py", command]
            subprocess.run(command_line, cwd=ROOT, env={**os.environ, **environment}, check=True, capture_output=True)
        token = _sign_in(ours, environment)
        event = json.dumps(_event("GET", "/api/v1/tickets", f"limit={ROWS}", {"authorization": f"Bearer {token}"}))
        contenders = {"ticketing": (ours, "ticketing.aws.handler.handler"), "fastapi": (theirs, "fastapi_app.handler")}
        figures = _race(contenders, event, environment, options.rounds)
    return _report(figures, options.package)


def _race(
    contenders: dict[str, tuple[Path, str]], event: str, environment: dict[str, str], rounds: int
) -> dict[str, list[dict[str, Any]]]:
    figures: dict[str, list[dict[str, Any]]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, (folder, handler) in contenders.items():
            found = _once(folder, handler, event, environment)
            assert (found["status"], found["rows"]) == (200, ROWS), found
            if number:  # the first round fills the file cache
                figures[name].append(found)
    return figures


def _once(folder: Path, handler: str, event: str, environment: dict[str, str]) -> dict[str, Any]:
    command = [os.path.realpath(sys.executable), "-S", "-B", str(HERE / "once.py"), handler, event]
    started = {"PYTHONPATH": str(folder), "STARTED": str(time.monotonic_ns())}
    done = subprocess.run(command, env={**environment, **started}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _sign_in(folder: Path, environment: dict[str, str]) -> str:
    tenant = DEMO_TENANTS[0]
    agent = next(person for person in tenant.people if person.role.value == "agent" and person.password)
    given = {"tenant": tenant.slug, "email": agent.email, "password": agent.password}
    event = {
        **_event("POST", "/api/v1/auth/login", "", {"content-type": "application/json"}),
        "body": json.dumps(given),
    }
    answer = _once(folder, "ticketing.aws.handler.handler", json.dumps(event), environment)
    if answer["status"] != 200:
        sys.exit(f"cannot sign in: {answer['body']}")
    return str(json.loads(answer["body"])["access"])


def _event(method: str, path: str, query: str, headers: dict[str, str]) -> dict[str, Any]:
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench"}
    context = {"http": http, "stage": "$default", "domainName": "localhost"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "localhost", "accept": "application/json", **headers},
        "requestContext": context,
        "isBase64Encoded": False,
    }


def _report(figures: dict[str, list[dict[str, Any]]], package: Path) -> int:
    print(
        f"{package.name}: {package.stat().st_size / 2**20:.1f} MiB; medians of {len(figures['fastapi'])} cold starts\n"
    )
    print(f"{'':12}{'import':>10}{'answered':>10}{'fastest':>10}{'memory':>12}{'modules':>9}")
    medians = {}
    for name, found in figures.items():
        medians[name] = {
            key: statistics.median(each[key] for each in found) for key in ("import", "milliseconds", "mebibytes")
        }
        fastest = min(each["milliseconds"] for each in found)
        row = medians[name]
        print(
            f"{name:12}{row['import']:7.0f} ms{row['milliseconds']:7.0f} ms{fastest:7.0f} ms"
            f"{row['mebibytes']:8.0f} MiB{found[0]['modules']:9}"
        )
    times = medians["ticketing"]["milliseconds"] / medians["fastapi"]["milliseconds"]
    most = max(each["mebibytes"] for each in figures["ticketing"])
    print(f"\n{times:.2f} times the reference (at most {TIMES}), {most:.0f} MiB at most ({MEBIBYTES})")
    section = "From the start of a process to its first answer to `GET /tickets`"
    how = ", ".join(f"{name} {found['milliseconds']:.0f} ms" for name, found in medians.items())
    results = [
        at_most(section, "times the reference's", times, TIMES, " ×", f"medians of starts in turn: {how}"),
        at_most(section, "memory", most, MEBIBYTES, " MiB", "at most in any start"),
    ]
    write_results("cold-start", "Cold start", "make bench-cold-start", results)
    return 1 if missed(results) else 0


if __name__ == "__main__":
    sys.exit(main())
