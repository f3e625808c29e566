"""Two tenants that have everything, and could be taken for one another; every text of globex says "globex"."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest

from accounts.actor import Actor
from accounts.keys import create_api_key
from accounts.models import User
from accounts.roles import KEY_SCOPES, Role
from accounts.sessions import open_session
from accounts.teams import create_team
from tenants.services import get_tenant
from tests.cast import Cast, actor_of, make_user, new_cast
from tests.isolation.snapshot import Snapshot
from ticketing.clock import now
from ticketing.mongo import ObjectId
from ticketing.mongo.client import get_database
from tickets.attachments.services import add_attachment
from tickets.attachments.uploads import announce_upload, receive_upload, sign_upload
from tickets.bulk.services import Selected, apply_bulk_change, begin_bulk_change
from tickets.canned_replies.services import create_canned_reply
from tickets.conversation.services import add_comment
from tickets.drafts.services import save_draft
from tickets.privacy.erasure import continue_erasure, request_erasure
from tickets.privacy.holds import place_hold
from tickets.saved_views.services import save_view
from tickets.services import change_ticket, open_ticket
from tickets.transfer.exports import make_pending_export, request_export

Credentials = Mapping[str, str]  # META of a test request
ROLES = ("nobody", "user", "agent", "admin", "key", "operator")
VERSION = 50  # of the ticket that everything is about
_OBJECT_ID = re.compile(r'"\$oid": ?"([0-9a-f]{24})"')
_EMAIL = re.compile(r"[\w.]+@globex\.test")


@dataclass(frozen=True)
class Ids:
    """What a request can name: of one's own tenant, of another, or nothing at all (`missing`)."""

    tenant: str
    ticket: str
    number: str  # one that the other tenant has not
    others_ticket: str  # opened by `user`, not by `customer`
    comment: str
    note: str
    attachment: str
    internal_attachment: str
    upload: str
    agent: str
    customer: str
    user: str
    team: str
    key: str
    erasure: str
    export: str
    hold: str
    mention: str
    view: str
    canned: str
    bulk: str
    email: str
    word: str
    category: str
    tag: str

    def values(self) -> dict[str, str]:
        values: dict[str, str] = vars(self)
        return values


MISSING = Ids(
    **{name: f"{position:02}" * 12 for position, name in enumerate(Ids.__annotations__, 10)}
    | {"number": "70708", "email": "nobody@nowhere.test", "word": "zxnowhere", "category": "zxnowhere-category"}
    | {"tag": "zxnowhere-tag"}
)


@dataclass
class World:
    """`own` is Carla's view of acme, `foreign` what globex has; `secrets` must never reach anybody of acme."""

    cast: Cast
    own: Ids
    own_of_role: Mapping[str, Ids]
    foreign: Ids
    api: Mapping[str, Credentials]
    console: Mapping[str, Credentials]
    foreign_admin: Credentials
    secrets: re.Pattern[str]
    snapshot: Snapshot

    def own_of(self, role: str) -> Ids:
        """What somebody in the role would change: the comment is one of his own."""
        return self.own_of_role.get(role, self.own)


