"""Exports of everything a tenant owns, for its admins."""

from typing import Any

from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Action
from ticketing.api.pagination import COUNT_CAP, page_request, wants_count
from ticketing.api.serializers import ObjectIdField, StrictSerializer, UTCDateTimeField
from ticketing.api.views import ApiView
from tickets.api.downloads import download
from tickets.transfer.exports import (
    access_archive,
    access_export,
    count_exports,
    is_kept,
    page_of_exports,
    remove_export,
    request_export,
)
from tickets.transfer.models import ExportState


class ExportOutput(StrictSerializer):
    """``progress`` is in percent; ``url``, ``bytes``, ``sha256`` and ``expires_at`` are null until it is done."""

    example = {
        "id": "665f1c2ab7e4d2a1c0ffee60",
        "state": "done",
        "progress": 100,
        "bytes": 1048576,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "error": "",
        "requested_by": "665f1c2ab7e4d2a1c0ffee01",
        "requested_at": "2026-02-01T09:30:00.000Z",
        "finished_at": "2026-02-01T09:31:00.000Z",
        "expires_at": "2026-02-08T09:31:00.000Z",
        "url": "https://acme.example/api/v1/exports/665f1c2ab7e4d2a1c0ffee60/download",
    }

    id = ObjectIdField()
    state = serializers.ChoiceField(ExportState.choices)
    progress = serializers.IntegerField()
    bytes = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True)
    error = serializers.CharField()
    requested_by = ObjectIdField(allow_null=True)
    requested_at = UTCDateTimeField()
    finished_at = UTCDateTimeField(allow_null=True)
    expires_at = UTCDateTimeField(allow_null=True)
    url = serializers.URLField(allow_null=True)


class ExportsView(ApiView):
    """Exports of everything the tenant owns, the latest first, and new ones.

    An export is made in the background; follow its `Location`. One is under way at a time. It holds no password and no
    API key. It is removed after some days.
    """

    tag = "exports"
    actions = {"GET": Action.EXPORTS_MANAGE, "POST": Action.EXPORTS_MANAGE}
    outputs = {"GET": ExportOutput, "POST": ExportOutput}
    statuses = {"POST": 202}
    errors = {"POST": [409]}
    paginated = True
    summary = ("state", "progress", "bytes", "requested_at", "expires_at", "url")

    def get(self, request: Request) -> Response:
        page = page_of_exports(self.actor, page_request(request))
        count = count_exports(self.actor, cap=COUNT_CAP + 1) if wants_count(request) else None
        return self.page(page, [_show(request, row) for row in page.rows], count)

    def post(self, request: Request) -> Response:
        export = request_export(self.actor)
        response = self.answer(_show(request, export), status=202)
        response["Location"] = request.build_absolute_uri(reverse("export", args=[export["_id"]]))
        return response


class ExportView(ApiView):
    """How far an export is."""

    tag = "exports"
    actions = {"GET": Action.EXPORTS_MANAGE, "DELETE": Action.EXPORTS_MANAGE}
    outputs = {"GET": ExportOutput}

    def get(self, request: Request, id: str) -> Response:
        return self.answer(_show(request, access_export(self.actor, id)))

    def delete(self, request: Request, id: str) -> Response:
        """Removes an export, or gives it up while it is under way."""
        remove_export(self.actor, id)
        return Response(status=204)


class ExportDownloadView(ApiView):
    """The archive: a zip file of JSON lines, the attachments and a manifest with checksums.

    It may come by way of a redirect to an address that is good for a minute and needs no sign-in.
    """

    tag = "exports"
    actions = {"GET": Action.EXPORTS_MANAGE}
    downloads = ["GET"]
    errors = {"GET": [409]}

    def get(self, request: Request, id: str) -> HttpResponseBase:
        return download(request, access_archive(self.actor, id))


def _show(request: Request, row: dict[str, Any]) -> dict[str, Any]:
    same = ("state", "bytes", "sha256", "error", "requested_at", "finished_at", "expires_at")
    is_done = row["state"] == ExportState.DONE
    address = reverse("export-download", args=[row["_id"]])
    url = request.build_absolute_uri(address) if is_done and is_kept(row) else None
    progress = 100 if is_done else row["steps_done"] * 100 // max(1, row["steps"])
    ids = {"id": row["_id"], "requested_by": row["requested_by_id"]}
    return {**ids, "progress": progress, "url": url, **{name: row[name] for name in same}}
