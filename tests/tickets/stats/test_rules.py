"""Cells, keys and filters of the statistics, without a database."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tickets.stats import rules
from tickets.stats.rules import OTHER, Categories, Cell, Facts, StatsFilter, decode, encode, flattened, net_changes

texts = st.text("ab.$%=* \0é", max_size=6)
facts = st.builds(
    Facts,
    status=st.sampled_from(["new", "open", "resolved"]),
    priority=st.sampled_from(["low", "high"]),
    category=texts,
    type=st.sampled_from(["task", "question"]),
    assigned_to=st.sampled_from(["", "a" * 24]),
    team=st.sampled_from(["", "b" * 24]),
    tags=st.sets(texts, max_size=3).map(sorted).map(tuple),
    created=st.sampled_from(["2024-01-31", "2024-02-01"]),
    resolved=st.sampled_from([None, "2024-02-01", "2024-03-05"]),
    responded=st.sampled_from([None, "2024-02-01"]),
    response_time=st.none() | st.integers(0, 200),
    resolution_time=st.none() | st.integers(0, 200),
)
NAMED = Categories(frozenset({"a", "b"}))


def facts_with(**values: object) -> Facts:
    base = {"status": "new", "priority": "low", "category": "", "type": "task", "assigned_to": "", "team": ""}
    return Facts(**{**base, "tags": (), "created": "2024-01-31", "resolved": None, **values})  # type: ignore[arg-type]


@given(texts)
def test_keys_keep_any_text_and_mean_nothing_to_the_database(text: str) -> None:
    key = encode(text)
    assert decode(key) == text
    assert key != OTHER
    assert not set(".$\0") & set(key)


@given(facts)
def test_facts_survive_storage(given: Facts) -> None:
    assert Facts.stored(given.as_document(), given.times_document()) == given


def test_facts_of_the_previous_version_have_no_times() -> None:
    stored = Facts.stored(facts_with(resolved="2024-02-07", resolution_time=9).as_document(), None)
    assert stored == facts_with(resolved="2024-02-07")
    assert not list(stored.times())


@given(st.lists(st.tuples(facts | st.none(), facts | st.none()), max_size=8))
def test_changes_add_up_whatever_the_order_and_the_batches(changes: list[tuple[Facts | None, Facts | None]]) -> None:
    together = net_changes(changes, NAMED)
    one_by_one: dict[Cell, Counter[str]] = {}
    for change in reversed(changes):
        for cell, counts in net_changes([change], NAMED).items():
            total = one_by_one.setdefault(cell, Counter())
            total.update(counts)
    kept = {cell: {path: n for path, n in counts.items() if n} for cell, counts in one_by_one.items()}
    assert {cell: dict(counts) for cell, counts in together.items()} == {c: p for c, p in kept.items() if p}


@given(facts)
def test_a_ticket_that_goes_leaves_nothing(given: Facts) -> None:
    assert net_changes([(None, given), (given, None)], NAMED) == {}


def test_a_ticket_in_its_cells() -> None:
    counted = net_changes([(None, facts_with(tags=("x", "y"), resolved="2024-02-07"))], NAMED)
    assert counted[Cell("", "", "all", "")]["total.new"] == 1
    assert counted[Cell("tag", "=x", "month", "2024-01")]["created.31.new"] == 1
    assert counted[Cell("tag", "=y", "month", "2024-02")]["resolved.07.new"] == 1
    assert counted[Cell("priority", "=low", "day", "2024-01-31")]["by.category.*.new"] == 1
    assert not any(cell.level == "day" and cell.dimension == "tag" for cell in counted)


def test_how_long_a_ticket_took_is_counted_apart() -> None:
    times = {"resolved": "2024-02-07", "resolution_time": 90, "responded": "2024-01-31", "response_time": 40}
    counted = net_changes([(None, facts_with(status="closed", **times))], NAMED)
    assert counted[Cell("", "", "times", "2024-01")] == {"first_response.31.closed.40": 1, "weight": 1}
    assert counted[Cell("priority", "=low", "times", "2024-02")] == {"resolution.07.closed.90": 1, "weight": 1}
    rest = {cell: counts for cell, counts in counted.items() if cell.level != "times"}
    untimed = net_changes([(None, facts_with(status="closed", resolved="2024-02-07"))], NAMED)
    assert rest == untimed


def test_flattened_is_the_inverse_of_storing_paths() -> None:
    cell = {
        "weight": 2,
        "total": {"new": 2, "open": 0},
        "by": {"team": {"=": {"new": 2}}},
        "created": {"31": {"new": 2}},
    }
    assert flattened(cell) == {"weight": 2, "total.new": 2, "by.team.=.new": 2, "created.31.new": 2}


def test_only_so_many_categories_are_named(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(rules, "MAX_CATEGORIES", 2)
    first = Categories().after([facts_with(category="one"), facts_with(category="two"), facts_with(category="three")])
    assert first.named == {"one", "two"}
    assert first.after([facts_with(category="four")]) == first
    assert first.name_of("three") is None
    assert not first.names("three")
    assert Categories(frozenset({"one"})).names("three")


def test_which_filters_cells_can_answer() -> None:
    some = "a" * 24
    assert StatsFilter(status=("new", "open")).slices(NAMED) == [("", "")]
    assert StatsFilter(assigned_to=(None, some)).slices(NAMED) == [("assigned_to", "="), ("assigned_to", f"={some}")]
    assert StatsFilter(tag=("x",)).slices(NAMED) == [("tag", "=x")]
    assert StatsFilter(tag=("x", "y")).slices(NAMED) is None
    assert StatsFilter(priority=("low",), type=("task",)).slices(NAMED) is None
    assert StatsFilter(residual={"number": 1}).slices(NAMED) is None