def build_world() -> World:
    cast = new_cast()
    notewriter = make_user(cast.acme, "nora@acme.test", "Nora Notewriter", Role.AGENT)
    own = _fill(cast.ada, cast.amir, cast.carla, cast.carl, notewriter, "acme")
    _brand_globex(cast)
    foreign = _fill(
        cast.gina,
        make_user(cast.globex, "gordon@globex.test", "Gordon Globex", Role.AGENT),
        cast.greta,
        make_user(cast.globex, "gerda@globex.test", "Gerda Globex"),
        cast.gus,
        "globex",
    )
    people = {"user": cast.carla, "agent": cast.amir, "admin": cast.ada}
    operator = {"HTTP_COOKIE": cookie_of(cast.olga)}
    tokens = {role: token_of(user) for role, user in people.items()}
    cookies = {role: {"HTTP_COOKIE": cookie_of(user)} for role, user in people.items()}
    by_staff = {
        role: replace(own, comment=str(add_comment(actor_of(user), own.ticket, f"Seen by {role}")["_id"]))
        for role, user in (("agent", cast.amir), ("admin", cast.ada))
    }
    api_key = _key(cast.ada)
    foreign_admin = token_of(cast.gina)
    get_database()["tickets"].update_many({"title": "Printer on fire"}, {"$set": {"version": VERSION}})
    snapshot = Snapshot.take()
    return World(
        cast=cast,
        own=own,
        own_of_role={**by_staff, "key": by_staff["admin"]},
        foreign=foreign,
        api={"nobody": {}, **tokens, "key": {"HTTP_AUTHORIZATION": f"Api-Key {api_key}"}, "operator": operator},
        console={"nobody": {}, **cookies, "operator": operator},
        foreign_admin=foreign_admin,
        secrets=_secrets(snapshot, cast.globex.pk),
        snapshot=snapshot,
    )


def _fill(admin: User, agent: User, customer: User, other: User, notewriter: User, slug: str) -> Ids:
    """The same story in both tenants, with the same titles and numbers."""
    team = create_team(actor_of(admin), name=f"zx{slug}team")
    ticket = open_ticket(
        actor_of(agent),
        title="Printer on fire",
        description=f"zx{slug}description",
        category=f"zx{slug}-category",
        tags=[f"zx{slug}-tag"],
        requester=customer.pk,
        assigned_to=agent.pk,
        team=team.pk,
    )
    comment = add_comment(actor_of(customer), ticket["_id"], f"zx{slug}comment")
    attachment = attach(actor_of(customer), ticket["_id"], f"zx{slug}file.txt")
    note, internal = add_note(actor_of(notewriter), ticket["_id"], f"zx{slug}note")
    others = open_ticket(actor_of(other), title="VPN drops", description=f"zx{slug}description of another")
    numbered = open_ticket(actor_of(customer), title="Numbered", description=f"zx{slug}numbered")
    number = "60606" if slug == "acme" else "70707"
    get_database()["tickets"].update_one({"_id": numbered["_id"]}, {"$set": {"number": int(number)}})
    key, _ = create_api_key(actor_of(admin), name=f"zx{slug}key", scopes=["tickets:read"])
    change_ticket(actor_of(agent), ticket["_id"], {"priority": "high"})
    hold = place_hold(actor_of(admin), target="user", reference=str(notewriter.pk), reason=f"zx{slug}reason")
    view = save_view(actor_of(admin), name=f"zx{slug}view", query=f"category=zx{slug}-category", team=str(team.pk))
    get_database()["saved_views"].update_one({"_id": view["_id"]}, {"$set": {"owner_id": agent.pk}})
    body, audience = f"zx{slug}canned for {{{{ requester.name }}}}", str(team.pk)
    canned = create_canned_reply(actor_of(admin), name=f"zx{slug}canned", body=body, audience=audience)
    create_canned_reply(actor_of(agent), name=f"zx{slug}own", body=f"zx{slug}own")
    save_draft(actor_of(notewriter), ticket["_id"], body=f"zx{slug}draft")
    bulk = begin_bulk_change(actor_of(agent), {"add_tags": [f"zx{slug}-bulk"]})
    apply_bulk_change(actor_of(agent), bulk["_id"], [Selected(others["_id"])])
    add_comment(actor_of(notewriter), numbered["_id"], f"@{agent.email} zx{slug}mention", visibility="internal")
    mention = get_database()["mentions"].find_one({"user_id": agent.pk})
    assert mention is not None
    left = make_user(get_tenant(admin.tenant_id), f"left@{slug}.test", f"zx{slug}left", is_active=False)
    erasure = continue_erasure(actor_of(admin), request_erasure(actor_of(admin), left.pk))
    request_export(actor_of(admin))
    export = make_pending_export(get_tenant(admin.tenant_id))
    assert export is not None
    return Ids(
        tenant=str(admin.tenant_id),
        ticket=str(ticket["_id"]),
        number=number,
        others_ticket=str(others["_id"]),
        comment=str(comment["_id"]),
        note=str(note["_id"]),
        attachment=str(attachment),
        internal_attachment=str(internal),
        upload=str(send(actor_of(customer), ticket["_id"], f"zx{slug}upload.txt")),
        agent=str(agent.pk),
        customer=str(customer.pk),
        user=str(other.pk),
        team=str(team.pk),
        key=str(key.pk),
        erasure=str(erasure["_id"]),
        export=str(export["_id"]),
        hold=str(hold["_id"]),
        mention=str(mention["_id"]),
        view=str(view["_id"]),
        canned=str(canned["_id"]),
        bulk=str(bulk["_id"]),
        email=other.email,
        word=f"zx{slug}comment",
        category=f"zx{slug}-category",
        tag=f"zx{slug}-tag",
    )


