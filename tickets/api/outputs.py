"""What the ticket endpoints answer, for the OpenAPI document: ``tickets.api.representation`` makes the same members."""

from rest_framework import serializers

from ticketing.api.serializers import ObjectIdField, PageInfo, StrictSerializer, UTCDateTimeField
from tickets.api.inputs import UPLOAD_ID
from tickets.conversation.models import Visibility
from tickets.models import Channel, Priority, Status, Type

_HOST = "https://acme.example/api/v1"
_TICKET_ID = "665f1c2ab7e4d2a1c0ffee10"
_URL = f"{_HOST}/tickets/{_TICKET_ID}"
_CUSTOMER = {
    "id": "665f1c2ab7e4d2a1c0ffee02",
    "name": "Carla Customer",
    "is_staff": False,
    "email": "carla@acme.example",
}
_AGENT = {"id": "665f1c2ab7e4d2a1c0ffee01", "name": "Amir Agent", "is_staff": True, "email": "amir@acme.example"}
_COMMENT = {
    "id": "665f1c2ab7e4d2a1c0ffee20",
    "ticket": _TICKET_ID,
    "author": _AGENT,
    "visibility": "public",
    "body": "Please try **another** cable.",
    "body_html": "<p>Please try <strong>another</strong> cable.</p>\n",
    "created_at": "2026-02-01T10:00:00.000Z",
    "edited_at": None,
    "version": 1,
}
_ATTACHMENT = {
    "id": "665f1c2ab7e4d2a1c0ffee30",
    "ticket": _TICKET_ID,
    "comment": None,
    "visibility": "public",
    "name": "router.log",
    "size": 5120,
    "content_type": "text/plain",
    "sniffed_type": "text/plain",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "uploaded_by": _CUSTOMER["id"],
    "created_at": "2026-02-01T09:31:00.000Z",
    "url": f"{_HOST}/attachments/665f1c2ab7e4d2a1c0ffee30",
}
_ROW = {
    "id": _TICKET_ID,
    "number": 42,
    "url": _URL,
    "title": "VPN drops every hour",
    "description": "Since Monday, **only** at home.",
    "status": "open",
    "priority": "high",
    "category": "Network",
    "type": "incident",
    "tags": ["vpn"],
    "channel": "api",
    "created_by": _CUSTOMER["id"],
    "assigned_to": _AGENT["id"],
    "team": None,
    "followers": [],
    "comment_count": 1,
    "attachment_count": 1,
    "version": 3,
    "created_at": "2026-02-01T09:30:00.000Z",
    "updated_at": "2026-02-01T10:00:00.000Z",
    "first_responded_at": "2026-02-01T10:00:00.000Z",
    "resolved_at": None,
    "closed_at": None,
    "reopened_count": 0,
    "merged_into": None,
}


class PersonOutput(StrictSerializer):
    """Somebody, as far as the reader may know him: e-mail addresses are for staff."""

    example = _CUSTOMER

    id = ObjectIdField()
    name = serializers.CharField()
    is_staff = serializers.BooleanField()
    email = serializers.EmailField(allow_null=True)


