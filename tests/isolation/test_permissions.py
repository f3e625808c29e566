"""Who may do what, route by route: granted as the table says, and refused as soon as the role table takes it back."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.roles import PERMISSIONS, Action, Role
from tests.isolation.answers import Answer, ask
from tests.isolation.registry import known_api
from tests.isolation.routes import Route, api_routes
from tests.isolation.world import World

ROUTES = """
GET    api/v1/                        anybody
GET    api/v1/api-keys                admin
POST   api/v1/api-keys                admin
GET    api/v1/api-keys/{}             admin
DELETE api/v1/api-keys/{}             admin
GET    api/v1/attachments/{}          user agent admin
POST   api/v1/auth/login              anybody
POST   api/v1/auth/logout             anybody
POST   api/v1/auth/logout-all         user agent admin
GET    api/v1/auth/me                 user agent admin
PATCH  api/v1/auth/me                 user agent admin
POST   api/v1/auth/password           anybody
POST   api/v1/auth/refresh            anybody
POST   api/v1/auth/register           anybody
GET    api/v1/comments/{}             user agent admin
PATCH  api/v1/comments/{}             user agent admin
POST   api/v1/comments/{}/split       agent admin
GET    api/v1/erasures                admin
GET    api/v1/erasures/{}             admin
GET    api/v1/exports                 admin
POST   api/v1/exports                 admin
GET    api/v1/exports/{}              admin
DELETE api/v1/exports/{}              admin
GET    api/v1/exports/{}/download     admin
GET    api/v1/holds                   admin
POST   api/v1/holds                   admin
GET    api/v1/holds/{}                admin
POST   api/v1/holds/{}/lift           admin
GET    api/v1/retention               admin
PATCH  api/v1/retention               admin
GET    api/v1/retention/preview       admin
GET    api/v1/teams                   agent admin
POST   api/v1/teams                   admin
GET    api/v1/teams/{}                agent admin
PATCH  api/v1/teams/{}                admin
DELETE api/v1/teams/{}                admin
GET    api/v1/tickets                 user agent admin
POST   api/v1/tickets                 user agent admin
GET    api/v1/tickets/stats           agent admin
GET    api/v1/tickets/{}              user agent admin
PUT    api/v1/tickets/{}              user agent admin
PATCH  api/v1/tickets/{}              user agent admin
GET    api/v1/tickets/{}/attachments  user agent admin
POST   api/v1/tickets/{}/attachments  user agent admin
GET    api/v1/tickets/{}/comments     user agent admin
POST   api/v1/tickets/{}/comments     user agent admin
GET    api/v1/tickets/{}/events       agent admin
POST   api/v1/tickets/{}/follow       agent admin
POST   api/v1/tickets/{}/merge        agent admin
POST   api/v1/tickets/{}/unmerge      agent admin
GET    api/v1/tickets/{}/related      agent admin
POST   api/v1/tickets/{}/related      agent admin
DELETE api/v1/tickets/{}/related/{}   agent admin
DELETE api/v1/tickets/{}/follow       agent admin
POST   api/v1/tickets/{}/uploads      user agent admin
PUT    api/v1/uploads/{}              anybody
GET    api/v1/users                   admin
POST   api/v1/users                   admin
GET    api/v1/users/{}                admin
PUT    api/v1/users/{}                admin
PATCH  api/v1/users/{}                admin
DELETE api/v1/users/{}                admin
POST   api/v1/users/{}/erase          admin
POST   api/v1/users/{}/invitation     admin
"""
TABLE = {(method, template): roles for method, template, *roles in map(str.split, ROUTES.strip().splitlines())}
# A key acts for its owner, but does not end his sessions.
NOT_BY_KEYS = {("POST", "api/v1/auth/logout-all")}
PEOPLE = ("user", "agent", "admin")
REFUSED = {401, 403, 404}
Walked = Callable[[int, str], None]


def _declared() -> dict[tuple[str, str], Route]:
    return {(method, route.template): route for route in api_routes() for method in route.methods}


def test_the_table_has_every_route_and_method() -> None:
    assert TABLE.keys() == _declared().keys()


def test_the_table_is_what_views_and_roles_say() -> None:
    """The views declare an action for each method, and the role table says who has it."""
    said = {}
    for (method, template), route in _declared().items():
        action = route.view.actions.get(method)
        by_role = [role for role in PEOPLE if action in PERMISSIONS[Role(role)]]
        said[method, template] = ["anybody"] if route.view.public else by_role
    assert said == TABLE


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["nobody", "user", "agent", "admin", "key", "operator"])
def test_granted(world: World, walked: Walked, role: str) -> None:
    wrong = []
    acts_as = "admin" if role == "key" else role  # it is Ada's
    for key, listed in TABLE.items():
        roles = [] if role == "key" and key in NOT_BY_KEYS else listed
        answer = _ask_own(world, role, *key)
        if roles != ["anybody"] and (answer.status not in REFUSED) != (acts_as in roles):
            wrong.append(f"{key}: {answer.status} {answer.body[:200]}")
    walked(len(TABLE), "permissions granted or refused")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("role", PEOPLE)
def test_withdrawn(world: World, walked: Walked, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = []
    for key, route in _declared().items():
        action = route.view.actions.get(key[0])
        if role not in TABLE[key]:
            continue
        with monkeypatch.context() as patch:
            patch.setitem(PERMISSIONS, Role(role), PERMISSIONS[Role(role)] - {action})
            answer = _ask_own(world, role, *key)
        if answer.status != 403 or action not in answer.body:
            wrong.append(f"{key} without {action}: {answer.status} {answer.body[:200]}")
    walked(len(TABLE), "permissions withdrawn")
    assert not wrong, "\n".join(wrong)


def _ask_own(world: World, role: str, method: str, template: str, which: int = 0) -> Answer:
    """A good request about things that the role's own person may touch; what it wrote is taken back."""
    route = _declared()[method, template]
    known, own = known_api(route), world.own_of(role)
    answer = ask(world.api[role], method, route.url(*known.arguments(own)[0]), known.bodies[method][which](own))
    if answer.written:
        world.snapshot.undo(answer.written)
    return answer


