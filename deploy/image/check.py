"""`make image-check`: builds the images and works them as production would, against a real MongoDB."""

import json
import secrets
import socket
import time
from typing import Any

from pymongo import MongoClient

from deploy.image import build, compose
from deploy.image.container import MEMORY_MIB, Container
from deploy.image.engine import engine
from deploy.image.runtime_api import RuntimeApi
from deploy.image.trial import EMAIL, PASSWORD, TENANT, await_true, expect, get, report, smoke
from ticketing.mongo.embedded import EmbeddedMongo
from ticketing.processes import free_port

LIMIT_MIB = 260  # the server's image, base included
GRACE_SECONDS = 25
# What no image may hold: other programs' sources, histories, keys, installers, compilers.
FORBIDDEN = r"""
find / -xdev -path /proc -prune -o \( -name .git -o -name '.env*' -o -name '*.key' -o -name secret_key \) -print
find /app -path /app/static -prune -o \( -name tests -o -name '*.md' -o -name '*.po' \) -print
ls -d /app/requirements* /app/zappa* /app/pip /app/setuptools /app/deploy 2>/dev/null
command -v gcc cc make git pip pip3
true
"""


def main() -> None:
    started = time.monotonic()
    build.main()
    with EmbeddedMongo.for_tests() as mongo:
        environment = {"MONGODB_URI": mongo.uri, "SECRET_KEY": secrets.token_urlsafe(50), "LOG_LEVEL": "INFO"}
        check_contents()
        check_init(environment)
        check_server(environment)
        check_worker(environment, mongo.uri)
        check_lambda(environment)
    compose.check()
    report(f"all checks, in {time.monotonic() - started:.0f} s with the build")


def check_contents() -> None:
    for target in ("server", "lambda"):
        mebibytes = build.size_of(f"ticketing:{target}") / 2**20
        expect(mebibytes < LIMIT_MIB, f"ticketing:{target} is {mebibytes:.0f} MiB, below {LIMIT_MIB}")
        found = engine("run", "--rm", "--network", "none", "--entrypoint", "sh", f"ticketing:{target}", "-c", FORBIDDEN)
        expect(
            not found, f"ticketing:{target} holds no history, keys, tests, documents, installers or compilers", found
        )


def check_init(environment: dict[str, str]) -> None:
    """Twice: the second time finds everything done. The key is made by itself, in a volume that the user may write."""
    volume = f"ticketing-check-{time.monotonic_ns()}"
    own = {key: value for key, value in environment.items() if key != "SECRET_KEY"}
    own |= {"SECRET_KEY_FILE": "/secrets/secret_key", "DEMO_DATA": "true"}
    for attempt in ("first", "second"):
        start = time.monotonic()
        container = Container(
            "ticketing:server", "/app/init", environment=own, options=("--volume", f"{volume}:/secrets")
        )
        expect(container.run() == 0, f"init, the {attempt} time: {time.monotonic() - start:.1f} s")
    engine("volume", "rm", volume)


def check_server(environment: dict[str, str]) -> None:
    port = free_port()
    environment = {**environment, "HOST": "127.0.0.1", "PORT": str(port), "GRACEFUL_SECONDS": str(GRACE_SECONDS)}
    start = time.monotonic()
    with Container("ticketing:server", environment=environment) as server:
        await_true(lambda: get(port, "/healthz")[0] == 200, "the server answers /healthz")
        report(f"the server answers /healthz {time.monotonic() - start:.1f} s after its start")
        status, body = get(port, "/readyz")
        expect(status == 200, f"/readyz answers {status}", body)
        check_confinement(server)
        check_static(port)
        smoke(port)
        expect(
            server.execute("sh", "-c", "python /app/healthcheck.py && echo healthy") == "healthy",
            "the health check's command passes",
        )
        check_graceful_stop(server, port)


