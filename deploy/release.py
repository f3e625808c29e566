"""`python -m deploy.release STAGE`: brings the package to a stage, and takes it back when it does not work there.

Update (or deploy, the first time), migrate, smoke test. When one of them fails, the code and the configuration that
were served before are served again. Exit code 0: the new version is served; 1: it is not.

The smoke test's accounts are read from the environment: SMOKE_TENANT, SMOKE_EMAIL, SMOKE_PASSWORD, for the isolation
probe also SMOKE_OTHER_TENANT, SMOKE_OTHER_EMAIL, SMOKE_OTHER_PASSWORD; and SMOKE_URL, unless it is the API's own.
"""

import argparse
import base64
import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy.infrastructure import find_api, throttle

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "build" / "ticketing.zip"
SMOKE = ("SMOKE_TENANT", "SMOKE_EMAIL", "SMOKE_PASSWORD")
SMOKE_OTHER = ("SMOKE_OTHER_TENANT", "SMOKE_OTHER_EMAIL", "SMOKE_OTHER_PASSWORD")
# What the function has beside its code: zappa's rollback leaves it at the new version's.
CONFIGURATION = ("Environment", "Handler", "MemorySize", "Runtime", "Timeout")


class Failed(Exception):
    """A step of a release; the text names it."""


FAILURES = (Failed, ClientError, BotoCoreError)


@dataclass(frozen=True)
class Served:
    """The code (its SHA-256 as Lambda writes it) and the configuration of a stage."""

    code: str
    configuration: dict[str, Any]


class Release:
    """One release of a package to a stage."""

    def __init__(self, stage: str, package: Path, settings: Path) -> None:
        self._stage = stage
        self._package = package
        self._settings = settings
        self._function = f"ticketing-{stage}"
        self._lambda = boto3.client("lambda")
        self._gateway = boto3.client("apigateway")

    def run(self, *, smoke: bool) -> None:
        """Raises Failed when the new version is not served; then the version before is, if there was one."""
        before, limits = self._find_served(), self._find_limits()
        try:
            self._zappa("update" if before else "deploy", "--zip", str(self._package))
            self._check_code()
            if limits:  # zappa deploys the API anew; what it may take does not change by that
                throttle(self._gateway, *limits)
            self._zappa("manage", "migrate --noinput")
            if smoke:
                self._smoke()
        except FAILURES as error:
            if before is None:
                raise
            print(f"{error}. Back to the version before ...", flush=True)  # noqa: T201
            self._take_back(before)
            raise Failed(f"{error}; the version before is served again") from None

    def _find_served(self) -> Served | None:
        try:
            found = self._lambda.get_function_configuration(FunctionName=self._function)
        except self._lambda.exceptions.ResourceNotFoundException:
            return None
        return Served(found["CodeSha256"], {name: found[name] for name in CONFIGURATION if name in found})

    def _find_limits(self) -> tuple[str, str, float, int] | None:
        api = find_api(boto3.client("cloudformation"), self._stage)
        if api is None:
            return None
        stage = self._gateway.get_stage(restApiId=api, stageName=self._stage)
        found = stage.get("methodSettings", {}).get("*/*")
        return found and (api, self._stage, found["throttlingRateLimit"], found["throttlingBurstLimit"])

    def _check_code(self) -> None:
        digest = base64.b64encode(hashlib.sha256(self._package.read_bytes()).digest()).decode()
        if self._find_code() != digest:
            raise Failed("the package was not taken over")

    def _find_code(self) -> str:
        """The code that the gateway calls: what zappa's alias points to where there is one, else the latest."""
        aliases = self._lambda.list_aliases(FunctionName=self._function)["Aliases"]
        version = aliases[0]["FunctionVersion"] if aliases else "$LATEST"
        found = self._lambda.get_function_configuration(FunctionName=self._function, Qualifier=version)
        return str(found["CodeSha256"])

    def _take_back(self, before: Served) -> None:
        """Serve what was served before. Raises Failed when even that does not work."""
        waiter = self._lambda.get_waiter("function_updated")
        waiter.wait(FunctionName=self._function)
        if self._find_served() == before and self._find_code() == before.code:
            return  # it failed before it had changed anything
        self._lambda.update_function_configuration(FunctionName=self._function, **before.configuration)
        waiter.wait(FunctionName=self._function)
        # An update publishes one version, or two with provisioned concurrency: "one back" may be the new code again.
        self._zappa("rollback", "--num-rollback", str(self._versions_back(before.code)))
        if self._find_code() != before.code:
            raise Failed("the version before could not be brought back: see `zappa rollback`")

    def _versions_back(self, code: str) -> int:
        pages = self._lambda.get_paginator("list_versions_by_function").paginate(FunctionName=self._function)
        versions = [each for page in pages for each in page["Versions"] if each["Version"] != "$LATEST"]
        versions.sort(key=lambda each: int(each["Version"]), reverse=True)
        back = [number for number, each in enumerate(versions) if each["CodeSha256"] == code]
        if not back:
            raise Failed("the version before is not kept any more: see num_retained_versions in zappa_settings.json")
        return back[0]

    def _zappa(self, command: str, *arguments: str) -> None:
        program = Path(sys.executable).with_name("zappa")
        self._call(f"zappa {command}", [str(program), command, self._stage, *arguments, "-s", str(self._settings)])

    def _smoke(self) -> None:
        url = os.environ.get("SMOKE_URL") or self._api_url()
        command = [sys.executable, str(ROOT / "manage.py"), "smoke", url, "--password-stdin"]
        command += ["--tenant", os.environ["SMOKE_TENANT"], "--email", os.environ["SMOKE_EMAIL"]]
        passwords = os.environ["SMOKE_PASSWORD"]
        if other := os.environ.get("SMOKE_OTHER_TENANT"):
            command += ["--other-tenant", other, "--other-email", os.environ["SMOKE_OTHER_EMAIL"]]
            passwords += "\n" + os.environ["SMOKE_OTHER_PASSWORD"]
        self._call("the smoke test", command, text=passwords + "\n")

    def _api_url(self) -> str:
        stacks = boto3.client("cloudformation")
        return (
            f"https://{find_api(stacks, self._stage)}.execute-api.{stacks.meta.region_name}.amazonaws.com/{self._stage}"
        )

    def _call(self, what: str, command: list[str], text: str = "") -> None:
        environment = {**os.environ, "SECRET_KEY": "unused"}  # neither zappa nor the smoke test needs the platform's
        if subprocess.run(command, input=text, text=True, env=environment, check=False).returncode:
            raise Failed(f"{what} failed")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="deploy.release", description=__doc__)
    parser.add_argument("stage")
    parser.add_argument("--package", type=Path, default=PACKAGE, help="the zip (%(default)s)")
    parser.add_argument("--settings", type=Path, default=ROOT / "zappa_settings.json", help="zappa's settings")
    parser.add_argument("--without-smoke", action="store_true", help="for a stage that has no tenant yet")
    options = parser.parse_args(arguments)
    if not options.without_smoke:
        needed = (*SMOKE, *SMOKE_OTHER) if os.environ.get("SMOKE_OTHER_TENANT") else SMOKE
        missing = [name for name in needed if not os.environ.get(name)]
        if missing:
            parser.error(f"set {', '.join(missing)} in the environment, or give --without-smoke")
    if not options.package.is_file():
        parser.error(f"{options.package} is missing: run `make package`")
    Release(options.stage, options.package, options.settings).run(smoke=not options.without_smoke)
    print(f"{options.stage} serves {options.package.name}.")  # noqa: T201


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except FAILURES as error:
        sys.exit(f"Not released: {error}")