# --- What is asked for within a route: the rest of the role table -----------------------------------------------------
Request = tuple[str, str, Any]
FINER: dict[Action, Callable[[World], Request]] = {
    Action.TICKETS_READ_ALL: lambda w: ("GET", f"/api/v1/tickets/{w.own.others_ticket}", None),
    Action.TICKETS_CREATE_FOR_OTHERS: lambda w: ("POST", "/api/v1/tickets", {"title": "New", "requester": w.own.user}),
    Action.TICKETS_EDIT_ALL: lambda w: ("PATCH", f"/api/v1/tickets/{w.own.others_ticket}", {"title": "Changed"}),
    Action.TICKETS_ASSIGN: lambda w: ("PATCH", f"/api/v1/tickets/{w.own.ticket}", {"assigned_to": str(w.cast.ada.pk)}),
    Action.COMMENTS_READ_INTERNAL: lambda w: ("GET", f"/api/v1/comments/{w.own.note}", None),
    Action.COMMENTS_ADD_INTERNAL: lambda w: (
        "POST",
        f"/api/v1/tickets/{w.own.ticket}/comments",
        {"body": "A note", "visibility": "internal"},
    ),
    Action.CONSOLE_ENTER: lambda w: ("GET", "/console/", None),
    Action.SETTINGS_MANAGE: lambda w: ("GET", f"/console/tenants/tenant/{w.own.tenant}/change/", None),
    Action.AUDIT_READ: lambda w: ("GET", "/console/tenants/auditentry/", None),
    Action.TENANTS_MANAGE: lambda w: ("GET", "/console/tenants/tenant/", None),
    Action.TENANTS_ENTER: lambda w: ("POST", f"/console/tenants/tenant/{w.foreign.tenant}/enter/", None),
}
# Nothing shows settings to somebody who may not change them.
# Operators change every tenant's settings by managing tenants.
# Without a tenant they read the platform's log there.
COVERED = {(Action.SETTINGS_MANAGE, Role.OPERATOR), (Action.AUDIT_READ, Role.OPERATOR)}


def test_every_action_is_proved() -> None:
    declared = {action for route in _declared().values() for action in route.view.actions.values()}
    assert declared | FINER.keys() == set(Action)


@pytest.mark.django_db
@pytest.mark.parametrize("action", FINER, ids=str)
def test_finer_actions_granted_and_withdrawn(
    world: World, walked: Walked, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in Role:
        if (action, role) in COVERED:
            continue
        granted = action in PERMISSIONS[role]
        assert _is_done(world, role, action) == granted, f"{role}: {'refused' if granted else 'granted'}"
        if granted:
            with monkeypatch.context() as patch:
                patch.setitem(PERMISSIONS, role, PERMISSIONS[role] - {action})
                assert not _is_done(world, role, action), f"{role} without {action}: granted"
    walked(len(Role), "finer permissions")


def _is_done(world: World, role: Role, action: Action) -> bool:
    method, url, body = FINER[action](world)
    of_console = url.startswith("/console/")
    answer = ask((world.console if of_console else world.api)[role], method, url, body)
    if answer.has_written or of_console:
        world.snapshot.undo()
    assert answer.status < 500, answer.body
    is_sent_away = "/console/login/" in answer.headers.get("Location", "")
    return answer.status < 400 and not is_sent_away and (method == "GET" or answer.has_written)
