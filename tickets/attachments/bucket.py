"""Files in an S3 bucket, which clients reach by presigned URLs: their bytes never pass through us.

Named by the settings and imported when a file is first asked for, because boto3 is slow to import.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from django.utils.http import content_disposition_header
from storages.backends.s3 import S3Storage

from tickets.attachments.rules import UNKNOWN_TYPE

SHA256_HEADER = "x-amz-checksum-sha256"
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 3, 30, 3


class Bucket(S3Storage):  # type: ignore[misc] # django-storages has no types
    """django-storages' S3 with one client for the process, and what direct uploads and downloads need."""

    def get_default_settings(self) -> dict[str, Any]:
        # Only signatures of version 4 bind the headers. The bucket's regional name must be signed: the global one
        # redirects to it, which a browser's preflight does not follow. Stand-ins of S3 know no names of buckets.
        is_amazons = not (os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"))
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "virtual" if is_amazons else "path"},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        )
        return {**super().get_default_settings(), "client_config": config}

    @cached_property
    def connection(self) -> Any:
        """One for all threads, where django-storages has one for each: the client and its pool can be shared."""
        return super().connection

    @property
    def client(self) -> Any:
        return self.connection.meta.client

    def presigned_put(
        self, key: str, *, size: int, content_type: str, sha256: str, seconds: int
    ) -> tuple[str, dict[str, str]]:
        """A URL that takes exactly so many bytes of this type and checksum (hex, or empty), and the headers to send."""
        bound: dict[str, Any] = {"ContentLength": size, "ContentType": content_type}
        headers = {"Content-Type": content_type}
        if sha256:
            bound["ChecksumSHA256"] = headers[SHA256_HEADER] = b64encode(bytes.fromhex(sha256)).decode()
        return self._presigned("put_object", key, seconds, bound), headers

    def presigned_get(self, key: str, *, name: str, seconds: int, method: str = "GET") -> str:
        """A URL by which a browser saves the file under this name, and never shows or runs it. GET or HEAD."""
        answer = {
            "ResponseContentType": UNKNOWN_TYPE,
            "ResponseContentDisposition": content_disposition_header(as_attachment=True, filename=name),
            "ResponseCacheControl": "private, no-store",
        }
        return self._presigned("get_object", key, seconds, answer, method)

    def describe(self, key: str) -> tuple[int, str, str]:
        """The size, the content type and the ETag. Raises FileNotFoundError."""
        with _missing(key):
            found = self.client.head_object(Bucket=self.bucket_name, Key=key)
        return found["ContentLength"], found.get("ContentType", ""), found["ETag"]

    def copy(self, source: str, target: str, *, etag: str) -> str:
        """Copies a file within the bucket, if it is the one with this ETag; S3 tells the copy's SHA-256 in hex.

        Raises FileNotFoundError when there is none, or another one by now.
        """
        with _missing(source):
            copied = self.client.copy_object(
                Bucket=self.bucket_name,
                Key=target,
                CopySource={"Bucket": self.bucket_name, "Key": source},
                CopySourceIfMatch=etag,
                ChecksumAlgorithm="SHA256",
                MetadataDirective="REPLACE",
                ContentType=UNKNOWN_TYPE,
            )
        return b64decode(copied["CopyObjectResult"]["ChecksumSHA256"]).hex()

    def head(self, key: str, length: int) -> bytes:
        """The first bytes."""
        part = self.client.get_object(Bucket=self.bucket_name, Key=key, Range=f"bytes=0-{length - 1}")
        content: bytes = part["Body"].read()
        return content

    def entries(self, folder: str, after: str) -> Iterator[tuple[str, datetime]]:
        """The keys right in a folder that come after one, in their order, each with the time of its last change."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket_name, Prefix=f"{folder}/", Delimiter="/", StartAfter=after
        )
        yield from ((each["Key"], each["LastModified"]) for page in pages for each in page.get("Contents", ()))

    def _presigned(
        self, operation: str, key: str, seconds: int, bound: Mapping[str, Any], method: str | None = None
    ) -> str:
        wanted = {"Bucket": self.bucket_name, "Key": key, **bound}
        url: str = self.client.generate_presigned_url(operation, Params=wanted, ExpiresIn=seconds, HttpMethod=method)
        return url


@contextmanager
def _missing(key: str) -> Iterator[None]:
    """Turns S3's ways to say that a file is not there, or no more the same, into FileNotFoundError."""
    try:
        yield
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in {404, 412}:
            raise FileNotFoundError(key) from None
        raise