class CommentOutput(StrictSerializer):
    """A comment. Customers see public ones only."""

    example = _COMMENT

    id = ObjectIdField()
    ticket = ObjectIdField()
    author = PersonOutput(allow_null=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    body = serializers.CharField(help_text="The Markdown source")
    body_html = serializers.CharField(help_text="Sanitised HTML")
    created_at = UTCDateTimeField()
    edited_at = UTCDateTimeField(allow_null=True)
    version = serializers.IntegerField()


class ThreadOutput(StrictSerializer):
    """The first page of a ticket's comments, oldest first; the rest is at the ticket's comments."""

    data = CommentOutput(many=True)  # type: ignore[assignment] # fields are no attributes of the class
    page = PageInfo()


class AttachmentOutput(StrictSerializer):
    """What is known about a file. The sender declared ``content_type``; ``sniffed_type`` is what the bytes say."""

    example = _ATTACHMENT

    id = ObjectIdField()
    ticket = ObjectIdField()
    comment = ObjectIdField(allow_null=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes")
    content_type = serializers.CharField()
    sniffed_type = serializers.CharField()
    sha256 = serializers.CharField()
    uploaded_by = ObjectIdField(allow_null=True)
    created_at = UTCDateTimeField()
    url = serializers.URLField(help_text="Where the bytes are; needs the same sign-in")


class UploadOutput(StrictSerializer):
    """Where to send a file's bytes: this method, to this address, with these headers, before it expires."""

    example = {
        "id": UPLOAD_ID,
        "method": "PUT",
        "url": f"https://files.example/{UPLOAD_ID}?signature=…",
        "headers": {"Content-Type": "application/octet-stream"},
        "expires_at": "2026-02-01T10:31:00.000Z",
    }

    id = ObjectIdField(help_text="The `upload_id` by which the file becomes an attachment")
    method = serializers.CharField(help_text="`PUT`")
    url = serializers.URLField(help_text="Needs no sign-in, so keep it to yourself; never send it your token")
    headers = serializers.DictField(child=serializers.CharField(), help_text="To be sent with the bytes, as they are")
    expires_at = UTCDateTimeField()


class TicketRowOutput(StrictSerializer):
    """A ticket in a list. The last three members are there when ``include`` asks for them."""

    example = _ROW

    id = ObjectIdField()
    number = serializers.IntegerField(help_text="Unique in the tenant; paths take it in place of the id")
    url = serializers.URLField()
    title = serializers.CharField()
    description = serializers.CharField(help_text="The Markdown source")
    status = serializers.ChoiceField(choices=Status.choices)
    priority = serializers.ChoiceField(choices=Priority.choices)
    category = serializers.CharField()
    type = serializers.ChoiceField(choices=Type.choices)
    tags = serializers.ListField(child=serializers.CharField())
    channel = serializers.ChoiceField(choices=Channel.choices)
    created_by = ObjectIdField(help_text="The requester")
    assigned_to = ObjectIdField(allow_null=True)
    team = ObjectIdField(allow_null=True)
    followers = serializers.ListField(child=ObjectIdField())
    comment_count = serializers.IntegerField(help_text="Comments that the reader may see")
    attachment_count = serializers.IntegerField(help_text="Files that the reader may see")
    version = serializers.IntegerField()
    created_at = UTCDateTimeField()
    updated_at = UTCDateTimeField()
    first_responded_at = UTCDateTimeField(allow_null=True)
    resolved_at = UTCDateTimeField(allow_null=True)
    closed_at = UTCDateTimeField(allow_null=True)
    reopened_count = serializers.IntegerField()
    merged_into = ObjectIdField(
        allow_null=True, help_text="The ticket that goes on in place of this one; what is said here is added there"
    )
    created_by_user = PersonOutput(required=False)
    assigned_to_user = PersonOutput(required=False, allow_null=True)
    comments = ThreadOutput(required=False)


class TicketOutput(TicketRowOutput):
    """A ticket with the first page of its comments, its files and what the reader may do next."""

    example = {
        **_ROW,
        "created_by_user": _CUSTOMER,
        "assigned_to_user": _AGENT,
        "comments": {"data": [_COMMENT], "page": {"limit": 25, "has_more": False, "after": None, "before": None}},
        "description_html": "<p>Since Monday, <strong>only</strong> at home.</p>\n",
        "attachments": [_ATTACHMENT],
        "allowed_transitions": ["pending", "on_hold", "resolved", "closed"],
        "comments_url": f"{_URL}/comments",
        "attachments_url": f"{_URL}/attachments",
    }

    created_by_user = PersonOutput()
    assigned_to_user = PersonOutput(allow_null=True)
    comments = ThreadOutput()
    description_html = serializers.CharField(help_text="Sanitised HTML")
    attachments = AttachmentOutput(many=True, help_text="The first 100")
    allowed_transitions = serializers.ListField(
        child=serializers.ChoiceField(choices=Status.choices), help_text="The statuses that the reader may choose next"
    )
    comments_url = serializers.URLField()
    attachments_url = serializers.URLField()


class RelatedTicketOutput(StrictSerializer):
    """A ticket that has to do with another one."""

    example = {name: _ROW[name] for name in ("id", "number", "title", "status", "created_at")}

    id = ObjectIdField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    created_at = UTCDateTimeField()


class RelatedTicketsOutput(StrictSerializer):
    """All tickets that a ticket is linked to, at most 50, the newest first."""

    example = {"data": [RelatedTicketOutput.example]}

    data = RelatedTicketOutput(many=True)  # type: ignore[assignment] # a serializer's own is the validated input


class EventActorOutput(StrictSerializer):
    """Who did it, as he was then; ``id`` null is the platform itself, ``key`` the API key's name if it was one."""

    id = ObjectIdField(allow_null=True)
    name = serializers.CharField()
    role = serializers.CharField()
    via = serializers.CharField()
    key = serializers.CharField()


class FieldChangeOutput(StrictSerializer):
    """A member's value before and after."""

    old = serializers.JSONField()
    new = serializers.JSONField()


class EventOutput(StrictSerializer):
    """Something that happened to a ticket. Events of one change share the ticket's version that it made."""

    example = {
        "id": "665f1c2ab7e4d2a1c0ffee40",
        "ticket": _TICKET_ID,
        "type": "ticket.status_changed",
        "version": 2,
        "actor": {"id": _AGENT["id"], "name": "Amir Agent", "role": "agent", "via": "console", "key": ""},
        "changes": {"status": {"old": "new", "new": "open"}},
        "data": {},
        "at": "2026-02-01T10:00:00.000Z",
    }

    id = ObjectIdField()
    ticket = ObjectIdField()
    type = serializers.CharField(help_text="In dotted past tense, such as ticket.status_changed")
    version = serializers.IntegerField()
    actor = EventActorOutput()
    changes = serializers.DictField(child=FieldChangeOutput())
    data = serializers.DictField(child=serializers.JSONField())  # type: ignore[assignment]
    at = UTCDateTimeField()


class CountsField(serializers.DictField):
    """How many tickets have each value."""

    child = serializers.IntegerField()


class DayOutput(StrictSerializer):
    """What happened on a day (UTC)."""

    date = serializers.DateField()
    created = serializers.IntegerField()
    resolved = serializers.IntegerField()


class TimesOutput(StrictSerializer):
    """How long the tickets took that were done on the days of `per_day`, to within 5 %. `null`: there were none."""

    count = serializers.IntegerField()
    median_seconds = serializers.IntegerField(allow_null=True)
    p90_seconds = serializers.IntegerField(allow_null=True)


class StatsOutput(StrictSerializer):
    """Counts by each value. Ids stand for people and teams, `none` for nobody."""

    example = {
        "total": 3,
        "status": {"new": 1, "open": 1, "pending": 0, "on_hold": 0, "resolved": 1, "closed": 0},
        "priority": {"low": 0, "normal": 2, "high": 1, "urgent": 0},
        "type": {"question": 2, "incident": 1, "problem": 0, "task": 0},
        "category": {"Network": 2, "Printers": 1},
        "assigned_to": {_AGENT["id"]: 2, "none": 1},
        "team": {"none": 3},
        "other_categories": 0,
        "age": {"today": 1, "1-2": 1, "3-6": 0, "7-29": 0, "30-89": 0, "90+": 0},
        "per_day": [{"date": "2026-02-01", "created": 3, "resolved": 1}],
        "first_response_time": {"count": 2, "median_seconds": 2870, "p90_seconds": 7440},
        "resolution_time": {"count": 1, "median_seconds": 90262, "p90_seconds": 90262},
    }

    total = serializers.IntegerField()
    status = CountsField()
    priority = CountsField()
    type = CountsField()
    category = CountsField()
    assigned_to = CountsField()
    team = CountsField()
    other_categories = serializers.IntegerField(help_text="Tickets of categories beyond the first 500")
    age = CountsField(help_text="Unresolved tickets by age in days")
    per_day = DayOutput(many=True)
    first_response_time = TimesOutput(help_text="From opening to the first public answer by staff")
    resolution_time = TimesOutput(help_text="From opening to the resolution that stands")
