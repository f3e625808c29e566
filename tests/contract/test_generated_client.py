"""A client generated from the committed OpenAPI document works a ticket from opening to statistics.

Its models are typed: a member that the document forgets, or types wrongly, fails here.
"""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
PACKAGE = "generated_ticketing_client"
_NOT_DECLARED = {"additional_properties", "__weakref__"}


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The client's package, as its generator makes it without a warning."""
    folder = tmp_path_factory.mktemp("client")
    command = [Path(sys.executable).with_name("openapi-python-client"), "generate", "--fail-on-warning"]
    command += ["--path", DOCUMENT, "--meta", "none", "--output-path", folder / PACKAGE]
    tools = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}  # it formats with ruff
    made = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=tools)
    assert made.returncode == 0, made.stdout + made.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module(PACKAGE)


class Api:
    """Calls operations of the generated client by name, with its typed models, on the running server."""

    def __init__(self, package: ModuleType, url: str, token: str = "") -> None:
        self.models: Any = importlib.import_module(f"{package.__name__}.models")
        self.types: Any = importlib.import_module(f"{package.__name__}.types")
        options = {"base_url": url, "raise_on_unexpected_status": True}
        self.client = package.AuthenticatedClient(token=token, **options) if token else package.Client(**options)

    def __call__(self, operation: str, *ids: str, **arguments: Any) -> Any:
        """The detailed answer: ``status_code``, ``headers`` and ``parsed``, a model without undocumented members."""
        tag, name = operation.split(".")
        module = importlib.import_module(f"{PACKAGE}.api.{tag}.{name}")
        answer = module.sync_detailed(*ids, client=self.client, **arguments)
        undocumented(answer.parsed, operation)
        return answer


def undocumented(value: Any, path: str) -> None:
    """Fails for a member that the document does not know, at any depth. Maps have no members of their own."""
    if isinstance(value, list):
        for item in value:
            undocumented(item, f"{path}[]")
    if not hasattr(value, "additional_properties") or type(value).__name__ == "Problem":
        return
    members = {name: getattr(value, name) for name in value.__slots__ if name not in _NOT_DECLARED}
    assert not (members and value.additional_properties), f"{path}: {value.additional_properties}"
    for name, member in members.items():
        undocumented(member, f"{path}.{name}")


