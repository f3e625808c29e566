"""Backups on S3, and what a backup does when it cannot go on."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from moto import mock_aws
from pymongo import MongoClient

from tests.aws import new_bucket, use_aws
from tests.cast import Cast
from tests.tickets.backup.conftest import contents, stored_files
from ticketing.errors import InvalidInput
from ticketing.mongo.embedded import EmbeddedMongo
from tickets.backup import places
from tickets.backup.places import Folder, open_place
from tickets.backup.restoring import restore
from tickets.backup.saving import back_up

WHO, BUCKET = "tests", "backups-of-a-test"
Elsewhere = Callable[[], Any]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    use_aws(monkeypatch)
    with mock_aws():
        bucket = new_bucket(BUCKET)
        yield bucket


def keys(bucket: Any) -> list[str]:
    return sorted(item.key for item in bucket.objects.all())


def test_a_bucket_takes_and_gives_a_backup(cast: Cast, bucket: Any, elsewhere: Elsewhere, capsys: Any) -> None:
    before, files = contents(), stored_files()
    address = f"s3://{BUCKET}/2026/nightly/"
    call_command("backup", address)
    assert all(key.startswith("2026/nightly/") for key in keys(bucket))
    assert {f"2026/nightly/files/{key}" for key in files} < set(keys(bucket))
    with elsewhere():
        call_command("restore", address, "--verify-only")
        call_command("restore", address)
        assert (contents(), stored_files()) == (before, files)
    with pytest.raises(CommandError, match="is not empty"):
        call_command("backup", address)
    call_command("backup", f"s3://{BUCKET}/2026/night")  # another prefix, though it begins alike


def test_a_damaged_object_and_a_missing_bucket_are_told(cast: Cast, bucket: Any, elsewhere: Elsewhere) -> None:
    address = f"s3://{BUCKET}/b"
    call_command("backup", address)
    with elsewhere():
        bucket.Object("b/collections/tickets.bson.gz").delete()
        with pytest.raises(CommandError, match=r"tickets\.bson\.gz: .*NoSuchKey"):
            call_command("restore", address)
        assert contents() == {}
    with pytest.raises(CommandError, match="NoSuchBucket"):
        call_command("backup", "s3://nowhere-to-be-found/b")
    with pytest.raises(CommandError, match="names no bucket"):
        call_command("backup", "s3://")


def test_large_files_go_up_in_parts_and_an_interrupted_one_not_at_all(
    bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = 5 * 1024 * 1024  # S3's smallest
    monkeypatch.setattr(places, "PART_BYTES", part)
    place = open_place(f"s3://{BUCKET}/b")
    pieces = [bytes([number]) * (part // 3) for number in range(8)]
    with place.write("large") as file:
        for piece in pieces:
            file.write(piece)
    assert bucket.Object("b/large").get()["Body"].read() == b"".join(pieces)
    assert bucket.Object("b/large").e_tag.endswith('-3"')

    def write_and_fail() -> None:
        with place.write("interrupted") as file:
            file.write(bytes(part + 1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert keys(bucket) == ["b/large"]
    assert "Uploads" not in bucket.meta.client.list_multipart_uploads(Bucket=BUCKET)


def test_an_interrupted_backup_is_none(cast: Cast, tmp_path: Path, elsewhere: Elsewhere) -> None:
    done = 0

    def interrupt(number: int) -> None:
        nonlocal done
        done += number
        if done > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(Folder(tmp_path / "b"), tenant=None, with_files=True, by=WHO, on_progress=interrupt)
    assert list((tmp_path / "b").rglob("*.gz"))
    with elsewhere():
        with pytest.raises(InvalidInput, match="no complete backup"):
            restore(Folder(tmp_path / "b"), by=WHO)
        assert contents() == {}


def test_a_moment_that_the_server_has_forgotten_is_told_with_what_to_set(tmp_path: Path) -> None:
    """On a server of its own, which keeps a moment for no time at all."""
    with EmbeddedMongo.for_tests() as server, MongoClient[dict[str, Any]](server.uri) as client:
        client.admin.command("setParameter", 1, minSnapshotHistoryWindowInSeconds=0)
        environment = {**os.environ, "MONGODB_URI": server.uri, "PYTHONPATH": "."}
        command = [sys.executable, "-c", SLOW, str(tmp_path / "b")]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert "SnapshotTooOld After" in ended.stdout, ended.stdout + ended.stderr
    assert "minSnapshotHistoryWindowInSeconds: 600" in ended.stdout
    assert not (tmp_path / "b" / "manifest.json").exists()


SLOW = """
import sys
import django

django.setup()
from pathlib import Path
from django.core.management import call_command
from ticketing.mongo.client import SnapshotTooOld, get_database
from tickets.backup.places import Folder
from tickets.backup.saving import back_up

call_command("migrate", verbosity=0)
database = get_database()
database["tickets"].insert_many({"number": number} for number in range(30_000))

def write_on(_):
    for number in range(200):
        database["other"].insert_one({"number": number})

try:
    back_up(Folder(Path(sys.argv[1])), tenant=None, with_files=False, by="tests", on_progress=write_on)
except SnapshotTooOld as error:
    print("SnapshotTooOld", error)
"""


def test_a_place_that_cannot_be_written_is_told(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for address in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CommandError, match="file"):
            call_command("backup", str(address))
    with pytest.raises(CommandError, match="no tenant 'umbrella'"):
        call_command("backup", str(tmp_path / "new"), "--tenant", "umbrella")
    assert not (tmp_path / "new").exists()


def test_the_commands_tell_what_they_did(cast: Cast, tmp_path: Path, elsewhere: Elsewhere, capsys: Any) -> None:
    call_command("backup", str(tmp_path / "b"), "--tenant", "acme", "--without-files")
    told = capsys.readouterr().out
    assert "without files" in told
    assert not (tmp_path / "b" / "files").exists()
    assert " MB a second" in told
    with elsewhere():
        call_command("migrate", verbosity=0)
        capsys.readouterr()
        call_command("restore", str(tmp_path / "b"))
        assert "sweep_files --dry-run" in capsys.readouterr().out
        assert len(contents(cast.acme.pk)["tickets"]) == 6
        assert len(contents()["tickets"]) == 6
