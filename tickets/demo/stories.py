"""Makes up the demo's tickets: who writes about what, what staff does about it, and how far that has come."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from accounts.actor import Actor, Via
from ticketing.mongo import ObjectId
from tickets.conversation.models import Visibility
from tickets.demo.history import History
from tickets.models import Channel, Status
from tickets.rules import Content, clean_tags
from tickets.search.rules import language_of
from tickets.services import new_ticket_document

DAYS = 180
_OUTCOMES = [Status.CLOSED, Status.RESOLVED, Status.OPEN, Status.PENDING, Status.ON_HOLD, Status.NEW]
# How likely each outcome is for tickets of the last days, of the last weeks, and for older ones.
_ODDS = [
    (timedelta(days=4), (1, 4, 8, 5, 2, 12)),
    (timedelta(days=35), (14, 12, 5, 5, 3, 1)),
    (timedelta.max, (50, 8, 1, 1, 1, 0)),
]
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# A step of a story: how long after the one before it happens, and what happens then.
Step = tuple[timedelta, Callable[[datetime], None]]


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of one tenant as actors; ``teams`` are the ids that staff choose from, ``secret`` the notes' word."""

    customers: Sequence[Actor]
    staff: Sequence[Actor]
    secret: str


def tell_stories(cast: Cast, first_number: int, amount: int, end: datetime) -> Iterator[History]:
    """``amount`` tickets opened within DAYS before ``end``, oldest first; the same ones for the same arguments."""
    slug = cast.staff[0].tenant.slug
    random = Random(f"demo of {slug}")  # noqa: S311 - must be repeatable
    book = _Book(slug)
    # The square makes the last weeks busier, so that the queue is not empty.
    opened = sorted(end - _DAY * max(0.05, DAYS * random.random() ** 2) for _ in range(amount))
    for number, moment in enumerate(opened, first_number):
        at = moment.replace(microsecond=0)
        yield _Story(random, cast, book.texts(random), number).tell(at, end)


class _Book:
    """The topics of one tenant."""

    def __init__(self, slug: str) -> None:
        content = tomllib.loads(Path(__file__).with_name("topics.toml").read_text(encoding="utf-8"))
        self._topics = [topic for topic in content["topic"] if slug in topic.get("tenants", [slug])]
        self._words: Mapping[str, list[str]] = content["words"][slug]

    def texts(self, random: Random) -> dict[str, Any]:
        """A topic with its texts filled in, and one of its titles as ``title``."""
        words: dict[str, Any] = {name: random.choice(choices) for name, choices in self._words.items()}
        words |= {"n": random.randint(4, 19), "code": f"{random.choice('ABHKRX')}{random.randint(10_000, 99_999)}"}
        words["amount"] = f"{random.randint(40, 4_000)}.{random.choice(['00', '50', '90'])}"
        topic = random.choice(self._topics)
        texts = {name: value.format(**words) for name, value in topic.items() if isinstance(value, str)}
        return {**texts, "title": random.choice(topic["titles"]).format(**words), "tags": clean_tags(topic["tags"])}


