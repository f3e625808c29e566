"""What the walks cannot find out by themselves: what each parameter names, and a good body for each method.

A body is a function of `Ids`, so that the same body names one's own things, another tenant's or none at all. Where a
method has several, each is sent. `nothing` is for methods without one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.cast import PASSWORD
from tests.isolation.routes import Route
from tests.isolation.world import Ids

Body = Callable[[Ids], Any]
_HERE = "tests/isolation/registry.py"
NEW_PASSWORD = "staple battery horse correct"


@dataclass(frozen=True)
class Known:
    """`names`: the field of `Ids` that each parameter of the path takes, in order. `bodies`: by method."""

    names: Sequence[str]
    bodies: Mapping[str, Sequence[Body]]

    def arguments(self, ids: Ids) -> list[list[str]]:
        """The ways to address what the path names: tickets by id and by number."""
        found = [[getattr(ids, name) for name in self.names]]
        if "ticket" in self.names:
            found.append([ids.number if name == "ticket" else getattr(ids, name) for name in self.names])
        return found


def nothing(ids: Ids) -> None:
    """No body."""


def _known(*names: str, **bodies: Body | Sequence[Body]) -> Known:
    return Known(names, {method: [body] if callable(body) else body for method, body in bodies.items()})


def _ticket(ids: Ids) -> dict[str, Any]:
    """Everything that PUT wants."""
    return {
        "title": "Printer on fire again",
        "description": "It burns",
        "status": "pending",
        "priority": "urgent",
        "category": "",
        "type": "incident",
        "tags": ["fire"],
        "assigned_to": ids.agent,
        "team": ids.team,
        "followers": [ids.user],
    }


def _announced(ids: Ids) -> dict[str, Any]:
    return {"name": "new.txt", "size": 6, "content_type": "text/plain"}


def _file(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"a file", "text/plain")


API = {
    "": _known(GET=nothing),
    "healthz": _known(GET=nothing),
    "api/v1/healthz": _known(GET=nothing),
    "api/v1/readyz": _known(GET=nothing),
    "readyz": _known(GET=nothing),
    "metrics": _known(GET=nothing),
    "api/v1": _known(GET=nothing),
    "api/v1/": _known(GET=nothing),
    "api/v1/schema": _known(GET=nothing),
    "api/v1/docs": _known(GET=nothing),
    "api/v1/redoc": _known(GET=nothing),
    "api/v1/auth/login": _known(POST=lambda ids: {"tenant": "acme", "email": ids.email, "password": PASSWORD}),
    "api/v1/auth/register": _known(
        POST=lambda ids: {"tenant": "acme", "email": ids.email, "name": "Rita", "password": NEW_PASSWORD}
    ),
    "api/v1/auth/refresh": _known(POST=lambda ids: {"refresh": "none"}),
    "api/v1/auth/logout": _known(POST=lambda ids: {"refresh": "none"}),
    "api/v1/auth/logout-all": _known(POST=nothing),
    "api/v1/auth/password": _known(
        POST=[
            lambda ids: {"current_password": PASSWORD, "password": NEW_PASSWORD},
            lambda ids: {"token": "none", "password": NEW_PASSWORD},
        ]
    ),
    "api/v1/auth/me": _known(GET=nothing, PATCH=lambda ids: {"name": "Another Name"}),
    "api/v1/users": _known(
        GET=nothing,
        POST=[
            lambda ids: {"email": f"new.{ids.email}", "name": "Nina", "role": "agent", "team_ids": [ids.team]},
            lambda ids: {"email": ids.email, "name": "Nina"},
        ],
    ),
    "api/v1/users/{}": _known(
        "user",
        GET=nothing,
        PUT=lambda ids: {
            "email": f"put.{ids.email}",
            "name": "Nina",
            "role": "agent",
            "is_active": True,
            "team_ids": [ids.team],
        },
        PATCH=[lambda ids: {"name": "Nina"}, lambda ids: {"role": "agent", "team_ids": [ids.team]}],
        DELETE=nothing,
    ),
    "api/v1/users/{}/invitation": _known("user", POST=nothing),
    "api/v1/teams": _known(GET=nothing, POST=lambda ids: {"name": f"Team of {ids.word}"}),
    "api/v1/teams/{}": _known("team", GET=nothing, PATCH=lambda ids: {"name": f"Team of {ids.word}"}, DELETE=nothing),
    "api/v1/api-keys": _known(
        GET=nothing,
        POST=[
            lambda ids: {"name": "New", "scopes": ["tickets:read"], "owner_id": ids.agent},
            lambda ids: {"name": "New", "scopes": ["tickets:read"]},
        ],
    ),
    "api/v1/api-keys/{}": _known("key", GET=nothing, DELETE=nothing),
    "api/v1/tickets": _known(
        GET=nothing,
        POST=[
            lambda ids: {"title": "New", "description": "One", "priority": "high"},
            lambda ids: {"title": "New", "requester": ids.customer},
            lambda ids: {"title": "New", "requester_email": ids.email},
            lambda ids: {"title": "New", "assigned_to": ids.agent},
            lambda ids: {"title": "New", "team": ids.team},
            lambda ids: {"title": "New", "followers": [ids.customer]},
        ],
    ),
    "api/v1/tickets/stats": _known(GET=nothing),
    "api/v1/tickets/{}": _known(
        "ticket",
        GET=nothing,
        PUT=_ticket,
        PATCH=[
            lambda ids: {"title": "Changed", "status": "resolved"},
            lambda ids: {"assigned_to": ids.agent},
            lambda ids: {"team": ids.team},
            lambda ids: {"followers": [ids.user]},
        ],
    ),
    "api/v1/tickets/{}/follow": _known("ticket", POST=nothing, DELETE=nothing),
    "api/v1/tickets/{}/merge": _known("ticket", POST=lambda ids: {"into": ids.others_ticket}),
    "api/v1/tickets/{}/unmerge": _known("ticket", POST=nothing),
    "api/v1/tickets/{}/related": _known("ticket", GET=nothing, POST=lambda ids: {"ticket": ids.others_ticket}),
    "api/v1/tickets/{}/related/{}": _known("ticket", "others_ticket", DELETE=nothing),
    "api/v1/tickets/{}/comments": _known(
        "ticket",
        GET=nothing,
        POST=[lambda ids: {"body": "An answer"}, lambda ids: {"body": "A note", "visibility": "internal"}],
    ),
    "api/v1/tickets/{}/events": _known("ticket", GET=nothing),
    "api/v1/tickets/{}/attachments": _known(
        "ticket",
        GET=nothing,
        POST=[
            lambda ids: {"file": _file("new.txt")},
            lambda ids: {"file": _file("new.txt"), "comment": ids.comment},
            lambda ids: {"file": _file("new.txt"), "visibility": "internal"},
            lambda ids: {"upload_id": ids.upload},
        ],
    ),
    "api/v1/tickets/{}/uploads": _known(
        "ticket",
        POST=[
            _announced,
            lambda ids: {**_announced(ids), "comment": ids.comment},
            lambda ids: {**_announced(ids), "visibility": "internal"},
        ],
    ),
    "api/v1/uploads/{}": _known("upload", PUT=nothing),
    "api/v1/exports": _known(GET=nothing, POST=nothing),
    "api/v1/exports/{}": _known("export", GET=nothing, DELETE=nothing),
    "api/v1/exports/{}/download": _known("export", GET=nothing),
    "api/v1/users/{}/erase": _known("user", POST=[lambda ids: {}, lambda ids: {"content": True}]),
    "api/v1/erasures": _known(GET=nothing),
    "api/v1/erasures/{}": _known("erasure", GET=nothing),
    "api/v1/holds": _known(
        GET=nothing,
        POST=[
            lambda ids: {"target": "user", "reference": ids.user, "reason": "A lawsuit"},
            lambda ids: {"target": "ticket", "reference": ids.ticket, "reason": "A lawsuit"},
            lambda ids: {"target": "ticket", "reference": ids.number, "reason": "A lawsuit"},
            lambda ids: {"target": "tenant", "reason": "A lawsuit"},
        ],
    ),
    "api/v1/holds/{}": _known("hold", GET=nothing),
    "api/v1/holds/{}/lift": _known("hold", POST=nothing),
    "api/v1/retention": _known(GET=nothing, PATCH=lambda ids: {"retention_ticket_days": 30}),
    "api/v1/retention/preview": _known(GET=nothing),
    "api/v1/comments/{}": _known("comment", GET=nothing, PATCH=lambda ids: {"body": "Another text"}),
    "api/v1/comments/{}/split": _known("comment", POST=lambda ids: {"title": "The other thing"}),
    "api/v1/attachments/{}": _known("attachment", GET=nothing),
}

# What a parameter of a query can be asked with; in `Ids`' terms where it names something.
QUERIES: dict[str, Sequence[Callable[[Ids], str]]] = {
    "status": [lambda ids: "new,open,pending,on_hold", lambda ids: "resolved,closed"],
    "priority": [lambda ids: "high", lambda ids: "low,normal,urgent"],
    "type": [lambda ids: "question"],
    "category": [lambda ids: ids.category],
    "tag": [lambda ids: ids.tag],
    "q": [lambda ids: ids.word, lambda ids: "printer"],
    "assigned_to": [lambda ids: ids.agent, lambda ids: "me", lambda ids: "none", lambda ids: f"{ids.agent},none"],
    "created_by": [lambda ids: ids.customer, lambda ids: "me", lambda ids: ids.user],
    "team": [lambda ids: ids.team, lambda ids: "none"],
    "created_at__gte": [lambda ids: "2020-01-01T00:00:00Z"],
    "created_at__lt": [lambda ids: "2099-01-01T00:00:00Z"],
    "updated_at__gte": [lambda ids: "2020-01-01T00:00:00Z"],
    "updated_at__lt": [lambda ids: "2099-01-01T00:00:00Z"],
    "role": [lambda ids: "agent,user"],
    "email": [lambda ids: ids.email],
    "is_active": [lambda ids: "true", lambda ids: "false"],
    "limit": [lambda ids: "1", lambda ids: "100"],
    "count": [lambda ids: "true"],
    "days": [lambda ids: "3"],
    "format": [lambda ids: "json"],
}
# Their values come from the view itself: its orderings, includes and members; cursors from a first page.
ASKED_OF_THE_VIEW = {"ordering", "include", "fields", "after", "before"}


def known_api(route: Route) -> Known:
    """What is known of a route; fails where nothing is."""
    known = API.get(route.template)
    assert known is not None, (
        f"The isolation walk does not know the route {route.template!r}: add it to API in {_HERE} with what its "
        f"parameters name and a good body for each of {sorted(route.methods) or 'its methods'}."
    )
    missing = sorted(route.methods - known.bodies.keys())
    assert not missing, f"The isolation walk knows no body for {missing} of {route.template!r}: add it in {_HERE}."
    count = route.template.count("{}")
    assert count == len(known.names), f"The isolation walk needs {count} names for {route.template!r}: see {_HERE}."
    return known
