"""Where files are: a folder of the test's own, or a bucket of a stand-in for S3 that speaks HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.aws import aws_server, keep_files_in, new_bucket, use_aws

BUCKET = "attachments-of-a-test"


@pytest.fixture
def disk(settings: Any, tmp_path: Path) -> Path:
    """The folder that files are kept in."""
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    return tmp_path


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of moto's server."""
    with aws_server() as address:
        yield address


@pytest.fixture
def bucket(s3_server: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket, which files are kept in."""
    use_aws(monkeypatch, s3_server)
    bucket = new_bucket(BUCKET)
    keep_files_in(settings, BUCKET)
    yield bucket
    bucket.objects.all().delete()
    bucket.delete()
