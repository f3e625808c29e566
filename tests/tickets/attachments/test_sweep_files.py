"""What a process that died has left in the storage, and what the storage has lost."""

import os
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from tests.cast import Cast, actor_of
from ticketing.mongo.repository import Document
from tickets.attachments import services
from tickets.attachments.files import new_key
from tickets.attachments.services import add_attachment
from tickets.services import open_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    return tmp_path


def add(cast: Cast) -> Document:
    carla = actor_of(cast.carla)
    return add_attachment(carla, open_ticket(carla, title="Broken")["_id"], SimpleUploadedFile("a.txt", b"hello"))


def orphan(cast: Cast, files: Path, *, hours: float) -> str:
    key = default_storage.save(new_key(cast.acme.pk), ContentFile(b"nobody's"))
    then = time.time() - hours * 3600
    os.utime(files / key, (then, then))
    return key


def sweep(*arguments: str) -> list[str]:
    output = StringIO()
    call_command("sweep_files", *arguments, stdout=output, stderr=output)
    return output.getvalue().splitlines()


def test_old_files_without_a_row_go(cast: Cast, files: Path) -> None:
    kept = add(cast)
    then = time.time() - 100 * 3600
    os.utime(files / kept["storage_key"], (then, then))
    old, young = orphan(cast, files, hours=25), orphan(cast, files, hours=23)
    assert sweep("--dry-run")[0] == "acme: would remove 1 files that belong to nothing"
    assert default_storage.exists(old)
    assert sweep() == [
        "acme: removed 1 files that belong to nothing",
        "globex: removed 0 files that belong to nothing",
    ]
    assert not default_storage.exists(old)
    assert default_storage.exists(young)
    assert default_storage.exists(kept["storage_key"])
    assert sweep("--older-than-hours", "0.5")[0] == "acme: removed 1 files that belong to nothing"
    assert not default_storage.exists(young)


def test_a_process_that_dies_before_the_row_leaves_a_file_that_is_swept(
    cast: Cast, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = services.store

    class Killed(BaseException):
        pass

    def die_after_storing(key: str, content: Any) -> None:
        store(key, content)
        raise Killed

    monkeypatch.setattr(services, "store", die_after_storing)
    with pytest.raises(Killed):
        add(cast)
    assert len([path for path in files.rglob("*") if path.is_file()]) == 1
    assert sweep("--older-than-hours", "0")[0] == "acme: removed 1 files that belong to nothing"
    assert [path for path in files.rglob("*") if path.is_file()] == []


def test_rows_without_a_file_are_told(cast: Cast) -> None:
    lost = add(cast)
    default_storage.delete(lost["storage_key"])
    output = StringIO()
    with pytest.raises(CommandError, match="1 attachments have no file"):
        call_command("sweep_files", stdout=output, stderr=output)
    assert f"acme: the file {lost['storage_key']} is missing" in output.getvalue()


def test_nothing_was_ever_stored(cast: Cast) -> None:
    assert sweep("--older-than-hours", "0")[0] == "acme: removed 0 files that belong to nothing"
