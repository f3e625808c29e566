"""Deterministic synthetic helpdesk data, the same for every target.

Ticket i (0-based) of a data set of a given size is always the same; loaders
keep the order, so that "dataset index -> native id" stays computable.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

SEED = 20240607
SIZES = {"1k": 1_000, "20k": 20_000, "200k": 200_000, "1m": 1_000_000}
STATUSES = ("open", "in_progress", "pending", "resolved", "closed")
STATUS_WEIGHTS = (25, 15, 10, 20, 30)
PRIORITIES = ("low", "medium", "high", "critical")
PRIORITY_WEIGHTS = (30, 45, 20, 5)
CATEGORIES = ("hardware", "software", "network", "access", "email", "billing", "security", "other")
TENANTS = 5  # tenant 0 holds 80 % of the tickets, the others 5 % each
BIG_TENANT = 0
AGENTS = 20  # per tenant; the benchmark user is agent 0 of tenant 0
REQUESTERS = 200  # per tenant
VOCAB = 5_000
RARE_WORDS = 10  # each occurs in about RARE_HITS tickets, at any size
RARE_HITS = 20
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=730)
CHUNK = 1_000

_ONSET = "b c d f g h j k l m n p r s t v w z br cr dr fl gr pl st tr".split()  # noqa: SIM905
_VOWEL = "a e i o u ai ea io ou".split()  # noqa: SIM905
_CODA = ["", "", "n", "r", "s", "t", "l", "m", "nd", "st"]


def _vocabulary() -> list[str]:
    rng = random.Random(SEED)
    seen: dict[str, None] = {}
    while len(seen) < VOCAB:
        syllables = rng.choice((2, 2, 2, 3))
        word = "".join(rng.choice(_ONSET) + rng.choice(_VOWEL) for _ in range(syllables)) + rng.choice(_CODA)
        if len(word) >= 4:
            seen[word] = None
    return list(seen)


WORDS = _vocabulary()
_CUM = list(itertools.accumulate(1.0 / (rank + 1) for rank in range(VOCAB)))
# about a quarter of the tickets contain each of these
COMMON = WORDS[30:38]
# no vowels: cannot occur inside an ordinary word
RARE = [f"qxj{chr(ord('k') + k)}zv" for k in range(RARE_WORDS)]


@dataclass(slots=True)
class Comment:
    author: int  # agent number within the tenant
    body: str
    created: datetime
    internal: bool


@dataclass(slots=True)
class Ticket:
    index: int
    tenant: int
    title: str
    description: str
    status: str
    priority: str
    category: str
    requester: int
    assignee: int | None
    created: datetime
    updated: datetime
    comments: list[Comment] = field(default_factory=list)


def text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, cum_weights=_CUM, k=words))


def agent_login(tenant: int, agent: int) -> str:
    return f"agent{tenant}x{agent}"


def requester_email(tenant: int, requester: int) -> str:
    return f"user{tenant}x{requester}@example.org"


def chunk(size: int, start: int) -> Iterator[Ticket]:
    """Yields the tickets of one chunk; every chunk has a seed of its own."""
    step = SPAN / size
    rare_every = max(size // (RARE_WORDS * RARE_HITS), 2)
    rng = random.Random(f"{SEED}:{size}:{start}")
    for i in range(start, min(start + CHUNK, size)):
        tenant = BIG_TENANT if rng.random() < 0.8 else rng.randrange(1, TENANTS)
        created = EPOCH + step * i
        description = text(rng, rng.randint(62, 78))
        if i % rare_every == 1:
            tenant = BIG_TENANT
            description += " " + RARE[(i // rare_every) % RARE_WORDS]
        t = Ticket(
            index=i,
            tenant=tenant,
            title=text(rng, rng.randint(5, 9)).capitalize(),
            description=description,
            status=rng.choices(STATUSES, STATUS_WEIGHTS)[0],
            priority=rng.choices(PRIORITIES, PRIORITY_WEIGHTS)[0],
            category=rng.choice(CATEGORIES),
            requester=rng.randrange(REQUESTERS),
            assignee=rng.randrange(AGENTS) if rng.random() < 0.85 else None,
            created=created,
            updated=created,
        )
        for k in range(rng.choice((1, 2, 3, 3, 4, 5))):
            t.updated = created + timedelta(hours=1 + 3 * k)
            t.comments.append(
                Comment(rng.randrange(AGENTS), text(rng, rng.randint(15, 40)), t.updated, rng.random() < 0.2)
            )
        yield t


def tickets(size: int) -> Iterator[Ticket]:
    """Yields Ticket 0..size-1, oldest first."""
    for start in range(0, size, CHUNK):
        yield from chunk(size, start)


def big_tenant_indexes(size: int, count: int) -> list[int]:
    """A fixed random sample of the indexes that belong to the big tenant."""
    rng = random.Random(f"{SEED}:sample:{size}")
    starts = rng.sample(range(0, size, CHUNK), min(8, len(range(0, size, CHUNK))))
    pool = [t.index for start in sorted(starts) for t in chunk(size, start) if t.tenant == BIG_TENANT]
    rng.shuffle(pool)
    return pool[:count]
