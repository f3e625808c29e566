"""AWS for tests: credentials that are none, a server that stands in for it, and a bucket to keep files in."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"


def use_aws(monkeypatch: pytest.MonkeyPatch, address: str = "") -> None:
    """Credentials and region in the environment; with an address also whom to ask instead of AWS."""
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", REGION)):
        monkeypatch.setenv(f"AWS_{name}", value)
    if address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)


@contextmanager
def aws_server() -> Iterator[str]:
    """The address of moto's server, which speaks HTTP."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def new_bucket(name: str) -> Any:
    """An empty bucket."""
    bucket = boto3.resource("s3").Bucket(name)
    bucket.create(CreateBucketConfiguration={"LocationConstraint": REGION})
    return bucket


def keep_files_in(settings: Any, bucket_name: str) -> None:
    """Files go to the bucket, as ATTACHMENTS_BUCKET configures it."""
    options = {"bucket_name": bucket_name, "default_acl": None, "file_overwrite": False}
    storage = {"BACKEND": "tickets.attachments.bucket.Bucket", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