def check_confinement(server: Container) -> None:
    expect(server.execute("id", "-u") == "10001", "it runs as user 10001")
    written = server.execute(
        "sh", "-c", "for each in / /app /etc /usr /secrets; do touch $each/x 2>/dev/null && echo $each; done; echo end"
    )
    expect(written == "end", "its root cannot be written", written)
    expect(
        server.execute("sh", "-c", "touch /tmp/x /data/x && rm /tmp/x /data/x && echo yes") == "yes",
        "/tmp and /data can",
    )
    limits = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; true"
    limit = server.execute("sh", "-c", limits)
    expect(limit == str(MEMORY_MIB * 2**20), f"it may take {MEMORY_MIB} MiB", f"the kernel says {limit or 'nothing'}")
    compiled = "from importlib.util import cache_from_source as compiled; from pathlib import Path; "
    stale = f"{compiled}print([str(p) for p in Path('/app').rglob('*.py') if not Path(compiled(p)).exists()])"
    uncompiled = server.execute("python", "-c", stale)
    expect(uncompiled == "[]", "all its modules are compiled", uncompiled)


def check_static(port: int) -> None:
    status, body = get(port, "/console/login/", {"Host": "acme.localhost"})
    link = body.partition("/static/")[2].partition('"')[0]
    expect(status == 200 and bool(link), f"the console's sign-in page answers {status}", body[:500])
    status, _ = get(port, f"/static/{link}", {"Accept-Encoding": "gzip"})
    expect(status == 200, f"its style sheet /static/{link} answers {status}")


def check_graceful_stop(server: Container, port: int) -> None:
    """SIGTERM while the body of a request is still on its way: the request ends well, and so does the container."""
    body = json.dumps({"tenant": TENANT, "email": EMAIL, "password": PASSWORD}).encode()
    head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=GRACE_SECONDS) as connection:
        connection.sendall(head.encode())
        answers = connection.makefile("rb")
        expect(b" 100 " in answers.readline() + answers.readline(), "the server has begun with a request")
        start = time.monotonic()
        server.signal("TERM")
        await_true(lambda: "Handling signal: term" in server.logs(), "the server has begun to stop")
        connection.sendall(body)
        answer = answers.readline().decode().strip()
    expect(" 200 " in answer, f"SIGTERM with a request in flight: it is answered {answer}")
    code = server.wait()
    seconds = time.monotonic() - start
    expect(
        code == 0 and seconds < GRACE_SECONDS,
        f"the server ends with {code} {seconds:.1f} s after SIGTERM",
        server.logs(),
    )


def check_worker(environment: dict[str, str], uri: str) -> None:
    with MongoClient[dict[str, Any]](uri) as client, Container("ticketing:worker", environment=environment) as worker:
        jobs = client["ticketing"]["jobs"]
        await_true(lambda: jobs.count_documents({"last_outcome": {"$ne": None}}) > 0, "the worker runs jobs")
        start = time.monotonic()
        worker.signal("TERM")
        code = worker.wait()
        seconds = time.monotonic() - start
        held = [each["_id"] for each in jobs.find({"holder": {"$ne": None}})]
        expect(
            code == 0 and seconds < GRACE_SECONDS,
            f"the worker ends with {code} {seconds:.1f} s after SIGTERM",
            worker.logs(),
        )
        expect(not held, f"it leaves no lease behind ({jobs.count_documents({})} jobs known)", f"held: {held}")


def check_lambda(environment: dict[str, str]) -> None:
    event = {
        "resource": "/{proxy+}",
        "path": "/readyz",
        "httpMethod": "GET",
        "headers": {"Host": "localhost"},
        "multiValueHeaders": {"Host": ["localhost"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"stage": "", "path": "/readyz", "identity": {"sourceIp": "192.0.2.1"}, "httpMethod": "GET"},
        "body": None,
        "isBase64Encoded": False,
    }
    with RuntimeApi() as api:
        own = {
            **environment,
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "check",
            "AWS_REGION": "eu-central-1",
        }
        start = time.monotonic()
        with Container("ticketing:lambda", environment=own):
            for attempt in ("first", "second"):
                answer = api.invoke(event)
                expect(
                    answer["statusCode"] == 200,
                    f"the function's {attempt} answer to GET /readyz: {answer['statusCode']}, "
                    f"{time.monotonic() - start:.2f} s after its start",
                    str(answer),
                )


if __name__ == "__main__":
    main()
