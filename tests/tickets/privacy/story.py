"""Somebody who leaves his mark in every text that the platform keeps of him, and where such marks are to be found."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django_mongodb_backend.fields import ArrayField

from accounts.keys import create_api_key
from accounts.models import User
from accounts.passwords import create_invitation
from accounts.roles import Role
from accounts.services import change_profile, change_user
from accounts.sign_in import sign_in
from tests.cast import Cast, actor_of, api, make_user
from ticketing.clock import now
from ticketing.errors import NotAuthenticated
from ticketing.mongo.client import get_database
from tickets.attachments.files import new_incoming_key
from tickets.attachments.repository import UploadRepository
from tickets.attachments.services import add_attachment
from tickets.canned_replies.services import create_canned_reply
from tickets.conversation.services import add_comment, edit_comment
from tickets.drafts.sending import Answer
from tickets.drafts.services import save_draft, schedule_draft
from tickets.privacy.holds import lift_hold, place_hold
from tickets.saved_views.services import save_view
from tickets.services import change_ticket, follow_ticket, open_ticket

MARK = "zzmark"


@dataclass
class Story:
    """``user`` has written on a ticket of his own and on one of Carl's."""

    user: User
    own: Any
    others: Any
    marks: Iterator[int] = field(default_factory=count)

    @property
    def mark(self) -> str:
        """A word that nobody else uses."""
        return f"{MARK}{next(self.marks)}"


def tell(cast: Cast, role: Role = Role.USER) -> Story:
    """What somebody of acme does in the course of time."""
    user = make_user(cast.acme, f"{MARK}.first@example.test", f"{MARK} First", role, external_id=f"{MARK}-crm")
    story = Story(user, None, None)
    me, admin, amir = actor_of(user), actor_of(cast.ada), actor_of(cast.amir)
    story.own = open_ticket(me, title=f"Ticket {story.mark}", description=f"It **burns** {story.mark}", category="fire")
    story.others = open_ticket(actor_of(cast.carl), title="Carl's printer", description="Carl's own words")
    story.others = change_ticket(amir, story.others["_id"], {"followers": [user.pk, cast.carla.pk]})
    for ticket in (story.own, story.others):
        _write(story, ticket)
        add_comment(amir, ticket["_id"], "An answer of Amir's")
    change_ticket(me, story.own["_id"], {"title": f"Ticket, again {story.mark}", "description": story.mark})
    posted = {"body": f"Sent once {story.mark}"}
    sent = api(user).post(f"/api/v1/tickets/{story.own['_id']}/comments", posted, headers={"Idempotency-Key": "once"})
    assert sent.status_code == 201, sent.content
    lift_hold(admin, place_hold(admin, target="ticket", reference=str(story.own["_id"]), reason=story.mark)["_id"])
    lift_hold(admin, place_hold(admin, target="user", reference=str(user.pk), reason=story.mark)["_id"])
    create_invitation(admin, user.pk)
    change_user(admin, user.pk, {"email": f"{MARK}.second@example.test"})
    change_profile(me, {"name": f"{MARK} Second"})
    _begin_to_send(story)
    _fail_to_sign_in(cast, user)
    if role != Role.USER:
        create_api_key(admin, name=f"{MARK} key", scopes=["tickets:write"], owner_id=user.pk)
        follow_ticket(me, story.own["_id"])
        add_comment(me, story.others["_id"], f"A note {story.mark}", visibility="internal")
        _keep_a_desk(story)
    save_draft(amir, story.own["_id"], body=f"You wrote: {story.mark}")
    if role == Role.ADMIN:
        change_user(me, cast.carla.pk, {"name": "Carla, renamed"})
    story.user = User.from_document(get_database()["users"].find_one({"_id": user.pk}))
    return story


def _write(story: Story, ticket: Any) -> None:
    me = actor_of(story.user)
    comment = add_comment(me, ticket["_id"], f"An answer {story.mark}")
    edit_comment(me, comment["_id"], f"A better answer {story.mark}")
    upload = SimpleUploadedFile(f"{story.mark}.txt", f"A file {story.mark}".encode(), "text/plain")
    add_attachment(me, ticket["_id"], upload, comment_id=comment["_id"])
    add_attachment(me, ticket["_id"], SimpleUploadedFile(f"{story.mark}.txt", f"Bare {story.mark}".encode()))


def _keep_a_desk(story: Story) -> None:
    """What agents have for themselves."""
    me = actor_of(story.user)
    save_draft(me, story.others["_id"], body=f"Half an answer {story.mark}")
    renamed = Answer(f"A waiting answer {story.mark}", changes={"title": f"Renamed {story.mark}"})
    schedule_draft(me, story.own["_id"], renamed)
    create_canned_reply(me, name=f"Greeting {story.mark}", body=f"Yours, {story.mark}")
    save_view(me, name=f"View {story.mark}", query=f"q={story.mark}")


def _begin_to_send(story: Story) -> None:
    """Bytes that came, and have not become an attachment yet."""
    tenant_id, at = story.user.tenant_id, now()
    key = default_storage.save(new_incoming_key(tenant_id), ContentFile(story.mark.encode()))
    upload = {"ticket_id": story.others["_id"], "comment_id": None, "visibility": "public", "name": story.mark}
    upload |= {"size": 7, "content_type": "text/plain", "sha256": "", "storage_key": key, "attachment_id": None}
    UploadRepository(tenant_id).insert({**upload, "created_by_id": story.user.pk, "created_at": at, "expires_at": at})


def _fail_to_sign_in(cast: Cast, user: User) -> None:
    try:
        sign_in(cast.acme, user.email, "wrong", "192.0.2.1")
    except NotAuthenticated:
        return
    raise AssertionError("the password was right")


def marked_fields() -> set[str]:
    """``collection.field`` of every stored value with a mark in it."""
    database = get_database()
    return {
        f"{name}.{field}"
        for name in database.list_collection_names()
        for document in database[name].find()
        for field, value in document.items()
        if MARK in repr(value).lower()
    }


def marked_files() -> set[str]:
    """The stored files with a mark in name or content."""
    files = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    return {str(path) for path in files if MARK in path.name or MARK.encode() in path.read_bytes()}


def text_fields() -> set[str]:
    """``collection.field`` of everything in which a tenant's data can hold free text."""
    return {
        f"{model._meta.db_table}.{each.column}"
        for model in apps.get_models()
        if model._meta.app_label in ("tickets", "accounts", "tenants", "ticketing")
        for each in model._meta.concrete_fields
        if _is_text(each) and not each.choices and not each.primary_key
    }


def _is_text(each: Any) -> bool:
    if isinstance(each, ArrayField):
        return _is_text(each.base_field)
    return isinstance(each, models.CharField | models.TextField | models.JSONField)
