"""Within a tenant: whatever a customer asks, an internal note changes nothing of the answer.

Everything is asked twice, before and after staff wrote notes with files, and the answers must be the same to the last
byte: what notes are counted in, sorted by, found by, dated by or versioned by shows without being looked for.
"""

import re

import pytest

from accounts.roles import Role
from tests.cast import actor_of, make_user
from tests.isolation.answers import Answer, ask, change, difference, leak
from tests.isolation.questions import SECRET, questions
from tests.isolation.registry import known_api, nothing
from tests.isolation.routes import api_routes
from tests.isolation.test_api import Walked
from tests.isolation.world import MISSING, Ids, World, add_note
from ticketing import clock
from tickets.conversation.services import edit_comment

pytestmark = pytest.mark.django_db


def test_notes_change_no_answer_to_a_customer(world: World, walked: Walked) -> None:
    started = clock.now().isoformat()
    asked = list(questions(world, started))
    before = [_ask(world, question) for question in asked]
    _write_notes(world)
    faults = []
    for question, first in zip(asked, before, strict=True):
        second = _ask(world, question)
        if found := change(first, second):
            faults.append(f"{question}: shows that there are notes: {found}")
        if found := leak(second, _secrets(world), *question):
            faults.append(f"{question}: leaks …{found}…")
    walked(len(asked), "questions of a customer before and after internal notes")
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)


def test_the_questions_reach_what_the_notes_touch(world: World) -> None:
    """The same questions from an agent do change, or the test above would prove nothing."""
    urls = [url for url, html in questions(world, "2020-01-01T00:00:00Z") if not html and "?" not in url]
    before = [ask(world.api["agent"], "GET", url) for url in urls]
    _write_notes(world)
    changed = {
        url for url, first in zip(urls, before, strict=True) if change(first, ask(world.api["agent"], "GET", url))
    }
    ticket = f"/api/v1/tickets/{world.own.ticket}"
    assert {"/api/v1/tickets", ticket, f"{ticket}/comments", f"{ticket}/events", f"{ticket}/attachments"} <= changed


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
def test_a_note_and_its_files_are_missing_to_a_customer(world: World, walked: Walked, method: str) -> None:
    hidden = {"comment": world.own.note, "attachment": world.own.internal_attachment}
    internal = Ids(**{**vars(world.own), **hidden})
    missing = Ids(**{**vars(world.own), "comment": MISSING.comment, "attachment": MISSING.attachment})
    faults = []
    for route in api_routes():
        known = known_api(route)
        for body in known.bodies.get(method, [nothing]):
            asked = [
                ask(world.api["user"], method, route.url(*known.arguments(ids)[0]), body(ids))
                for ids in (internal, missing)
                if set(known.names) & hidden.keys() or str(body(internal)) != str(body(missing))
            ]
            if asked and (found := difference(asked[0], internal, asked[1], missing)):
                faults.append(f"{method} {route.template}: not as missing: {found}")
    walked(len(api_routes()), "routes asked for notes")
    assert not faults, "\n".join(faults)


def _ask(world: World, question: tuple[str, bool]) -> Answer:
    url, html = question
    return ask(world.api["user"], "GET", url, html=html)


def _write_notes(world: World) -> None:
    """Notes by an agent who did nothing else, with a file and a correction, on tickets of both customers."""
    agent = actor_of(make_user(world.cast.acme, f"{SECRET}@acme.test", f"{SECRET} agent", Role.AGENT))
    for ticket in (world.own.ticket, world.own.others_ticket, world.own.number):
        note, _ = add_note(agent, ticket, f"{SECRET}note")
        edit_comment(agent, note["_id"], f"{SECRET}note corrected")


def _secrets(world: World) -> re.Pattern[str]:
    """What only notes tell, the world's own note among them."""
    known = [SECRET, "zxacmenote", "Nora", world.own.note, world.own.internal_attachment]
    return re.compile("|".join(map(re.escape, known)), re.IGNORECASE)