class _Story:
    def __init__(self, random: Random, cast: Cast, texts: dict[str, Any], number: int) -> None:
        self._random = random
        self._texts = texts
        self._number = number
        self._secret = cast.secret
        self._customer = random.choice(cast.customers)
        self._agent, self._colleague = random.sample(cast.staff, 2)
        self._history: History

    def tell(self, at: datetime, end: datetime) -> History:
        self._open(at)
        odds = next(odds for age, odds in _ODDS if end - at < age)
        steps = list(self._steps(self._random.choices(_OUTCOMES, odds)[0]))
        delays = [delay * self._random.uniform(0.3, 1.7) for delay, _ in steps]
        # Nothing may happen after the end, so a young ticket's story runs faster.
        pace = min(1.0, (end - at) * 0.95 / max(sum(delays, timedelta()), _MINUTE))
        for delay, (_, happens) in zip(delays, steps, strict=True):
            at = (at + delay * pace + timedelta(seconds=1)).replace(microsecond=0)
            happens(at)
        return self._history

    def _open(self, at: datetime) -> None:
        texts = self._texts
        channel = self._random.choices([Channel.API, Channel.EMAIL, Channel.CONSOLE], [5, 4, 1])[0]
        opener = self._agent if channel == Channel.CONSOLE else replace(self._customer, via=Via(channel.value))
        customer_id = self._customer.user_id
        assert customer_id is not None
        content = Content(texts["title"], texts["description"].strip())
        ticket = new_ticket_document(
            self._number, content, customer_id, channel.value, language_of(opener.tenant.locale)
        )
        ticket |= {"category": texts["category"], "type": texts["type"]}
        self._history = History(opener, ticket, at, self._random)

    def _steps(self, outcome: Status) -> Iterator[Step]:
        if outcome == Status.NEW:
            if self._random.random() < 0.3:
                yield _HOUR, self._notes("Not assigned yet: who knows this best?", self._colleague)
            return
        yield from self._triage()
        yield from self._first_answer(outcome)
        if outcome in (Status.OPEN, Status.PENDING, Status.ON_HOLD):
            return
        yield from self._solve()
        if self._random.random() < 0.18:
            yield 2 * _DAY, self._says(self._texts["relapse"], self._customer)
            yield 3 * _HOUR, self._notes("It came back. Please look at the first solution again.", self._agent)
            yield from self._solve("We found what was left of it, sorry for the extra round. ")
        if outcome == Status.CLOSED:
            yield 5 * _DAY, self._sets(self._agent, status=Status.CLOSED.value)

    def _triage(self) -> Iterator[Step]:
        assert self._agent.user is not None
        team = self._random.choice(self._agent.user.team_ids)
        yield 40 * _MINUTE, self._sets(self._colleague, assigned_to_id=self._agent.user_id, team_id=team)
        yield 2 * _MINUTE, self._sets(self._colleague, priority=self._texts["priority"], tags=self._texts["tags"])
        if self._random.random() < 0.15:
            yield 5 * _MINUTE, self._sets(self._colleague, follower_ids=[self._colleague.user_id])

    def _first_answer(self, outcome: Status) -> Iterator[Step]:
        yield 3 * _HOUR, self._says(self._texts["question"], self._agent)
        if outcome == Status.OPEN:
            return
        yield _MINUTE, self._sets(self._agent, status=Status.PENDING.value)
        if outcome == Status.PENDING:
            return
        yield 9 * _HOUR, self._says(self._texts["reply"], self._customer)
        if self._random.random() < 0.2:
            yield _MINUTE, self._attaches("what-i-see.txt", self._texts["description"], self._customer)
        if self._random.random() < 0.7:
            yield _HOUR, self._notes(self._texts["note"], self._agent)
            if self._random.random() < 0.15:
                finding = f"{self._texts['note']} ({self._secret})"
                yield _MINUTE, self._attaches(f"analysis-{self._secret}.txt", finding, self._agent)
        if outcome == Status.ON_HOLD or self._random.random() < 0.1:
            yield 20 * _MINUTE, self._sets(self._agent, status=Status.ON_HOLD.value)
            if outcome != Status.ON_HOLD:
                yield _DAY, self._sets(self._agent, status=Status.OPEN.value)

    def _solve(self, opening: str = "") -> Iterator[Step]:
        yield 6 * _HOUR, self._says(opening + self._texts["solution"], self._agent)
        yield _MINUTE, self._sets(self._agent, status=Status.RESOLVED.value)

    def _says(self, text: str, actor: Actor) -> Callable[[datetime], None]:
        return lambda at: self._history.comment(actor, text, Visibility.PUBLIC.value, at)

    def _notes(self, text: str, actor: Actor) -> Callable[[datetime], None]:
        return lambda at: self._history.comment(actor, f"{text} ({self._secret})", Visibility.INTERNAL.value, at)

    def _attaches(self, name: str, text: str, actor: Actor) -> Callable[[datetime], None]:
        return lambda at: self._history.attach(actor, name, text.strip() + "\n", at)

    def _sets(self, actor: Actor, **wanted: str | ObjectId | list[Any] | None) -> Callable[[datetime], None]:
        return lambda at: self._history.change(actor, wanted, at)
