"""The workflow: which changes of status exist and who may take each. A table, so that it can become a tenant's data."""

from collections.abc import Iterable
from dataclasses import dataclass

from ticketing.errors import InvalidTransition, Message

NEW, OPEN, PENDING, ON_HOLD, RESOLVED, CLOSED = "new", "open", "pending", "on_hold", "resolved", "closed"
STATUSES = (NEW, OPEN, PENDING, ON_HOLD, RESOLVED, CLOSED)
UNRESOLVED = (NEW, OPEN, PENDING, ON_HOLD)
_WORDS = {
    NEW: Message("new"),
    OPEN: Message("open"),
    PENDING: Message("pending"),
    ON_HOLD: Message("on_hold"),
    RESOLVED: Message("resolved"),
    CLOSED: Message("closed"),
}

STAFF = frozenset({"agent", "admin"})
ANYONE = STAFF | {"user"}


@dataclass(frozen=True, slots=True)
class Transition:
    """A change from one status to another and the roles that may take it."""

    source: str
    target: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Workflow:
    """A set of transitions, and what an answer does: the status that a ticket moves to when somebody answers in it."""

    transitions: tuple[Transition, ...]
    on_customer_answer: dict[str, str]
    on_staff_answer: dict[str, str]

    def allowed(self, source: str, role: str) -> list[str]:
        """The statuses that a role may choose from ``source``, in the workflow's order."""
        targets = {t.target for t in self.transitions if t.source == source and role in t.roles}
        return [status for status in STATUSES if status in targets]

    def check(self, source: str, target: str, role: str) -> None:
        """Raises InvalidTransition, with ``allowed_transitions``, unless the role may go from source to target."""
        allowed = self.allowed(source, role)
        if target not in allowed:
            choices = tuple(_WORDS[status] for status in allowed) or Message("none: this status is final for you")
            text = "{source} cannot become {target} here; allowed: {choices}"
            raise InvalidTransition(
                Message(text, source=_WORDS[source], target=_WORDS.get(target, target), choices=choices),
                data={"from": source, "to": target, "allowed_transitions": allowed},
            )


def _from(source: str, targets: Iterable[str], roles: frozenset[str] = STAFF) -> list[Transition]:
    return [Transition(source, target, roles) for target in targets]


DEFAULT_WORKFLOW = Workflow(
    transitions=(
        *_from(NEW, [OPEN, PENDING, ON_HOLD, CLOSED]),
        *_from(OPEN, [PENDING, ON_HOLD, CLOSED]),
        *_from(PENDING, [OPEN, ON_HOLD, CLOSED]),
        *_from(ON_HOLD, [OPEN, PENDING, CLOSED]),
        *_from(RESOLVED, [CLOSED]),
        # A customer may say that it is solved, and that it is not.
        *(Transition(source, RESOLVED, ANYONE) for source in UNRESOLVED),
        Transition(RESOLVED, OPEN, ANYONE),
    ),
    on_customer_answer={PENDING: OPEN, RESOLVED: OPEN},
    on_staff_answer={NEW: OPEN},
)
