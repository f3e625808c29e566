"""What the walk of the console cannot find out by itself: who gets in where, what a page names, and good forms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.cast import PASSWORD
from tests.isolation.registry import NEW_PASSWORD
from tests.isolation.routes import Route
from tests.isolation.world import VERSION, Ids

Form = Callable[[Ids], Mapping[str, Any]]
STAFF = ("agent", "admin")
ADMINS = ("admin",)
OPERATORS = ("operator",)
SIGNED_IN = (*STAFF, "operator")
_HERE = "tests/isolation/registry_console.py"


@dataclass(frozen=True)
class Page:
    """`roles` see it; `names` are the fields of `Ids` that its path takes; `forms` are what its POST is sent."""

    roles: Sequence[str]
    names: Sequence[str] = ()
    forms: Sequence[Form] = ()
    post_only: bool = False

    def arguments(self, ids: Ids) -> list[str]:
        return [getattr(ids, name, name) for name in self.names]

    def kinds(self, ids: Ids) -> list[Form]:
        """One form for each set of fields."""
        return list({frozenset(form(ids)): form for form in reversed(self.forms)}.values())


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """A form as a browser sends it: each field, and the value that it began with."""
    return {**{f"initial-{name}": value for name, value in before.items()}, **before, **after}


def _ticket(**after: Any) -> dict[str, Any]:
    before = {"status": "open", "priority": "high", "assigned_to": "", "team": "", "category": "", "tags": ""}
    before |= {"title": "Printer on fire", "description": "As it was", "type": "question"}
    return {"version": VERSION, "reply": "", "visibility": "public", **_fields(before, after)}


def _canned(**after: Any) -> dict[str, Any]:
    return {"version": 1, **_fields({"name": "zxcanned", "body": "x", "audience": "me"}, after)}


def _user(**after: Any) -> dict[str, Any]:
    before = {"email": "carl@example.test", "name": "Carl Customer", "role": "user", "is_active": "on"}
    return {"version": 1, **_fields(before, after)}


def _settings(**after: Any) -> dict[str, Any]:
    before = {"brand_name": "", "brand_color": "#2563eb", "time_zone": "UTC", "locale": "en", "registration": "closed"}
    before |= {"registration_domains": "", "retention_ticket_days": 0, "retention_user_days": 0}
    return {"version": 1, **_fields(before, after)}


def _model(
    path: str,
    name: str,
    roles: Sequence[str],
    *,
    add: Sequence[Form],
    change: Sequence[Form],
    actions: Sequence[str] = (),
) -> dict[str, Page]:
    """The pages that the admin gives every model. Nothing is deleted, and only tickets have a history."""
    chosen: list[Form] = [
        lambda ids, action=action, given=given: {"action": action, "_selected_action": [getattr(ids, name)], **given}
        for action in actions
        for given in ({}, {"confirmed": "yes"})  # what cannot be undone is asked first
    ]
    return {
        f"console/{path}/": Page(roles, forms=chosen),
        f"console/{path}/add/": Page(roles, forms=add),
        f"console/{path}/{{}}/change/": Page(roles, [name], change),
        f"console/{path}/{{}}/history/": Page(roles if path == "tickets/ticket" else (), [name]),
        f"console/{path}/{{}}/delete/": Page((), [name], [lambda ids: {"post": "yes"}]),
        f"console/{path}/{{}}/": Page(SIGNED_IN, [name]),
    }


CONSOLE = {
    "console/": Page(SIGNED_IN),
    "console/login/": Page(()),
    "console/logout/": Page((), forms=[lambda ids: {}]),
    "console/password_change/": Page(
        SIGNED_IN,
        forms=[lambda ids: {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}],
    ),
    "console/password_change/done/": Page(SIGNED_IN),
    "console/invitation/": Page(("nobody", "user", *SIGNED_IN), forms=[lambda ids: {"token": "none"}]),
    "console/profile/": Page(
        SIGNED_IN,
        forms=[lambda ids: {"version": 1, **_fields({"name": "x", "language": "", "time_zone": ""}, {"name": "Nina"})}],
    ),
    "console/profile/sign-out/": Page(SIGNED_IN, forms=[lambda ids: {}], post_only=True),
    "console/search/": Page(SIGNED_IN),
    "console/jsi18n/": Page(SIGNED_IN),
    "console/{}/": Page(STAFF, ["tickets"]),
    "console/{}": Page((), ["nowhere"]),
    **_model(
        "tickets/ticket",
        "ticket",
        STAFF,
        add=[
            lambda ids: {"title": "New", "requester_email": ids.email, "priority": "low", "type": "task"},
            lambda ids: {
                "title": "New",
                "requester_email": "carl@example.test",
                "priority": "low",
                "type": "task",
                "assigned_to": ids.agent,
                "team": ids.team,
            },
        ],
        change=[
            lambda ids: _ticket(reply="An answer", status="pending"),
            lambda ids: _ticket(reply="A note", visibility="internal"),
            lambda ids: _ticket(assigned_to=ids.agent),
            lambda ids: _ticket(team=ids.team),
        ],
        actions=("change_selected", "assign_to_me", "resolve", "set_priority_urgent"),
    ),
    "console/tickets/ticket/views/": Page(
        STAFF,
        forms=[
            lambda ids: {"name": ids.word, "query": f"category={ids.category}"},
            lambda ids: {"name": "Shared", "query": "view=all", "team": ids.team},
        ],
    ),
    "console/tickets/ticket/views/counts/": Page(STAFF),
    "console/tickets/ticket/views/{}/": Page(
        STAFF, ["view"], [lambda ids: {"name": "Renamed"}, lambda ids: {"team": ids.team}], post_only=True
    ),
    "console/tickets/ticket/views/{}/delete/": Page(STAFF, ["view"], [lambda ids: {}]),
    "console/tickets/ticket/bulk/": Page(
        STAFF,
        forms=[
            lambda ids: {"tickets": ids.ticket, "query": "view=all", "priority": "low"},
            lambda ids: {"tickets": ids.ticket, "query": f"saved={ids.view}", "scope": "all", "add_tags": "new"},
            lambda ids: {"tickets": ids.ticket, "assigned_to": ids.agent, "team": ids.team},
        ],
    ),
    "console/tickets/ticket/bulk/apply/": Page(
        STAFF,
        forms=[
            lambda ids: {"tickets": f"{ids.ticket}:{VERSION}", "priority": "low"},
            lambda ids: {"tickets": ids.ticket, "assigned_to": ids.agent},
            lambda ids: {"tickets": ids.ticket, "team": ids.team},
            lambda ids: {"tickets": ids.ticket, "bulk": ids.bulk},
        ],
        post_only=True,
    ),
    # Whoever has made a change of many tickets is the only one who sees it; here it is the agent.
    "console/tickets/ticket/bulk/{}/": Page(("agent",), ["bulk"]),
    "console/tickets/ticket/bulk/{}/undo/": Page(("agent",), ["bulk"], [lambda ids: {}], post_only=True),
    "console/tickets/ticket/dashboard/unsent/": Page(STAFF),
    "console/tickets/ticket/requesters/": Page(STAFF),
    "console/tickets/ticket/{}/draft/": Page(
        STAFF, ["ticket"], [lambda ids: {"reply": "x"}, lambda ids: {"reply": "x", "upload_ids": [ids.upload]}]
    ),
    "console/tickets/ticket/{}/draft/discard/": Page(STAFF, ["ticket"], [lambda ids: {}], post_only=True),
    "console/tickets/ticket/{}/send/": Page(
        STAFF,
        ["ticket"],
        [
            lambda ids: _ticket(reply="An answer", send_status="pending"),
            lambda ids: _ticket(reply="An answer", assigned_to=ids.agent),
            lambda ids: _ticket(reply="An answer", upload_ids=[ids.upload]),
        ],
        post_only=True,
    ),
    "console/tickets/ticket/{}/send/now/": Page(STAFF, ["ticket"], [lambda ids: {}], post_only=True),
    "console/tickets/ticket/{}/send/undo/": Page(STAFF, ["ticket"], [lambda ids: {}], post_only=True),
    "console/tickets/ticket/{}/preview/": Page(STAFF, ["ticket"], [lambda ids: {"reply": "*x*"}], post_only=True),
    # Whoever sends a file is the only one who lets go of it; here it is a customer, whom the console keeps out.
    "console/tickets/ticket/{}/uploads/{}/discard/": Page((), ["ticket", "upload"], [lambda ids: {}], post_only=True),
    "console/tickets/ticket/{}/canned-replies/": Page(STAFF, ["ticket"]),
    "console/tickets/ticket/{}/canned-replies/{}/": Page(("admin",), ["ticket", "canned"]),
    **_model(
        "tickets/cannedreply",
        "canned",
        STAFF,
        add=[
            lambda ids: {"name": "New", "body": "x", "audience": "me"},
            lambda ids: {"name": "New", "body": "x", "audience": ids.team},
        ],
        change=[lambda ids: _canned(body="y"), lambda ids: _canned(audience=ids.team)],
    ),
    # The team's, of which nobody here is a member; admins see all teams' replies.
    "console/tickets/cannedreply/{}/change/": Page(ADMINS, ["canned"], [lambda ids: _canned(body="y")]),
    "console/tickets/cannedreply/{}/delete/": Page(ADMINS, ["canned"], [lambda ids: {}]),
    "console/tickets/ticket/{}/merge/": Page(STAFF, ["ticket"], [lambda ids: {"into": ids.others_ticket}]),
    "console/tickets/ticket/{}/unmerge/": Page(STAFF, ["ticket"], [lambda ids: {}], post_only=True),
    "console/tickets/ticket/{}/related/": Page(
        STAFF,
        ["ticket"],
        [lambda ids: {"ticket": ids.others_ticket}, lambda ids: {"unlink": ids.others_ticket}],
        post_only=True,
    ),
    "console/tickets/ticket/{}/comments/{}/split/": Page(
        STAFF, ["ticket", "comment"], [lambda ids: {"title": "The other thing"}]
    ),
    "console/tickets/ticket/dashboard/{}.csv": Page(STAFF, ["days"]),
    "console/tickets/ticket/staff/": Page(STAFF),
    "console/tickets/ticket/{}/live/": Page(
        STAFF, ["ticket"], [lambda ids: {"writing": "1", "seen": "1"}, lambda ids: {"leaving": "1"}], post_only=True
    ),
    "console/tickets/ticket/{}/news/": Page(STAFF, ["ticket"]),
    "console/tickets/ticket/{}/entry/{}/": Page(STAFF, ["ticket", "comment"]),
    "console/tickets/ticket/{}/requester/": Page(STAFF, ["ticket"]),
    "console/tickets/ticket/{}/people/": Page(
        STAFF,
        ["ticket"],
        [
            lambda ids: {"action": "follow"},
            lambda ids: {"action": "assign"},
            lambda ids: {"action": "add", "email": ids.email},
            lambda ids: {"remove": ids.agent},
        ],
        post_only=True,
    ),
    **_model(
        "accounts/user",
        "user",
        ADMINS,
        add=[
            lambda ids: {"email": f"new.{ids.email}", "name": "Nina", "role": "agent", "team_ids": [ids.team]},
            lambda ids: {"email": ids.email, "name": "Nina", "role": "user"},
        ],
        change=[
            lambda ids: _user(name="Nina"),
            lambda ids: _user(role="agent", team_ids=[ids.team]),
            lambda ids: _user(email=f"changed.{ids.email}"),
        ],
    ),
    "console/accounts/user/{}/invitation/": Page(ADMINS, ["user"], [lambda ids: {}], post_only=True),
    "console/accounts/user/{}/sign-out/": Page(ADMINS, ["user"], [lambda ids: {}], post_only=True),
    **_model(
        "accounts/team",
        "team",
        ADMINS,
        add=[lambda ids: {"name": f"Team of {ids.word}"}],
        change=[lambda ids: {"version": 1, **_fields({"name": "zxacmeteam", "is_active": "on"}, {"name": ids.word})}],
    ),
    **_model(
        "accounts/apikey",
        "key",
        ADMINS,
        add=[lambda ids: {"name": "New", "scopes": ["tickets:read"]}],
        change=[lambda ids: {"name": "Changed"}],
        actions=("revoke",),
    ),
    **_model(
        "tenants/tenant",
        "tenant",
        OPERATORS,
        add=[lambda ids: {"slug": "new", "name": "New"}],
        change=[lambda ids: _settings(brand_name="Changed")],
    ),
    **_model("ticketing/jobstate", "job", OPERATORS, add=[], change=[]),
    **_model("tenants/auditentry", "entry", (*ADMINS, *OPERATORS), add=[], change=[]),
    "console/tenants/auditentry/add/": Page(()),
    "console/tenants/auditentry/{}/change/": Page((), ["entry"]),
    "console/ticketing/jobstate/add/": Page(()),
    "console/ticketing/jobstate/{}/change/": Page((), ["job"]),
    **_model("tickets/mention", "mention", STAFF, add=[], change=[], actions=("mark_as_seen",)),
    "console/tickets/mention/add/": Page(()),
    "console/tickets/mention/{}/change/": Page((), ["mention"]),
    "console/tickets/mention/count/": Page(STAFF),
    **_model(
        "tickets/legalhold",
        "hold",
        ADMINS,
        add=[
            lambda ids: {"target": "user", "reference": ids.user, "reason": "A lawsuit"},
            lambda ids: {"target": "ticket", "reference": ids.ticket, "reason": "A lawsuit"},
            lambda ids: {"target": "tenant", "reference": "", "reason": "A lawsuit"},
        ],
        change=[],
        actions=("lift",),
    ),
    **_model(
        "tickets/erasure",
        "erasure",
        ADMINS,
        add=[
            lambda ids: {"user": ids.user, "email": ids.email},
            lambda ids: {"user": "", "email": ids.email, "content": "on"},
        ],
        change=[],
    ),
    "console/tickets/erasure/retention/": Page(ADMINS),
    **_model("tickets/export", "export", ADMINS, add=[], change=[]),
    "console/tickets/export/add/": Page(()),
    "console/tickets/export/{}/change/": Page((), ["export"]),
    "console/tickets/export/request/": Page(ADMINS, forms=[lambda ids: {}], post_only=True),
    "console/tickets/export/progress/": Page(ADMINS),
    "console/tickets/export/{}/remove/": Page(ADMINS, ["export"], [lambda ids: {}], post_only=True),
    "console/tenants/tenant/{}/change/": Page(
        (*ADMINS, *OPERATORS), ["tenant"], [lambda ids: _settings(brand_name="Changed")]
    ),
    "console/tenants/tenant/{}/branding/": Page((), ["tenant"]),
    "console/tenants/tenant/leave/": Page(OPERATORS, forms=[lambda ids: {}], post_only=True),
    "console/tenants/tenant/{}/enter/": Page(OPERATORS, ["tenant"], [lambda ids: {}], post_only=True),
    "console/tenants/tenant/{}/suspend/": Page(OPERATORS, ["tenant"], [lambda ids: {}], post_only=True),
    "console/tenants/tenant/{}/reactivate/": Page(OPERATORS, ["tenant"], [lambda ids: {}], post_only=True),
}

# What the parameters of lists can be asked with: those of the filters, and the admin's own.
QUERIES: dict[str, Sequence[Callable[[Ids], str]]] = {
    "view": [
        lambda ids: "mine",
        lambda ids: "unassigned",
        lambda ids: "open",
        lambda ids: "resolved",
        lambda ids: "all",
        lambda ids: "following",
        lambda ids: f"team-{ids.team}",
    ],
    "saved": [lambda ids: ids.view],
    "age": [lambda ids: "30", lambda ids: "-1", lambda ids: ids.number],
    "requester": [lambda ids: ids.customer],
    "assignee": [lambda ids: ids.agent, lambda ids: "me", lambda ids: "none"],
    "team": [lambda ids: ids.team, lambda ids: "none"],
    "status": [lambda ids: "open"],
    "priority": [lambda ids: "high"],
    "category": [lambda ids: ids.category],
    "tag": [lambda ids: ids.tag],
    "created": [lambda ids: "2020-01-01..", lambda ids: ids.ticket],
    "responded": [lambda ids: "..2100-01-01"],
    "resolved": [lambda ids: "2020-01-01..2100-01-01"],
    "role": [lambda ids: "agent"],
    "active": [lambda ids: "yes"],
    "seen": [lambda ids: "no", lambda ids: "yes"],
    "kind": [lambda ids: "people"],
    "of": [lambda ids: "platform"],
    "by": [lambda ids: ids.email],
    "days": [lambda ids: "7"],
    "tenant": [lambda ids: ids.tenant],
}
OF_EVERY_LIST: dict[str, Sequence[Callable[[Ids], str]]] = {
    "q": [lambda ids: ids.word, lambda ids: ids.number, lambda ids: ids.email, lambda ids: "printer"],
    "id": [lambda ids: ids.ticket, lambda ids: ids.user],
    "id__in": [lambda ids: ids.ticket],
    "tenant_id": [lambda ids: ids.tenant],
    "created_by__email": [lambda ids: ids.email],
    "assigned_to__id": [lambda ids: ids.agent],
    "o": [lambda ids: "1", lambda ids: "-1"],
    "_to_field": [lambda ids: "tenant_id"],
    "after": [lambda ids: ids.ticket],
}


def known_page(route: Route) -> Page:
    """What is known of a page; fails where nothing is."""
    page = CONSOLE.get(route.template)
    assert page is not None, (
        f"The isolation walk does not know the console's page {route.template!r}: add it to CONSOLE in {_HERE} "
        f"with the roles that see it, what its path names and, where it takes a form, a good one."
    )
    return page
