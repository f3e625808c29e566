"""Every write is sent every field that any model has: what its contract does not name is refused, or does nothing."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from django.apps import apps
from rest_framework.serializers import Serializer

from tests.figures import tell
from tests.isolation.answers import ask
from tests.isolation.registry import known_api
from tests.isolation.registry_console import CONSOLE, known_page
from tests.isolation.routes import Route, api_routes, console_routes
from tests.isolation.test_api import Walked
from tests.isolation.world import World

pytestmark = pytest.mark.django_db
MARK = "zxmassassigned"
# What frameworks and databases are known to obey, beside our own columns.
OF_FRAMEWORKS = {
    *("_id", "id", "pk", "tenant", "user", "actor", "via", "is_staff", "is_superuser", "groups", "user_permissions"),
    *("__class__", "__proto__", "constructor", "$set", "$where", "_method", "permissions", "is_admin", "key_hash"),
}
# What differs between two things that were made alike.
_NEW = re.compile(
    r'\b[0-9a-f]{24}\b|\b[0-9a-f]{32,64}\b|\{"\$date": ?[^}]*\}|"(argon2|md5)\$[^"]*"|"prefix": "[^"]*"'
    r'|erased-[0-9a-f]{12}|"![^"]{40}"|"[\w-]{20,}[.:=][\w.:=-]+"'
)
_NAMES = re.compile(r'\bname="([^"]+)"')
# Forms that stand on another page than the one they are sent to.
FORMS_OF = {
    "console/tickets/ticket/{}/": "console/tickets/ticket/{}/change/",
    "console/tickets/ticket/bulk/apply/": "console/tickets/ticket/bulk/",
    "console/tickets/ticket/views/": "console/tickets/ticket/",
}


@cache
def every_field() -> frozenset[str]:
    """The names of all columns of all collections, as models and as MongoDB write them."""
    fields = [field for model in apps.get_models() for field in model._meta.concrete_fields]
    return (
        frozenset(name for field in fields for name in (field.name, field.attname, str(field.column))) | OF_FRAMEWORKS
    )


def marked(names: Mapping[str, Any] | frozenset[str], world: World) -> dict[str, Any]:
    """A value for each that would be found again: another tenant's ids, or the mark."""
    foreign = {"tenant_id": world.foreign.tenant, "tenant": world.foreign.tenant, "version": 424242, "number": 424242}
    return {name: foreign.get(name, MARK) for name in sorted(names)}


def test_the_api_refuses_each_field_that_a_body_does_not_have(world: World, walked: Walked) -> None:
    sent, faults = 0, []
    for route, method, body in _bodies(world):
        declared = _declared(route, method)
        if declared is None:
            continue
        extra = marked(every_field() - declared, world)
        for form in (False, True):
            if form and not _is_flat(body):
                continue
            answer = ask(_who(world, route), method, _url(world, route), {**body, **extra}, form=form)
            named = {each["field"] for each in json.loads(answer.body or "{}").get("errors", ())}
            if answer.status != 400 or not named >= extra.keys() or answer.written - {"sign_in_attempts"}:
                ignored = sorted(extra.keys() - named)
                faults.append(f"{method} {route.template}: {answer.status} {answer.written} not refused: {ignored}")
                world.snapshot.undo()
            sent += len(extra)
    walked(sent, "fields too many in bodies of the API")
    tell(
        "Mass assignment", "fields taken that a body does not have", str(len(faults)), "0", not faults, f"{sent:,} sent"
    )
    assert sent
    assert not faults, "\n".join(faults)


def test_what_takes_no_body_heeds_none(world: World, walked: Walked) -> None:
    sent, faults = 0, []
    for route, method, _ in _bodies(world):
        if _declared(route, method) is None and route.template != "api/v1/uploads/{}":
            bare, full = (
                _written(world, _who(world, route), method, _url(world, route), body)
                for body in (None, marked(every_field(), world))
            )
            sent += len(every_field())
            if full != bare:
                faults.append(f"{method} {route.template}: {[*bare - full]}\nbecame {[*full - bare]}")
    walked(sent, "fields in bodies that nobody asks for")
    assert sent
    assert not faults, "\n".join(faults)


