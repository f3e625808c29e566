"""The decorator refuses what would never work, and leaves the function as it is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ticketing.jobs import Run, job, registry


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_jobs", {})
    return


def test_a_job_is_registered_and_stays_a_function() -> None:
    @job("tea.make", every=timedelta(hours=1))
    def make(run: Run) -> None:
        """Makes tea.

        More about it.
        """
        run.note(cups=2)

    known = registry.known_jobs()["tea.make"]
    assert (known.description, known.every, known.lease) == ("Makes tea.", timedelta(hours=1), timedelta(minutes=5))
    run = Run("tea.make")
    make(run)
    assert run.notes == {"cups": 2}


def test_names_are_given_once() -> None:
    def make(run: Run) -> None:
        """Makes tea."""

    job("tea.make", every=timedelta(hours=1))(make)
    with pytest.raises(ValueError, match=r"a job 'tea\.make' already"):
        job("tea.make", every=timedelta(hours=1))(make)


def test_what_cannot_work_is_refused() -> None:
    def silent(run: Run) -> None:
        pass

    with pytest.raises(ValueError, match="docstring"):
        job("silent", every=timedelta(hours=1))(silent)
    silent.__doc__ = "Says it."
    with pytest.raises(ValueError, match="too often"):
        job("silent", every=timedelta(seconds=9))(silent)
    with pytest.raises(ValueError, match="too short"):
        job("silent", every=timedelta(hours=1), lease=timedelta(milliseconds=10))(silent)


def test_a_run_says_when_to_stop_and_remembers_that_it_did() -> None:
    answers = iter([False, True, False])
    run = Run("tea.make", stop=lambda: next(answers))
    assert [run.stopping, run.was_interrupted] == [False, False]
    assert [run.stopping, run.stopping, run.was_interrupted] == [True, True, True]


def test_the_last_figure_of_a_name_counts() -> None:
    run = Run("tea.make")
    before = run.notes
    run.note(cups=1, kind="green")
    run.note(cups=2)
    assert run.notes == {"cups": 2, "kind": "green"}
    assert before == {}