def add_note(actor: Actor, ticket_id: ObjectId, text: str) -> tuple[dict[str, Any], ObjectId]:
    """An internal note with a file."""
    note = add_comment(actor, ticket_id, text, visibility="internal")
    return note, attach(actor, ticket_id, f"{text}.txt", comment_id=note["_id"], visibility="internal")


def attach(
    actor: Actor, ticket_id: ObjectId, name: str, *, comment_id: ObjectId | None = None, visibility: str = "public"
) -> ObjectId:
    """A file on the ticket, or on one of its comments; its content is its name."""
    upload = SimpleUploadedFile(name, name.encode(), "text/plain")
    stored = add_attachment(actor, ticket_id, upload, comment_id=comment_id, visibility=visibility)
    attachment_id: ObjectId = stored["_id"]
    return attachment_id


def send(actor: Actor, ticket_id: ObjectId, name: str) -> ObjectId:
    """A file that was announced and has arrived, but is no attachment yet; its content is its name."""
    content, content_type = name.encode(), "text/plain"
    size = len(content)
    upload = announce_upload(actor, ticket_id, name=name, size=size, content_type=content_type)
    receive_upload(str(upload["_id"]), sign_upload(upload), [content], size=size, content_type=content_type)
    upload_id: ObjectId = upload["_id"]
    return upload_id


def _brand_globex(cast: Cast) -> None:
    names = {"brand_name": "zxglobexbrand", "hosts": ["help.globex.test"]}
    get_database()["tenants"].update_one({"_id": cast.globex.pk}, {"$set": names})
    for user in (cast.gina, cast.gus, cast.greta):
        user.name = user.name if "Globex" in user.name else f"{user.name} of Globex"
        get_database()["users"].update_one({"_id": user.pk}, {"$set": {"name": user.name}})


def _key(admin: User) -> str:
    key, secret = create_api_key(actor_of(admin), name=f"{admin.name}'s zxkey", scopes=KEY_SCOPES)
    used = {"last_used_at": now() + timedelta(days=365)}  # so that its use is not noted now and then
    get_database()["api_keys"].update_one({"_id": key.pk}, {"$set": used})
    return secret


def token_of(user: User) -> Credentials:
    """What a client of the API sends once the user has signed in."""
    return {"HTTP_AUTHORIZATION": f"Bearer {open_session(user).access}"}


def cookie_of(user: User) -> str:
    """The cookie of a browser in which the user has signed in."""
    request = HttpRequest()
    request.session = SessionStore()
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session.save()
    return f"{settings.SESSION_COOKIE_NAME}={request.session.session_key}"


def _secrets(snapshot: Snapshot, tenant_id: ObjectId) -> re.Pattern[str]:
    """The word, and every id and address in globex's documents."""
    texts = [text for _, text in snapshot.texts_of(tenant_id)]
    ids = {id_ for text in texts for id_ in _OBJECT_ID.findall(text)}
    emails = {email for text in texts for email in _EMAIL.findall(text)}
    return re.compile("|".join(map(re.escape, ["globex", *sorted(ids), *sorted(emails)])), re.IGNORECASE)
