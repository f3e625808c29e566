"""The test's side of it: starts the process, speaks to it, and calls the programs that people deploy with."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import requests

from tests.deploy.aws.calls import Call
from tests.deploy.templates import ACCOUNT, REGION
from ticketing.processes import start_child, stop_child

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Cloud:
    """An account, as its owner sees it from a machine of his own; `folder` is where he works."""

    folder: Path
    environment: dict[str, str]
    gateway: str

    def client(self, service: str) -> Any:
        keys = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "testing")
        return boto3.client(service, REGION, endpoint_url=self.environment["AWS_ENDPOINT_URL"], **keys)

    def run(self, *command: str, text: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """A Python program of the project; what it said is shown when the test fails."""
        environment = {**self.environment, **variables}
        done = subprocess.run(
            [sys.executable, *command], cwd=self.folder, env=environment, input=text, text=True, capture_output=True
        )
        print(f"$ {' '.join(command)} -> {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def zappa(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(str(Path(sys.executable).with_name("zappa")), *arguments)

    def request(self, method: str, url: str, **sent: Any) -> requests.Response:
        """Any address of AWS; redirects are not followed."""
        with requests.Session() as session:
            session.trust_env = False
            proxies = {} if "127.0.0.1" in url else {"http": self.gateway}
            return session.request(method, url, proxies=proxies, allow_redirects=False, timeout=60, **sent)

    def log_of(self, function: str) -> str:
        return (self.folder / "cloud" / "logs" / f"{function}.log").read_text()

    def calls_of(self, key: str) -> set[Call]:
        """What was asked of AWS with an access key."""
        lines = (self.folder / "cloud" / "calls").read_text().splitlines()
        return {call for call in (Call(**json.loads(line)) for line in lines) if call.key == key}

    def fire(self, rule: Mapping[str, Any]) -> int:
        """What EventBridge does when a rule's time has come; how many targets it called."""
        events, functions = self.client("events"), self.client("lambda")
        targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        for target in targets:
            payload = _transformed(_scheduled_event(rule["Arn"]), target["InputTransformer"])
            answer = functions.invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=payload)
            assert answer["StatusCode"] == 202
        return len(targets)


@contextmanager
def start_cloud(folder: Path, **variables: str) -> Iterator[Cloud]:
    """An empty account in a process of its own, for as long as the block lasts."""
    work = folder / "cloud"
    work.mkdir()
    (folder / "home").mkdir()
    with (folder / "server.log").open("wb") as log:
        ready = folder / "addresses.json"
        command = [sys.executable, "-m", "tests.deploy.aws.server", str(work), str(ready)]
        process = start_child(command, {**os.environ, "PYTHONPATH": str(ROOT)}, log)
        try:
            addresses = _await(ready, process)
            yield Cloud(
                folder,
                {
                    "AWS_ACCESS_KEY_ID": "testing",
                    "AWS_SECRET_ACCESS_KEY": "testing",
                    "AWS_DEFAULT_REGION": REGION,
                    "AWS_ENDPOINT_URL": addresses["aws"],
                    "HOME": str(folder / "home"),
                    "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
                    "PYTHONPATH": str(ROOT),
                    "PYTHONWARNINGS": "ignore",
                    "VIRTUAL_ENV": sys.prefix,
                    "http_proxy": addresses["gateway"],
                    "https_proxy": addresses["gateway"],  # which refuses: nothing leaves this machine
                    "no_proxy": "127.0.0.1,localhost",
                    **variables,
                },
                addresses["gateway"],
            )
        finally:
            stop_child(process, signal.SIGTERM, 10)


def _await(file: Path, process: subprocess.Popen[bytes]) -> dict[str, str]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if file.exists():
            addresses: dict[str, str] = json.loads(file.read_text())
            return addresses
        time.sleep(0.05)
    raise AssertionError((file.parent / "server.log").read_text())


def _scheduled_event(rule: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html"""
    return {
        "version": "0",
        "id": "cdc73f9d-aea9-11e3-9d5a-835b769c0d9c",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [rule],
        "detail": {},
    }


def _transformed(event: Mapping[str, Any], transformer: Mapping[str, Any]) -> str:
    text = str(transformer["InputTemplate"])
    for name, path in transformer["InputPathsMap"].items():
        text = text.replace(f"<{name}>", json.dumps(event[path.removeprefix("$.")]))
    return text
