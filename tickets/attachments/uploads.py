"""Files too large for a form: announced, sent to an address of their own, then made an attachment.

Nothing is half done: until the last step there is a row that expires and bytes that nobody sees, and `expiring` removes
both. The last step is one transaction, which names the attachment in the row, so that there is never a second one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.core.files.storage import default_storage

from accounts.actor import Actor
from accounts.roles import Action
from tenants.quotas import check_storage
from ticketing import clock
from ticketing.errors import (
    Conflict,
    FieldError,
    InvalidInput,
    NotAllowed,
    NotFound,
    StorageUnavailable,
    TicketingError,
    TooLarge,
)
from ticketing.mongo import ObjectId
from ticketing.mongo.repository import Document
from tickets.access import access_ticket_to_answer
from tickets.attachments.arriving import receive, take_over
from tickets.attachments.files import find_bucket, new_incoming_key, new_key
from tickets.attachments.repository import UploadRepository
from tickets.attachments.rules import check_arrived, check_type, clean_name
from tickets.attachments.services import (
    access_attachment,
    check_addition,
    describe,
    insert_attachment,
    record_attachment,
)
from tickets.conversation.models import Visibility
from tickets.rules import check_choice

KEPT_FOR = timedelta(days=1)  # less than the two days after which buckets expire what arrived (see operators.md)
_SALT = "tickets.attachments.uploads"


class _CompletedAlready(Conflict):
    """Another completion was faster."""

    title = "The file is attached already"


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
    ticket, visible_as, comment, _ = check_addition(actor, reference, comment_id, visibility)
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
    row = _take_over(actor, upload)
    try:
        return record_attachment(actor, reference, row, claim=_claim(actor, upload_id), **place)
    except _CompletedAlready:
        return access_attachment(actor, _access_upload(actor, reference, upload_id)["attachment_id"])


@dataclass(frozen=True, slots=True)
class Taken:
    """An upload whose file is at its place already, and that is an attachment once ``attach_taken`` has committed."""

    upload_id: ObjectId
    row: Document


@contextmanager
def taken_over(actor: Actor, reference: str | ObjectId, upload_ids: Iterable[ObjectId]) -> Iterator[list[Taken]]:
    """One's own uploads for the ticket, to be attached within the block in a transaction with what they belong to.

    When the block ends with an error, their files are as before. Raises as ``complete_upload``.
    """
    taken: list[Taken] = []
    try:
        for upload_id in upload_ids:
            upload = _access_upload(actor, reference, upload_id)
            if upload["attachment_id"] is None:
                taken.append(Taken(upload_id, _take_over(actor, upload)))
        yield taken
    except TicketingError as error:
        # A commit that failed may have happened all the same: then `manage.py sweep_files` decides.
        if not isinstance(error, StorageUnavailable):
            for each in taken:
                default_storage.delete(each.row["storage_key"])
        raise


def attach_taken(
    actor: Actor, reference: str | ObjectId, taken: Taken, *, comment_id: ObjectId | None, visibility: str
) -> Document:
    """Makes the upload an attachment of the ticket or comment; within a transaction. Raises as ``complete_upload``."""
    claim = _claim(actor, taken.upload_id)
    return insert_attachment(actor, reference, taken.row, comment_id=comment_id, visibility=visibility, claim=claim)


def find_uploads(actor: Actor, ticket: Document, upload_ids: Sequence[ObjectId]) -> list[Document]:
    """Those that are one's own for a ticket that the actor has accessed, and have neither expired nor become
    attachments, in the given order."""
    pending = {**_own(actor, ticket), "_id": {"$in": list(upload_ids)}, "attachment_id": None}
    found = UploadRepository(actor.tenant_id).find(pending) if upload_ids else []
    return sorted(found, key=lambda upload: upload_ids.index(upload["_id"]))


def keep_uploads(actor: Actor, uploads: Iterable[Document]) -> None:
    """Lets what has arrived wait for a day, for somebody who has not finished writing."""
    for upload in uploads:
        last = upload["created_at"] + KEPT_FOR
        if upload["expires_at"] < last:
            UploadRepository(actor.tenant_id).update_where({"_id": upload["_id"]}, {"expires_at": last})


def discard_upload(actor: Actor, reference: str | ObjectId, upload_id: ObjectId) -> None:
    """Lets go of an upload that has not become an attachment: the job removes it. Raises NotFound, NotAllowed."""
    upload = _access_upload(actor, reference, upload_id)
    pending = {"_id": upload["_id"], "attachment_id": None}
    UploadRepository(actor.tenant_id).update_where(pending, {"expires_at": clock.now()})


def _take_over(actor: Actor, upload: Document) -> Document:
    """Copies what has arrived to a place of its own and tells what is known about it."""
    key = new_key(actor.tenant_id)
    try:
        measured = take_over(upload, key)
    except FileNotFoundError:
        raise InvalidInput.of("upload_id", "nothing has been sent to its address yet", "not_sent") from None
    return describe(actor, upload["name"], upload["content_type"], key, measured)


def _claim(actor: Actor, upload_id: ObjectId) -> Callable[[ObjectId], None]:
    def claim(attachment_id: ObjectId) -> None:
        if UploadRepository(actor.tenant_id).complete(upload_id, attachment_id) is None:
            raise _CompletedAlready

    return claim


def _own(actor: Actor, ticket: Document) -> Document:
    """Also what was announced for a ticket before that was merged into this one."""
    tickets = {"$in": [ticket["_id"], *(ticket.get("merged_ids") or ())]}
    return {"ticket_id": tickets, "created_by_id": actor.user_id, "expires_at": {"$gt": clock.now()}}


def _access_upload(actor: Actor, reference: str | ObjectId, upload_id: ObjectId) -> Document:
    """One's own upload for the ticket, which has not expired. Raises NotFound, NotAllowed."""
    actor.check(Action.ATTACHMENTS_ADD)
    ticket, _ = access_ticket_to_answer(actor, reference)
    upload = UploadRepository(actor.tenant_id).find_one({"_id": upload_id, **_own(actor, ticket)})
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
