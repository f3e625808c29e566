"""Versions in HTTP: ``ETag``, ``If-Match`` and ``If-None-Match`` (RFC 9110, section 13).

A tag is ``"<version>-<digest of the answer>"``: the version is what a write is checked against, the digest makes the
tag true for this very representation (role, ``fields`` and ``include`` change it without a new version).
"""

import hashlib
import re

from rest_framework.request import Request

from ticketing.errors import InvalidInput, PreconditionRequired, StaleVersion

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_OURS = re.compile(r"(\d{1,15})(-[0-9a-f]+)?")


def etag(version: int, body: bytes) -> str:
    """The strong tag of an answer that shows a thing in this version."""
    return f'"{version}-{hashlib.blake2b(body, digest_size=6).hexdigest()}"'


def expected_version(request: Request, current: int, *, required: bool = False) -> int:
    """The version that the request means to replace: the current one when ``If-Match`` names it, is ``*`` or is absent.

    Only the version part of a tag counts; ``"5"`` is as good as the tag that was received. Weak tags never match
    (RFC 9110, section 13.1.1). Raises InvalidInput for a header that is none, StaleVersion when no tag is of the
    current version, PreconditionRequired when the header is absent but required (RFC 6585, section 3).
    """
    given = request.headers.get("If-Match")
    if given is None:
        if required:
            raise PreconditionRequired("Send If-Match with the ETag of what you have read")
        return current
    if given.strip() == "*" or current in _versions(given):
        return current
    raise StaleVersion(data={"current_version": current})


def _versions(header: str) -> set[int]:
    versions = set()
    for part in header.split(","):
        tag = _TAG.fullmatch(part.strip())
        if tag is None:
            raise InvalidInput.of("If-Match", 'this must be * or entity tags, such as "5"')
        ours = _OURS.fullmatch(tag[2])
        if ours and not tag[1]:
            versions.add(int(ours[1]))
    return versions
