"""The store of attachments full, failing or away: `make faults TRIALS=files`.

On the file system files may not grow (RLIMIT_FSIZE), no space is left (a small file system, where the trial may mount
one), and the folder is none; in a bucket S3 fails, denies and hangs up (moto behind a server that comes between).
"""

import resource
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.results import Figure
from deploy.trials.books import Books
from deploy.trials.bucket import BucketServer
from deploy.trials.full_disk import fill, small_disk
from deploy.trials.journal import PROBLEM_JSON, Mark, none_of
from deploy.trials.platform import Platform, Server
from deploy.trials.replica_set import ReplicaSet
from deploy.trials.trial import main, tell, temporary_folder

SECTION = "The store of attachments full, failing or away"
LIMIT = 100_000
SIZES = (300_000, 700_000)  # kept in memory while it is received, and in a temporary file
Act = Callable[[], Any]


@dataclass
class Findings:
    """What was not as it should be, by case."""

    asked: int = 0
    not_told: list[str] = field(default_factory=list)
    not_recovered: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)


@dataclass
class Client:
    """Somebody who adds files to a ticket in both ways, again under the same keys once the store is back."""

    platform: Platform
    server: Server
    ticket: str
    findings: Findings
    stored: Callable[[], set[str]]
    added: list[Mark] = field(default_factory=list)

    def try_case(self, case: str, break_store: Act, mend_store: Act) -> None:
        """Adds files while the store is broken, looks at what is left, and adds them again when it is mended."""
        with self.server.client(self.platform.people[0]) as client:
            client.headers["Connection"] = "close"  # gunicorn hangs up behind an answer to a body that was not read
            rows, files = self._rows(), self.stored()
            break_store()
            try:
                for what in (*SIZES, "upload"):
                    answer = self._send(client, case, what)
                    self.findings.asked += 1
                    tell(f"  {case}, {what}: {answer.status_code} {answer.text[:90]}")
                    if not _is_told_well(answer):
                        self.findings.not_told.append(f"{case}, {what}: {answer.status_code} {answer.text[:200]}")
            finally:
                mend_store()
            if self._rows() != rows:
                self.findings.left_behind.append(f"{case}: a row")
            if left := self.stored() - files - self._announced():
                self.findings.left_behind.append(f"{case}: files {left}")
            for what in (*SIZES, "upload"):
                answer = self._send(client, case, what)
                if answer.status_code != 201:
                    self.findings.not_recovered.append(f"{case}, {what}: {answer.status_code} {answer.text[:200]}")
                self.added.append(Mark("attachment", f"{case}-{what}"))

    def _send(self, client: httpx.Client, case: str, what: object) -> httpx.Response:
        name, path = f"{case}-{what}", f"/tickets/{self.ticket}"
        headers = {"Idempotency-Key": name}
        if what != "upload":
            file = {"file": (name, b"x" * int(str(what)), "text/plain")}
            return client.post(f"{path}/attachments", files=file, headers=headers)
        announced = {"name": name, "size": SIZES[0], "content_type": "text/plain"}
        answer = client.post(f"{path}/uploads", json=announced, headers={"Idempotency-Key": f"{name} announced"})
        if answer.is_success:
            upload = answer.json()
            is_ours = upload["url"].startswith(str(client.base_url))
            with suppress(*([] if is_ours else [httpx.TransportError])):  # S3 may hang up, we may not
                sent = httpx.request(
                    upload["method"], upload["url"], headers=upload["headers"], content=b"x" * SIZES[0], timeout=90
                )
                if is_ours and not sent.is_success:
                    return sent
            return client.post(f"{path}/attachments", json={"upload_id": upload["id"]}, headers=headers)
        return answer

    def _rows(self) -> int:
        return self.platform.database["attachments"].count_documents({})

    def _announced(self) -> set[str]:
        """What has arrived for an upload stays until that expires."""
        return {row["storage_key"] for row in self.platform.database["uploads"].find()}


def run() -> list[Figure]:
    findings = Findings()
    with (
        small_disk(16) as disk,
        ReplicaSet(1) as servers,
        temporary_folder() as folder,
        BucketServer() as bucket,
        Platform(servers.uri, folder, MEDIA_ROOT=str((disk or folder) / "files")) as platform,
    ):
        files = (disk or folder) / "files"
        server = platform.serve()
        client = Client(platform, server, _open_ticket(platform, server), findings, lambda: _listed(files))
        client.try_case("files may not grow", lambda: _limit(server, LIMIT), lambda: _limit(server, -1))
        if disk is None:
            tell("  no small file system can be mounted here: tried with a limit to files only")
        else:
            filler = disk / "filler"
            client.try_case("no space left", lambda: fill(filler), filler.unlink)
        client.try_case("the folder is none", lambda: _replace(files), lambda: _restore(files))
        server.end()
        books = Books(platform)
        figures = [*books.faults(SECTION)]
        server = platform.serve(**bucket.variables)
        client = Client(platform, server, _open_ticket(platform, server), findings, bucket.keys, client.added)
        for fault in bucket.FAULTS:
            client.try_case(f"S3 {fault}", lambda: bucket.fail(fault), lambda: bucket.fail(""))  # noqa: B023
        marks = Books(platform).marks()
    for what, texts in vars(findings).items():
        for text in texts if isinstance(texts, list) else ():
            tell(f"  {what}: {text}")
    how = f"{findings.asked} files sent while the store was broken"
    return [
        none_of(SECTION, "answers other than 503 files_unavailable with Retry-After", len(findings.not_told), how),
        none_of(SECTION, "rows or parts of files left behind", len(findings.left_behind), how),
        none_of(SECTION, "files refused once the store was back", len(findings.not_recovered), "with the same keys"),
        none_of(SECTION, "files not there exactly once then", sum(marks[each] != 1 for each in client.added)),
        *figures,
    ]


def _is_told_well(answer: httpx.Response) -> bool:
    """A clear error of ours; S3 itself may refuse what goes straight to it."""
    return (
        answer.status_code == 503
        and answer.headers["Content-Type"] == PROBLEM_JSON
        and answer.json()["code"] == "files_unavailable"
        and answer.headers.get("Retry-After", "").isdigit()
    ) or (answer.status_code == 400 and answer.json().get("errors", [{}])[0].get("code") == "not_sent")


def _open_ticket(platform: Platform, server: Server) -> str:
    with server.client(platform.people[0]) as client:
        return str(client.post("/tickets", json={"title": "Files"}).raise_for_status().json()["id"])


def _limit(server: Server, size: int) -> None:
    """From now on no file of the server's processes can grow beyond so many bytes."""
    for pid in server.workers():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _listed(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def _replace(folder: Path) -> None:
    """A file in the folder's place, as when a volume is not there."""
    folder.rename(folder.with_suffix(".away"))
    folder.touch()


def _restore(folder: Path) -> None:
    folder.unlink()
    folder.with_suffix(".away").rename(folder)


if __name__ == "__main__":
    main(run)
