"""Three tenants with everything that tenants have, and a second database and storage to restore into."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from accounts.keys import create_api_key
from accounts.models import User
from accounts.roles import Role
from accounts.teams import create_team
from tenants.models import Tenant
from tests.cast import Cast, actor_of, api, make_tenant, make_user, new_cast
from ticketing.mongo import ObjectId
from ticketing.mongo.client import get_database
from ticketing.mongo.scope import tenant_scope
from tickets.attachments.services import add_attachment
from tickets.backup.contents import LEFT_OUT
from tickets.backup.restoring import MARKERS
from tickets.conversation.services import add_comment
from tickets.services import open_ticket

Contents = dict[str, dict[str, bytes]]
OWN_ACTIONS = {"backup.made", "backup.restored"}  # what backups themselves write into the audit log
RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


def work(tenant: Tenant, staff: User, customer: User) -> None:
    """Every kind of document that a tenant can own."""
    agent = actor_of(staff)
    with tenant_scope(tenant.pk):
        for number in range(5):
            ticket = open_ticket(actor_of(customer), title=f"{tenant.slug} {number}", description="ünïcode " * 20)
        comment = add_comment(agent, ticket["_id"], "An answer")
        for name, content in (("manual.pdf", b"how to" + tenant.slug.encode()), ("big.bin", b"\x00\xff" * 100_000)):
            upload = SimpleUploadedFile(name, content)
            add_attachment(agent, ticket["_id"], upload, comment_id=comment["_id"])


@pytest.fixture
def cast(db: None, in_storage: Callable[[str], None]) -> Cast:
    in_storage("storage")
    get_database().drop_collection(MARKERS)  # which a tenant's restore has left, without documents
    cast = new_cast()
    initech = make_tenant("initech", hosts=["help.initech.example"])
    ivan = make_user(initech, "ivan@initech.example", role=Role.AGENT)
    irene = make_user(initech, "irene@initech.example")
    create_team(actor_of(cast.ada), name="Second level")
    create_api_key(actor_of(cast.ada), name="CRM", scopes=["tickets:read"])
    work(cast.acme, cast.amir, cast.carla)
    work(cast.globex, cast.gus, cast.greta)
    work(initech, ivan, irene)
    answer = api(cast.carla).post("/api/v1/tickets", {"title": "By key"}, HTTP_IDEMPOTENCY_KEY="one")
    assert answer.status_code == 201
    Client().force_login(cast.amir)
    return cast


@pytest.fixture
def in_storage(settings: Any, tmp_path: Path) -> Callable[[str], None]:
    """Makes a new folder the attachments' storage."""

    def use(name: str) -> None:
        location = tmp_path / name
        storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": location}}
        settings.STORAGES = {**settings.STORAGES, "default": storage}

    return use


@pytest.fixture
def elsewhere(in_storage: Callable[[str], None]) -> Iterator[Callable[[], Any]]:
    """``with elsewhere():`` works in a database and a storage without anything in them, which stay till the end."""
    own, name = get_database(), connection.settings_dict["NAME"]
    other = f"{name}_elsewhere"

    def point_to(database: str) -> None:
        connection.settings_dict["NAME"] = database
        connection.database = own.client[database]

    @contextmanager
    def use() -> Iterator[None]:
        point_to(other)
        in_storage("elsewhere")
        try:
            yield
        finally:
            point_to(name)
            in_storage("storage")

    yield use
    own.client.drop_database(other)


def contents(tenant_id: ObjectId | None = None) -> Contents:
    """Every document that a backup has, byte for byte; or all of a tenant's, of whatever kind."""
    database = get_database()
    raw = {}
    for name in database.list_collection_names():
        if name in LEFT_OUT or name == MARKERS:
            continue
        documents = database.get_collection(name, RAW).find(where(tenant_id))
        raw[name] = {str(each["_id"]): each.raw for each in documents if each.get("action") not in OWN_ACTIONS}
    return raw


def where(tenant_id: ObjectId | None) -> dict[str, Any]:
    if tenant_id is None:
        return {}
    return {"$or": [{"tenant_id": tenant_id}, {"_id": tenant_id}, {"_id.tenant_id": tenant_id}]}


def indexes() -> dict[str, Any]:
    database = get_database()
    return {name: database[name].index_information() for name in database.list_collection_names()}


def stored_files() -> dict[str, bytes]:
    root = Path(default_storage.path(""))
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