def test_a_generated_client_works_a_ticket(generated: ModuleType, cast: Cast, live_server: Any) -> None:
    anybody = Api(generated, live_server.url)
    models, types = anybody.models, anybody.types
    login = models.LoginRequest(email="carla@example.test", password=PASSWORD, tenant="acme")
    tokens = anybody("auth.auth_login", body=login).parsed
    assert (tokens.user.name, tokens.user.role.value) == ("Carla Customer", "user")
    carla = Api(generated, live_server.url, tokens.access)

    # Opened once, although it is sent twice.
    wanted = models.NewTicketRequest(title="VPN drops", description="Every *hour*.", priority=models.Priority.HIGH)
    first, again = (carla("tickets.tickets_create", body=wanted, idempotency_key="open-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (HTTPStatus.CREATED, HTTPStatus.CREATED)
    assert again.headers["Idempotent-Replay"] == "true"
    ticket = first.parsed
    assert again.parsed == ticket
    assert (ticket.priority, ticket.created_by, ticket.assigned_to) == (
        models.Priority.HIGH,
        str(cast.carla.pk),
        None,
    )
    assert ticket.created_at.tzinfo is not None

    # A file and an answer.
    file = types.File(payload=BytesIO(b"it drops"), file_name="vpn.log", mime_type="text/plain")
    attached = carla("attachments.tickets_attachments_create", ticket.id, body=models.NewAttachmentRequest(file=file))
    assert (attached.status_code, attached.parsed.size) == (HTTPStatus.CREATED, 8)
    downloaded = carla("attachments.attachments_get", attached.parsed.id)
    assert downloaded.parsed.payload.read() == b"it drops"

    # A large file, sent to an address of its own.
    wanted = models.NewUploadRequest(name="vpn.pcap", size=7, content_type="application/vnd.tcpdump.pcap")
    upload = carla("attachments.tickets_uploads", ticket.id, body=wanted).parsed
    headers = upload.headers.additional_properties
    assert httpx.request(upload.method, upload.url, content=b"packets", headers=headers).status_code == HTTPStatus.OK
    completed = models.CompletedUploadRequest(upload_id=upload.id)
    large = carla("attachments.tickets_attachments_create", ticket.id, body=completed).parsed
    assert (large.name, large.size) == ("vpn.pcap", 7)
    body = models.NewCommentRequest(body="Since Monday")
    comment = carla("comments.tickets_comments_create", str(ticket.number), body=body).parsed
    assert comment.author.name == "Carla Customer"

    # Changed with the version that was read; the second change with it is told that somebody was faster.
    read = carla("tickets.tickets_get", ticket.id)
    assert [each.id for each in read.parsed.comments.data] == [comment.id]
    assert [each.name for each in read.parsed.attachments] == ["vpn.log", "vpn.pcap"]
    etag = read.headers["ETag"]
    change = models.PatchedTicketRequest(title="VPN drops every hour")
    changed = carla("tickets.tickets_update", ticket.id, body=change, if_match=etag)
    assert (changed.status_code, changed.parsed.title) == (HTTPStatus.OK, "VPN drops every hour")
    stale = carla("tickets.tickets_update", ticket.id, body=change, if_match=etag)
    assert stale.status_code == HTTPStatus.PRECONDITION_FAILED
    assert (stale.parsed.code, stale.parsed.current_version) == ("stale_version", changed.parsed.version)
    illegal = models.PatchedTicketRequest(status=models.Status.CLOSED)
    refused = carla("tickets.tickets_update", ticket.id, body=illegal)
    assert (refused.status_code, refused.parsed.allowed_transitions) == (HTTPStatus.CONFLICT, ["resolved"])
    assert carla("tickets.tickets_get", ticket.id, if_none_match=changed.headers["ETag"]).status_code == 304

    # The list, page by page until its end.
    for number in range(6):
        carla("tickets.tickets_create", body=models.NewTicketRequest(title=f"Another {number}"))
    titles, after = [], types.UNSET
    while after is not None:
        page = carla("tickets.tickets_list", limit=3, after=after, count=True, include="created_by,comments").parsed
        assert (page.page.count, len(page.data) <= 3) == ("7", True)
        titles += [row.title for row in page.data]
        after = page.page.after
    assert titles == [*(f"Another {number}" for number in reversed(range(6))), "VPN drops every hour"]
    bad = carla("tickets.tickets_list", status="opened")
    assert (bad.status_code, bad.parsed.errors[0].field) == (HTTPStatus.BAD_REQUEST, "status")

    # What staff sees besides.
    staff = anybody(
        "auth.auth_login", body=models.LoginRequest(email="agent@example.test", password=PASSWORD, tenant="acme")
    ).parsed
    amir = Api(generated, live_server.url, staff.access)
    stats = amir("stats.tickets_stats", priority="high,normal").parsed
    assert (stats.total, stats.status["new"], stats.priority["high"]) == (7, 7, 1)
    events = amir("events.tickets_events_list", ticket.id).parsed.data
    assert [event.type_ for event in events] == [
        "ticket.created",
        "attachment.added",
        "attachment.added",
        "comment.added",
        "ticket.updated",
    ]
    assert events[-1].changes["title"].new == "VPN drops every hour"
    whole = {name: getattr(changed.parsed, name) for name in ("title", "description", "category", "type_", "tags")}
    replaced = amir(
        "tickets.tickets_replace",
        ticket.id,
        body=models.TicketRequest(
            **whole,
            status=models.Status.OPEN,
            priority=models.Priority.URGENT,
            assigned_to=str(cast.amir.pk),
            team=None,
            followers=[],
        ),
        if_match="*",
    )
    assert (replaced.status_code, replaced.parsed.assigned_to_user.name) == (HTTPStatus.OK, "Amir Acme")

    # Signed out: the token is worth nothing any more.
    out = carla("auth.auth_logout", body=models.RefreshRequest(refresh=tokens.refresh))
    assert out.status_code == HTTPStatus.NO_CONTENT
    assert carla("tickets.tickets_list").status_code == HTTPStatus.UNAUTHORIZED