def test_the_console_heeds_no_field_that_a_form_does_not_have(world: World, walked: Walked) -> None:
    sent, faults = 0, []
    for route in console_routes():
        page = known_page(route)
        role = next((role for role in ("agent", "admin", "operator") if role in page.roles), "admin")
        url, who = route.url(*page.arguments(world.own)), world.console[role]
        legitimate = _names_on_page(world, who, route)
        for form in page.kinds(world.own):
            posted = dict(form(world.own))
            extra = marked(every_field() - legitimate - posted.keys(), world)
            bare = _written(world, who, "POST", url, dict(form(world.own)), form=True)
            full = _written(world, who, "POST", url, {**extra, **form(world.own)}, form=True)
            sent += len(extra)
            if full != bare:
                faults.append(f"{url} as {role} {posted}: {[*bare - full]}\nbecame {[*full - bare]}")
    walked(sent, "fields too many in forms of the console")
    tell("Mass assignment", "forms of the console that heed them", str(len(faults)), "0", not faults, f"{sent:,} sent")
    assert sent
    assert not faults, "\n".join(faults)


def test_a_form_that_takes_too_much_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the walk above would prove nothing: a field that the page does show is heeded."""
    who = world.console["admin"]
    url = f"/console/accounts/user/{world.own.user}/change/"
    [form, *_] = CONSOLE["console/accounts/user/{}/change/"].forms
    bare = _written(world, who, "POST", url, dict(form(world.own)), form=True)
    more = _written(world, who, "POST", url, {**form(world.own), "role": "agent"}, form=True)
    assert bare != more


def _bodies(world: World) -> Iterator[tuple[Route, str, dict[str, Any]]]:
    for route in api_routes():
        for method in sorted(route.methods - {"GET"}):
            yield route, method, known_api(route).bodies[method][0](world.own_of("admin")) or {}


def _declared(route: Route, method: str) -> frozenset[str] | None:
    """What a body may have; None where there is none."""
    found = [each[method] for each in (route.view.inputs, route.view.json_inputs) if method in each]
    fields: list[Serializer[Any]] = [serializer() for serializer in found]
    return frozenset(name for each in fields for name in each.fields) if fields else None


def _is_flat(body: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str | int) for value in body.values())


def _who(world: World, route: Route) -> Mapping[str, str]:
    return world.api["nobody" if route.view.public else "admin"]


def _url(world: World, route: Route) -> str:
    return route.url(*known_api(route).arguments(world.own_of("admin"))[0])


def _names_on_page(world: World, who: Mapping[str, str], route: Route) -> set[str]:
    """The fields of the forms that a person sees there."""
    shown = [route.template, *(page for start, page in FORMS_OF.items() if route.template.startswith(start))]
    names: set[str] = set()
    for template in shown:
        page = CONSOLE[template]
        if not page.post_only:
            url = "/" + template.format(*page.arguments(world.own))
            asked = [ask(who, "GET", url)]
            if template != route.template:  # a page of several steps
                asked += [ask(who, "POST", url, dict(form(world.own)), form=True) for form in page.forms]
            names |= {name.removeprefix("initial-") for answer in asked for name in _NAMES.findall(answer.body)}
            world.snapshot.undo({name for answer in asked for name in answer.written} or {"tickets"})
    return names


def _written(
    world: World, who: Mapping[str, str], method: str, url: str, body: Any, *, form: bool = False
) -> Counter[tuple[str, str, str]]:
    """What the request left in the database, without what differs each time; it is taken back."""
    answer = ask(who, method, url, body, form=form)
    left = world.snapshot.undo(answer.written) if answer.written else []
    assert not (found := [each for each in left if MARK in each.text or world.secrets.search(each.text)]), found
    owners = {world.cast.acme.pk: "acme", None: "nobody"}
    stored = [
        (each.collection, owners.get(each.tenant_id, "another"), _NEW.sub("<new>", each.text))
        for each in left
        if each.collection != "django_session" and not each.collection.startswith("stat_")  # folded now and then
    ]
    return Counter([("status", str(answer.status), ""), *stored])
