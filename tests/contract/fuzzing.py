"""`make fuzz`: schemathesis against the running server, with every check, once for each role that can ask.

The server is gunicorn on a MongoDB of its own with the demo's data; docs/openapi.yaml says what can be asked.
Exits with 1 for any failure. CASES says how many cases are run at least; SEED repeats a run. With ``--small`` it asks
what `make test` has the time for.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.results import Figure, at_least, at_most, write_results
from deploy.trials import trial
from deploy.trials.platform import Person, Platform, Server
from ticketing.mongo.embedded import EmbeddedMongo

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "openapi.yaml"
CASES, SEED = 20_000, 1
TENANT = "acme"
ROLES = ("admin", "agent", "user")
SIGNED_OUT = "signed-out"  # the ends of these people's sessions are part of the run
LIMITS = {f"SIGN_IN_FAILURES_PER_{what}": "1000000" for what in ("ACCOUNT", "ADDRESS")}  # as those of the Platform
SECTION = "schemathesis, every check on"
SMALL = {  # the document's own examples everywhere; every value that its limits suggest for a new ticket
    "admin": ("--phases", "examples"),
    "user": ("--phases", "coverage", "--include-operation-id", "tickets_create"),
}


@dataclass(frozen=True)
class Run:
    """What came of one role's cases. ``lasted``: whether the credentials were still good at the end."""

    who: str
    cases: int
    failures: int
    operations: int
    lasted: bool


class DemoPlatform(Platform):
    """With the demo's tenants and tickets, and two people of each role in one of them."""

    key_id = ""

    def _populate(self, slug: str) -> None:
        from accounts.actor import Actor, Via
        from accounts.services import create_user
        from accounts.sessions import open_session
        from tenants.services import find_tenant
        from tickets.demo.services import load_demo

        load_demo(datetime.now(UTC).date())
        tenant = find_tenant(slug)
        assert tenant is not None
        system = Actor.system(tenant, Via.COMMAND)
        for role in ROLES:
            for name in (role, f"{role}-{SIGNED_OUT}"):
                user = create_user(system, email=f"{name}@{slug}.example.org", name=name, role=role)
                self.people.append(Person(slug, tenant.pk, user.pk, name, open_session(user).access))

    def variables(self) -> dict[str, str]:
        """Whom no case may change, and who is changed in their stead (see fuzzing_checks)."""
        spared = [str(person.user_id) for person in self.people if not person.role.endswith(SIGNED_OUT)]
        spared.append(self.key_id)
        instead = next(str(person.user_id) for person in self.people if person.role == f"user-{SIGNED_OUT}")
        return {"FUZZING_SPARES": ",".join(spared), "FUZZING_INSTEAD": instead}

    def credentials(self) -> dict[str, str]:
        """The Authorization of everybody who asks, by role; empty for nobody."""
        from accounts.keys import create_api_key
        from accounts.roles import KEY_SCOPES

        people = {person.role: person for person in self.people if person.tenant == TENANT}
        key, secret = create_api_key(self.actor(people["admin"]), name="Fuzzing", scopes=KEY_SCOPES)
        self.key_id = str(key.pk)
        signed_in = {name: person.headers["Authorization"] for name, person in people.items()}
        return {"anonymous": "", **signed_in, "key": f"Api-Key {secret}"}


def main() -> None:
    trial.main(small_figures if "--small" in sys.argv else figures)


def figures() -> Sequence[Figure]:
    cases, seed = trial.knob("CASES", CASES), trial.knob("SEED", SEED)
    with served() as (server, credentials, folder):
        whom = [name for name in credentials if not name.endswith(SIGNED_OUT)]
        runs = [fuzz(server, who, credentials, folder, -(-cases // len(whom)), seed) for who in whom]
    found = summary(runs, cases)
    write_results("fuzz", "Fuzzing of the API", "make fuzz", found)
    return found


def small_figures() -> Sequence[Figure]:
    """Some hundred cases, the same each time."""
    with served() as (server, credentials, folder):
        runs = [
            counted(
                server, who, credentials, schemathesis(server, who, credentials, folder / "report.json", SEED, *how)
            )
            for who, how in SMALL.items()
        ]
    return summary(runs, 200)


@contextmanager
def served() -> Iterator[tuple[Server, Mapping[str, str], Path]]:
    """The platform ready to be asked, everybody's credentials, and a folder for the reports."""
    with (
        trial.temporary_folder() as folder,
        EmbeddedMongo.for_tests() as mongo,
        DemoPlatform(mongo.uri, folder, console=True, **LIMITS) as platform,
    ):
        server, credentials = platform.serve(), platform.credentials()
        os.environ.update(platform.variables())
        yield server, credentials, folder


def fuzz(server: Server, who: str, credentials: Mapping[str, str], folder: Path, cases: int, seed: int) -> Run:
    """Runs schemathesis with one's credentials until enough cases have been run, each time with another seed."""
    reports: list[dict[str, Any]] = []
    run = Run(who, cases=0, failures=0, operations=0, lasted=True)
    while run.cases < cases and not run.failures:
        report, examples = folder / f"{who}.json", ("--max-examples", "40")
        reports.append(schemathesis(server, who, credentials, report, seed + run.cases, *examples))
        run = counted(server, who, credentials, *reports)
        trial.tell(f"{who}: {run.cases:,} cases, {run.failures} failures")
    return run


def counted(server: Server, who: str, credentials: Mapping[str, str], *reports: dict[str, Any]) -> Run:
    """What several runs of the program have come to."""
    answer = httpx.get(f"{server.address}/api/v1/tickets", headers={"Authorization": credentials[who]})
    return Run(
        who,
        cases=sum(report["test_cases"]["generated"] for report in reports),
        failures=sum(report["test_cases"]["with_failures"] + len(report["errors"]) for report in reports),
        operations=max(report["operations"]["tested"] for report in reports),
        lasted=answer.status_code == (200 if credentials[who] else 401),
    )


def schemathesis(
    server: Server, who: str, credentials: Mapping[str, str], report: Path, seed: int, *options: str
) -> dict[str, Any]:
    """One run of the program; returns its report. Its words are shown where something failed."""
    config = HERE / ("schemathesis-anonymous.toml" if who == "anonymous" else "schemathesis.toml")
    variables = {
        "AUTHORIZATION": credentials[who],
        "AUTHORIZATION_TO_END": credentials.get(f"{who}-{SIGNED_OUT}", credentials[who]),
        "SCHEMATHESIS_HOOKS": "tests.contract.fuzzing_checks",
    }
    command = [Path(sys.executable).with_name("st"), "--config-file", config, "run", DOCUMENT, "--url", server.address]
    command += ["--seed", seed, "--workers", 1, "--continue-on-failure", "--no-color", *options]
    command += ["--report-json-path", report]
    done = subprocess.run(
        list(map(str, command)),
        cwd=report.parent,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not report.exists():
        trial.tell(done.stdout + done.stderr)
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def summary(runs: Sequence[Run], cases: int) -> list[Figure]:
    """The figures of all runs."""
    total = at_least(SECTION, "cases in all", sum(run.cases for run in runs), cases)
    failures = [
        at_most(
            SECTION, f"failures as {run.who}", run.failures, 0, how=f"{run.cases:,} cases, {run.operations} operations"
        )
        for run in runs
    ]
    ended = [run.who for run in runs if not run.lasted]
    lasted = at_most(SECTION, "roles signed out before their end", len(ended), 0, how=", ".join(ended))
    return [total, *failures, lasted]


if __name__ == "__main__":
    main()
