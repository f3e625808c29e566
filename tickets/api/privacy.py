"""Privacy, for a tenant's admins: erasing people, legal holds, and what retention removes."""

from dataclasses import asdict
from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import access_user
from accounts.roles import Action
from tenants.rules import LONGEST_RETENTION_DAYS
from tenants.services import change_settings, get_tenant
from ticketing.api.pagination import COUNT_CAP, page_request, wants_count
from ticketing.api.serializers import LineField, ObjectIdField, StrictSerializer, TextField, UTCDateTimeField
from ticketing.api.views import ApiView
from ticketing.mongo.repository import Document
from tickets.privacy.erasure import access_erasure, count_erasures, page_of_erasures, request_erasure
from tickets.privacy.holds import access_hold, count_holds, lift_hold, page_of_holds, place_hold
from tickets.privacy.models import ErasureState, HoldTarget
from tickets.privacy.retention import preview_retention
from tickets.privacy.rules import MAX_REASON

_USER_ID, _ADMIN_ID = "665f1c2ab7e4d2a1c0ffee02", "665f1c2ab7e4d2a1c0ffee01"
_COUNTS = {"users": 1, "events": 12, "tickets": 3, "comments": 7, "attachments": 2, "attachment_bytes": 5120}
_ERASURE = {
    "id": "665f1c2ab7e4d2a1c0ffee40",
    "user": _USER_ID,
    "pseudonym": "erased-9f86d081884c",
    "content": True,
    "state": "done",
    "hold": None,
    "counts": _COUNTS,
    "requested_by": _ADMIN_ID,
    "requested_at": "2026-02-01T09:30:00.000Z",
    "finished_at": "2026-02-01T09:31:00.000Z",
    "receipt": {
        "format": 1,
        "erasure": "665f1c2ab7e4d2a1c0ffee40",
        "tenant": "acme",
        "user": _USER_ID,
        "pseudonym": "erased-9f86d081884c",
        "content_removed": True,
        "requested_by": _ADMIN_ID,
        "requested_via": "api",
        "requested_at": "2026-02-01T09:30:00.000+00:00",
        "finished_at": "2026-02-01T09:31:00.000+00:00",
        "counts": _COUNTS,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
}
_HOLD = {
    "id": "665f1c2ab7e4d2a1c0ffee50",
    "target": "user",
    "target_id": _USER_ID,
    "reason": "Litigation 2026-17",
    "placed_by": _ADMIN_ID,
    "placed_at": "2026-02-01T09:30:00.000Z",
    "lifted_by": None,
    "lifted_at": None,
}


class EraseInput(StrictSerializer):
    """``content`` also removes the text and files of the tickets he opened, and of what he wrote on others."""

    example = {"content": True}

    content = serializers.BooleanField(required=False, default=False)


class ErasureOutput(StrictSerializer):
    """``hold`` is the legal hold that stops it meanwhile; ``receipt`` is null until it is done."""

    example = _ERASURE

    id = ObjectIdField()
    user = ObjectIdField()
    pseudonym = serializers.CharField()
    content = serializers.BooleanField()
    state = serializers.ChoiceField(ErasureState.choices)
    hold = ObjectIdField(allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField())
    requested_by = ObjectIdField(allow_null=True)
    requested_at = UTCDateTimeField()
    finished_at = UTCDateTimeField(allow_null=True)
    receipt = serializers.DictField(allow_null=True)


class HoldInput(StrictSerializer):
    """``reference`` is the ticket's id or number, or the user's id or address; left out for everything (``tenant``)."""

    example = {"target": "user", "reference": _USER_ID, "reason": "Litigation 2026-17"}

    target = serializers.ChoiceField(HoldTarget.choices)
    reference = LineField(max_length=254, required=False, allow_blank=True, default="")
    reason = TextField(max_length=MAX_REASON)


class HoldOutput(StrictSerializer):
    """``placed_by`` is null where a command did."""

    example = _HOLD

    id = ObjectIdField()
    target = serializers.ChoiceField(HoldTarget.choices)
    target_id = ObjectIdField()
    reason = serializers.CharField()
    placed_by = ObjectIdField(allow_null=True)
    placed_at = UTCDateTimeField()
    lifted_by = ObjectIdField(allow_null=True)
    lifted_at = UTCDateTimeField(allow_null=True)


class RetentionInput(StrictSerializer):
    """Days; 0 keeps for ever."""

    example = {"retention_ticket_days": 730, "retention_user_days": 365}

    retention_ticket_days = serializers.IntegerField(min_value=0, max_value=LONGEST_RETENTION_DAYS)
    retention_user_days = serializers.IntegerField(min_value=0, max_value=LONGEST_RETENTION_DAYS)


class RetentionOutput(RetentionInput):
    """``version`` is that of the tenant's settings."""

    example = {**RetentionInput.example, "version": 4}

    version = serializers.IntegerField()


class PreviewOutput(StrictSerializer):
    """``is_complete`` is false where there is more than what was counted; ``sample`` are numbers of tickets."""

    example = {
        "tickets": 120,
        "comments": 480,
        "attachments": 35,
        "attachment_bytes": 10485760,
        "users": 2,
        "held_tickets": 1,
        "held_users": 0,
        "oldest_closed_at": "2024-01-05T08:00:00.000Z",
        "newest_closed_at": "2024-02-01T17:00:00.000Z",
        "is_complete": True,
        "sample": [17, 18, 21],
        "sample_users": [_USER_ID],
    }

    tickets = serializers.IntegerField()
    comments = serializers.IntegerField()
    attachments = serializers.IntegerField()
    attachment_bytes = serializers.IntegerField()
    users = serializers.IntegerField()
    held_tickets = serializers.IntegerField()
    held_users = serializers.IntegerField()
    oldest_closed_at = UTCDateTimeField(allow_null=True)
    newest_closed_at = UTCDateTimeField(allow_null=True)
    is_complete = serializers.BooleanField()
    sample = serializers.ListField(child=serializers.IntegerField())
    sample_users = serializers.ListField(child=ObjectIdField())


class EraseUserView(ApiView):
    """Erases a person for good.

    His name and address become a pseudonym and his sessions, tokens and keys end before the answer; the rest follows
    within minutes (`GET` the erasure). Counts and statistics stay. Asking again answers with the same erasure.
    """

    tag = "privacy"
    actions = {"POST": Action.PRIVACY_MANAGE}
    inputs = {"POST": EraseInput}
    outputs = {"POST": ErasureOutput}
    statuses = {"POST": 202}
    errors = {"POST": [404, 409]}

    def post(self, request: Request, id: str) -> Response:
        user = access_user(self.actor, id)
        erasure = request_erasure(self.actor, user.pk, **self.validated())
        response = self.answer(_erasure(erasure), status=202)
        response["Location"] = request.build_absolute_uri(reverse("erasure", args=[erasure["_id"]]))
        return response


class ErasuresView(ApiView):
    """Who was erased, the latest first."""

    tag = "privacy"
    actions = {"GET": Action.PRIVACY_MANAGE}
    outputs = {"GET": ErasureOutput}
    paginated = True
    summary = ("pseudonym", "content", "state", "requested_at", "finished_at")

    def get(self, request: Request) -> Response:
        page = page_of_erasures(self.actor, page_request(request))
        count = count_erasures(self.actor, cap=COUNT_CAP + 1) if wants_count(request) else None
        return self.page(page, [_erasure(row) for row in page.rows], count)


class ErasureView(ApiView):
    """How far an erasure is, and its receipt in the end."""

    tag = "privacy"
    actions = {"GET": Action.PRIVACY_MANAGE}
    outputs = {"GET": ErasureOutput}

    def get(self, request: Request, id: str) -> Response:
        return self.answer(_erasure(access_erasure(self.actor, id)))


class HoldsView(ApiView):
    """Legal holds, the latest first, and new ones. What is on hold is neither erased nor removed by retention."""

    tag = "privacy"
    actions = {"GET": Action.PRIVACY_MANAGE, "POST": Action.PRIVACY_MANAGE}
    inputs = {"POST": HoldInput}
    outputs = {"GET": HoldOutput, "POST": HoldOutput}
    errors = {"POST": [404]}
    paginated = True
    summary = ("target", "target_id", "reason", "placed_at", "lifted_at")

    def get(self, request: Request) -> Response:
        page = page_of_holds(self.actor, page_request(request))
        count = count_holds(self.actor, cap=COUNT_CAP + 1) if wants_count(request) else None
        return self.page(page, [_hold(row) for row in page.rows], count)

    def post(self, request: Request) -> Response:
        hold = place_hold(self.actor, **self.validated())
        return self.created(_hold(hold), reverse("hold", args=[hold["_id"]]))


class HoldView(ApiView):
    """A legal hold."""

    tag = "privacy"
    actions = {"GET": Action.PRIVACY_MANAGE}
    outputs = {"GET": HoldOutput}

    def get(self, request: Request, id: str) -> Response:
        return self.answer(_hold(access_hold(self.actor, id)))


class LiftHoldView(ApiView):
    """Ends a legal hold. It stays on record."""

    tag = "privacy"
    actions = {"POST": Action.PRIVACY_MANAGE}
    outputs = {"POST": HoldOutput}
    statuses = {"POST": 200}
    errors = {"POST": [404]}

    def post(self, request: Request, id: str) -> Response:
        return self.answer(_hold(lift_hold(self.actor, id)))


class RetentionView(ApiView):
    """How long closed tickets keep their text and files, and deactivated accounts their name. 0 is for ever."""

    tag = "privacy"
    versioned = True
    actions = {"GET": Action.PRIVACY_MANAGE, "PATCH": Action.PRIVACY_MANAGE}
    inputs = {"PATCH": RetentionInput}
    outputs = {"GET": RetentionOutput, "PATCH": RetentionOutput}

    def get(self, request: Request) -> Response:
        return self._answer(get_tenant(self.actor.tenant_id))

    def patch(self, request: Request) -> Response:
        """Removal begins with the next daily run; look at the preview first."""
        tenant = get_tenant(self.actor.tenant_id)
        version = self.expected_version(tenant.version)
        return self._answer(change_settings(tenant, self.validated(), expected_version=version, by=self.actor.by))

    def _answer(self, tenant: Any) -> Response:
        names = (*RetentionInput._declared_fields, "version")
        return self.answer({name: getattr(tenant, name) for name in names}, version=tenant.version)


class RetentionPreviewView(ApiView):
    """What the next run of retention would remove, and what legal holds keep from it. Removes nothing."""

    tag = "privacy"
    actions = {"GET": Action.PRIVACY_MANAGE}
    outputs = {"GET": PreviewOutput}

    def get(self, request: Request) -> Response:
        return self.answer(asdict(preview_retention(self.actor)))


def _erasure(row: Document) -> Document:
    same = ("pseudonym", "content", "state", "counts", "requested_at", "finished_at", "receipt")
    ids = {"id": row["_id"], "user": row["user_id"], "hold": row["hold_id"], "requested_by": row["requested_by_id"]}
    return {**ids, **{name: row[name] for name in same}}


def _hold(row: Document) -> Document:
    same = ("target", "target_id", "reason", "placed_at", "lifted_at")
    ids = {"id": row["_id"], "placed_by": row["placed_by_id"], "lifted_by": row["lifted_by_id"]}
    return {**ids, **{name: row[name] for name in same}}
