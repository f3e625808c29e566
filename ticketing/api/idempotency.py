"""``Idempotency-Key``: a POST that is sent again gets the first answer again, and its work is done once.

A key is bound to the tenant, the user or API key, and the path. What the client may rely on:

- same key, same body: the first answer with ``Idempotent-Replay: true``; another body: 422; still under way: 409.
- a request that failed leaves no trace: the key may be used for the corrected one.
- an answer that holds a secret (``secret_response``) is not kept: sending it again is answered 409.
- before sign-in the key is ignored, except where a view says for which tenant it acts (registration).
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson
from django.core.files.uploadedfile import UploadedFile
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.response import Response

from ticketing.addresses import client_address
from ticketing.api.renderers import encode
from ticketing.errors import Conflict, InvalidInput, StorageUnavailable
from ticketing.idempotency import Answer, IdempotencyRecords
from ticketing.mongo.client import transactional

if TYPE_CHECKING:
    from ticketing.api.views import ApiView

HEADER = "Idempotency-Key"
REPLAY_HEADER = "Idempotent-Replay"
LONGEST = 255


class SecretNotRepeated(Conflict):
    code, title = "secret_not_repeated", "It was done already; its answer held a secret, which is not kept"


def once(view: "ApiView", request: Request, work: Callable[[], Response]) -> Response:
    """Does the work, or repeats the answer of the first time. Raises InvalidInput, KeyReused, KeyInFlight."""
    key = request.headers.get(HEADER)
    tenant_id = None if key is None else view.idempotency_tenant_id()
    if key is None or tenant_id is None:
        return work()
    if not (1 <= len(key) <= LONGEST and key.isascii() and key.isprintable()):
        raise InvalidInput.of(HEADER, f"this must be 1 to {LONGEST} printable ASCII characters")
    records = IdempotencyRecords(tenant_id)
    claim = records.claim(_hash(_owner(request), request.path, key), _fingerprint(request))
    if isinstance(claim, Answer):
        return _replayed(claim)

    @transactional
    def work_and_keep() -> Response:
        for _, files in request.FILES.lists():
            for file in files:
                file.seek(0)  # a transaction that is tried again reads it again
        response = work()
        records.finish(claim, _kept(response, getattr(response, "is_secret", view.secret_response)))
        return response

    try:
        return work_and_keep()
    except StorageUnavailable:
        records.release_later(claim)
        raise
    except Exception:
        with suppress(StorageUnavailable):  # the claim lapses by itself
            records.release(claim)
        raise


def _kept(response: Response, is_secret: bool) -> Answer:
    content: dict[str, Any] = {"secret": is_secret}
    if not is_secret:
        content["body"] = None if response.data is None else encode(response.data).decode()
        content["version"] = getattr(response, "version", None)
        content["location"] = response.get("Location")
    return Answer(response.status_code, content)


def _replayed(answer: Answer) -> Response:
    if answer.content["secret"]:
        raise SecretNotRepeated
    body, location = answer.content["body"], answer.content["location"]
    response = Response(None if body is None else orjson.loads(body), status=answer.status)
    response.version = answer.content["version"]  # type: ignore[attr-defined]
    response[REPLAY_HEADER] = "true"
    if location:
        response["Location"] = location
    return response


def _owner(request: Request) -> str:
    principal: Any = request.auth
    if principal is None:
        return f"address:{client_address(request._request)}"
    return f"user:{principal.user_id}:{principal.key_id}"


def _fingerprint(request: Request) -> str:
    """Equal for equal content: JSON by value, forms by field and by the files' bytes."""
    data: Any = request.data
    if not hasattr(data, "lists"):
        return _hash(request.META.get("QUERY_STRING", ""), encode(data, canonical=True).decode())
    texts = {name: [value for value in values if isinstance(value, str)] for name, values in data.lists()}
    files = [
        [name, file.name, file.content_type, _digest(file)]
        for name, values in sorted(request.FILES.lists())
        for file in values
    ]
    return _hash(request.META.get("QUERY_STRING", ""), encode([texts, files], canonical=True).decode())


def _digest(file: "UploadedFile[Any]") -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _hash(*parts: str) -> str:
    """The length of each part goes before it, so that no two lists of parts can be confused."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    # Keyed, because a body may hold a password: its digest must not be a fast way to guess it.
    return salted_hmac("ticketing.idempotency", text, algorithm="sha256").hexdigest()
