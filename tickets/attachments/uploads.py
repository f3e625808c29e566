"""Files too large for a form: announced, sent to an address of their own, then made an attachment.

Nothing is half done: until the last step there is a row that expires and bytes that nobody sees, and `expiring` removes
both. The last step is one transaction, which names the attachment in the row, so that there is never a second one.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core import signing

from accounts.actor import Actor
from accounts.roles import Action
from tenants.quotas import check_storage
from ticketing import clock
from ticketing.errors import FieldError, InvalidInput, NotAllowed, NotFound, TooLarge
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.attachments.arriving import receive, take_over
from tickets.attachments.files import find_bucket, new_incoming_key, new_key
from tickets.attachments.repository import UploadRepository
from tickets.attachments.rules import check_arrived, check_type, clean_name
from tickets.attachments.services import access_attachment, check_addition, describe, record_attachment
from tickets.conversation.models import Visibility
from tickets.rules import check_choice

_SALT = "tickets.attachments.uploads"


class _CompletedAlready(Exception):
    """Another completion was faster."""


def announce_upload(
    actor: Actor,
    reference: str | ObjectId,
    *,
    name: str,
    size: int,
    content_type: str,
    sha256: str = "",
    comment_id: str | ObjectId | None = None,
    visibility: str = Visibility.PUBLIC.value,
) -> Document:
    """Notes which file will be sent for a ticket or comment. ``size`` in bytes, ``sha256`` in hex or empty.

    Raises InvalidInput, NotFound, NotAllowed, TooLarge, TicketClosed, QuotaExceeded.
    """
    check_choice("visibility", visibility, Visibility.values)
    ticket, visible_as, comment = check_addition(actor, reference, comment_id, visibility)
    _check_size(size)
    now, uploads = clock.now(), UploadRepository(actor.tenant_id)
    row = {
        "ticket_id": ticket["_id"],
        "comment_id": comment and comment["_id"],
        "visibility": visible_as,
        "name": clean_name(name),
        "size": size,
        "content_type": check_type(content_type),
        "sha256": sha256.lower(),
        "storage_key": new_incoming_key(actor.tenant_id),
        "created_by_id": actor.user_id,
        "created_at": now,
        "expires_at": now + timedelta(minutes=settings.UPLOAD_MINUTES),
        "attachment_id": None,
    }
    check_storage(actor.tenant_id, uploads.announced_bytes(now) + size)
    return uploads.insert(row)


def find_bucket_address(upload: Document) -> tuple[str, dict[str, str]] | None:
    """The bucket's URL for the bytes and the headers to send with them; None where they come to us."""
    bucket = find_bucket()
    if bucket is None:
        return None
    announced = {name: upload[name] for name in ("size", "content_type", "sha256")}
    return bucket.presigned_put(upload["storage_key"], seconds=settings.UPLOAD_MINUTES * 60, **announced)


def sign_upload(upload: Document) -> str:
    """The token by which ``receive_upload`` knows the upload, as long as it lives."""
    return signing.dumps([str(upload["tenant_id"]), str(upload["_id"])], salt=_SALT)


def receive_upload(upload_id: str, token: str, chunks: Iterable[bytes], *, size: int, content_type: str) -> None:
    """Takes the bytes of an upload from whoever has its token. ``size`` is what the sender says that it is.

    Raises NotAllowed for any other token, NotFound, InvalidInput unless everything is as announced.
    """
    upload = _find_by_token(upload_id, token)
    if upload is None or find_bucket() is not None:
        raise NotFound("The upload does not exist")
    check_arrived(upload, size, content_type)
    receive(upload, chunks)


def complete_upload(actor: Actor, reference: str | ObjectId, upload_id: ObjectId) -> Document:
    """Makes an attachment of what arrived, and returns what is known about it; again, if it is one already.

    Raises InvalidInput when nothing arrived, or something else than was announced (it is removed then, and the right
    bytes may be sent until the upload expires); NotFound, NotAllowed, TicketClosed, QuotaExceeded.
    """
    upload = _access_upload(actor, reference, upload_id)
    if upload["attachment_id"] is not None:
        return access_attachment(actor, upload["attachment_id"])
    place = {"comment_id": upload["comment_id"], "visibility": upload["visibility"]}
    check_addition(actor, reference, **place)
    key = new_key(actor.tenant_id)
    try:
        measured = take_over(upload, key)
    except FileNotFoundError:
        raise InvalidInput.of("upload_id", "nothing has been sent to its address yet", "not_sent") from None
    row = describe(actor, upload["name"], upload["content_type"], key, measured)

    def claim(attachment_id: ObjectId) -> None:
        if UploadRepository(actor.tenant_id).complete(upload_id, attachment_id) is None:
            raise _CompletedAlready

    try:
        return record_attachment(actor, reference, row, claim=claim, **place)
    except _CompletedAlready:
        return access_attachment(actor, _access_upload(actor, reference, upload_id)["attachment_id"])


def _access_upload(actor: Actor, reference: str | ObjectId, upload_id: ObjectId) -> Document:
    """One's own upload for the ticket, which has not expired. Raises NotFound, NotAllowed."""
    actor.check(Action.ATTACHMENTS_ADD)
    ticket = access_ticket(actor, reference)
    own = {"_id": upload_id, "ticket_id": ticket["_id"], "created_by_id": actor.user_id}
    upload = UploadRepository(actor.tenant_id).find_one({**own, "expires_at": {"$gt": clock.now()}})
    if upload is None:
        raise NotFound("The upload does not exist, or has expired")
    return upload


def _find_by_token(upload_id: str, token: str) -> Document | None:
    try:
        tenant_id, signed_id = signing.loads(token, salt=_SALT, max_age=settings.UPLOAD_MINUTES * 60)
    except signing.BadSignature:
        raise NotAllowed("The address is not complete, or has expired") from None
    if signed_id != upload_id:
        raise NotAllowed("The address is not complete, or has expired")
    pending = {"_id": ObjectId(signed_id), "attachment_id": None, "expires_at": {"$gt": clock.now()}}
    return UploadRepository(ObjectId(tenant_id)).find_one(pending)


def _check_size(size: int) -> None:
    limit: int = settings.MAX_UPLOAD_BYTES
    if size > limit:
        message = f"a file can have {limit} bytes at most"
        raise TooLarge(message, errors=[FieldError("size", "too_large", message)], data={"limit": limit})
    if size < 1:
        raise InvalidInput.of("size", "is empty", "empty")
