"""Files: those of a ticket, and their bytes."""

from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Action
from ticketing.api.pagination import page_request, wants_count
from ticketing.api.views import ApiView
from tickets.access import access_ticket
from tickets.api import representation
from tickets.api.downloads import download
from tickets.api.inputs import CompletedUploadInput, NewAttachmentInput, without_visibility
from tickets.api.outputs import AttachmentOutput
from tickets.attachments.lists import page_of_attachments
from tickets.attachments.services import access_attachment, add_attachment
from tickets.attachments.uploads import complete_upload

FORM_BYTES = 64 * 1024  # what a form takes besides the file


class AttachmentsView(ApiView):
    """The files of a ticket, oldest first, and new ones.

    A file comes as a form (`multipart/form-data`). One too large for that is announced below `uploads`, sent to the
    address that the answer names, and added here with its `upload_id` as JSON; doing so twice gives the same answer.

    A file of a comment is seen by whoever sees the comment; `visibility` is for files without one.
    """

    actions = {"GET": Action.ATTACHMENTS_READ, "POST": Action.ATTACHMENTS_ADD}
    inputs = {"POST": NewAttachmentInput}
    json_inputs = {"POST": CompletedUploadInput}
    outputs = {"GET": AttachmentOutput, "POST": AttachmentOutput}
    paginated = True
    summary = ("name", "size", "content_type", "visibility", "created_at")
    errors = {"POST": [409]}
    tag = "attachments"

    @property
    def max_body_bytes(self) -> int:
        return int(settings.MAX_FILE_BYTES) + FORM_BYTES

    def get_serializer(self, *args: Any, **kwargs: Any) -> serializers.Serializer[Any]:
        return without_visibility(self.actor, super().get_serializer(*args, **kwargs), is_form="data" not in kwargs)

    def get(self, request: Request, id: str) -> Response:
        ticket = access_ticket(self.actor, id)
        page = page_of_attachments(self.actor, ticket, page_request(request))
        count = representation.visible_count(self.actor, ticket, "attachment_count") if wants_count(request) else None
        return self.page(
            page, [representation.attachment(row, attachment_url(request, row)) for row in page.rows], count
        )

    def post(self, request: Request, id: str) -> Response:
        wanted = self.validated()
        if "upload_id" in wanted:
            attachment = complete_upload(self.actor, id, wanted["upload_id"])
        else:
            file, comment_id = wanted.pop("file"), wanted.pop("comment", None)
            attachment = add_attachment(self.actor, id, file, comment_id=comment_id, **wanted)
        url = attachment_url(request, attachment)
        return self.created(representation.attachment(attachment, url), url)


class AttachmentView(ApiView):
    """A file's bytes, to be saved: never shown or run in the browser.

    They may come by way of a redirect to an address that is good for a minute and needs no sign-in.
    """

    actions = {"GET": Action.ATTACHMENTS_READ}
    downloads = ["GET"]
    tag = "attachments"

    def get(self, request: Request, id: str) -> HttpResponseBase:
        return download(request, access_attachment(self.actor, id))


def attachment_url(request: Request, attachment: dict[str, Any]) -> str:
    """Where an attachment's bytes are."""
    return request.build_absolute_uri(reverse("attachment", args=[attachment["_id"]]))
