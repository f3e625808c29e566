"""The default workflow, written out: each change of status and who may take it."""

import pytest

from ticketing.errors import InvalidTransition
from tickets.models import Status
from tickets.workflow.rules import DEFAULT_WORKFLOW, STATUSES

STAFF_MAY = {
    "new": ["open", "pending", "on_hold", "resolved", "closed"],
    "open": ["pending", "on_hold", "resolved", "closed"],
    "pending": ["open", "on_hold", "resolved", "closed"],
    "on_hold": ["open", "pending", "resolved", "closed"],
    "resolved": ["open", "closed"],
    "closed": [],
}
CUSTOMERS_MAY = {
    "new": ["resolved"],
    "open": ["resolved"],
    "pending": ["resolved"],
    "on_hold": ["resolved"],
    "resolved": ["open"],
    "closed": [],
}


def test_the_table_knows_the_models_statuses() -> None:
    assert list(STATUSES) == Status.values


@pytest.mark.parametrize(("role", "table"), [("agent", STAFF_MAY), ("admin", STAFF_MAY), ("user", CUSTOMERS_MAY)])
@pytest.mark.parametrize("source", STATUSES)
def test_each_change_is_granted_or_refused(role: str, table: dict[str, list[str]], source: str) -> None:
    assert DEFAULT_WORKFLOW.allowed(source, role) == table[source]
    for target in STATUSES:
        if target in table[source]:
            DEFAULT_WORKFLOW.check(source, target, role)
            continue
        with pytest.raises(InvalidTransition) as refused:
            DEFAULT_WORKFLOW.check(source, target, role)
        assert refused.value.data["allowed_transitions"] == table[source]


def test_an_unknown_role_may_nothing() -> None:
    assert all(DEFAULT_WORKFLOW.allowed(source, "operator") == [] for source in STATUSES)
