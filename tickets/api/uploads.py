"""Files too large for a form: announcing one, and the address for its bytes where no bucket takes them."""

from functools import partial
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Action
from ticketing.api.views import ApiView, Parameter
from ticketing.mongo.repository import Document
from tickets.api.inputs import NewUploadInput, without_visibility
from tickets.api.outputs import UploadOutput
from tickets.attachments.uploads import announce_upload, find_bucket_address, receive_upload, sign_upload

CHUNK_BYTES = 64 * 1024


class UploadsView(ApiView):
    """Announces a file for a ticket that is too large for a form, up to 100 MiB.

    Send its bytes to the `url` of the answer, with its `method` and `headers` and without your token. Then add it to
    the ticket's attachments by its `id`. What is not added before it expires is removed.
    """

    actions = {"POST": Action.ATTACHMENTS_ADD}
    inputs = {"POST": NewUploadInput}
    outputs = {"POST": UploadOutput}
    statuses = {"POST": 201}
    errors = {"POST": [409]}
    tag = "attachments"

    def get_serializer(self, *args: Any, **kwargs: Any) -> serializers.Serializer[Any]:
        return without_visibility(self.actor, super().get_serializer(*args, **kwargs), is_form="data" not in kwargs)

    def post(self, request: Request, id: str) -> Response:
        wanted = self.validated()
        upload = announce_upload(self.actor, id, comment_id=wanted.pop("comment", None), **wanted)
        url, headers = find_bucket_address(upload) or _own_address(request, upload)
        answer = {"id": upload["_id"], "method": "PUT", "url": url, "headers": headers}
        return self.answer({**answer, "expires_at": upload["expires_at"]}, status=201)


class UploadView(ApiView):
    """Takes the bytes of an announced file: the whole body, from whoever has the token in the address."""

    public = True
    authentication_classes = []
    schema = None  # an address to use as it was answered; with a bucket it is the bucket's
    parameters = {"PUT": [Parameter("token", "The token of the address.")]}
    tag = "attachments"

    @property
    def max_body_bytes(self) -> int:
        return int(settings.MAX_UPLOAD_BYTES)

    def put(self, request: Request, id: str) -> Response:
        size, content_type = int(request.META.get("CONTENT_LENGTH") or 0), request.META.get("CONTENT_TYPE", "")
        chunks = iter(partial(request._request.read, CHUNK_BYTES), b"")
        token = request.query_params.get("token", "")
        receive_upload(id, token, chunks, size=size, content_type=content_type)
        return Response()


def _own_address(request: Request, upload: Document) -> tuple[str, dict[str, str]]:
    url = request.build_absolute_uri(reverse("upload", args=[upload["_id"]]))
    return f"{url}?{urlencode({'token': sign_upload(upload)})}", {"Content-Type": upload["content_type"]}
