"""Where files are: a folder of the test's own, or a bucket of a stand-in for S3 that speaks HTTP."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

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
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket, which files are kept in."""
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "eu-central-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    bucket = boto3.resource("s3").Bucket(BUCKET)
    bucket.create(CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    options = {"bucket_name": BUCKET, "default_acl": None, "file_overwrite": False}
    storage = {"BACKEND": "tickets.attachments.bucket.Bucket", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    yield bucket
    bucket.objects.all().delete()
    bucket.delete()
