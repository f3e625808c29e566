"""The jobs as `manage.py worker --list` shows them."""

from datetime import timedelta

from ticketing.clock import now
from ticketing.jobs.registry import Job, known_jobs
from ticketing.jobs.repository import JobRepository
from ticketing.mongo.repository import Document

_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))


def list_jobs() -> str:
    """Each job of this version: its schedule and state, what it does, and how the last run went or this one goes."""
    states = read_states()
    return "\n".join(line for job in known_jobs().values() for line in _describe(job, states.get(job.name)))


def read_states() -> dict[str, Document]:
    """What is stored of each job, by its name, with its state."""
    return {state["_id"]: state for state in JobRepository().states()}


def brief(duration: timedelta) -> str:
    """A duration in its largest unit: "90 s" is "1 min"."""
    unit, length = next(((unit, length) for unit, length in _UNITS if duration >= length), ("s", timedelta(seconds=1)))
    return f"{duration // length} {unit}"


def figures(notes: Document) -> str:
    """A run's notes in a line."""
    return ", ".join(f"{name} {value}" for name, value in notes.items())


def _describe(job: Job, state: Document | None) -> list[str]:
    told = "never run" if state is None else _tell_state(state)
    lines = [f"{job.name:24} every {brief(job.every):7} {told}", f"    {job.description}"]
    if state is not None and state["last_outcome"]:
        lines.append(f"    {_tell_last_run(state)}")
    return lines


def _tell_state(state: Document) -> str:
    if state["state"] == "running":
        progress = figures(state["notes"])
        since = brief(now() - state["last_started_at"])
        return f"running for {since} by {state['holder']}{progress and ': ' + progress}"
    wait = state["next_at"] - now()
    when = f"in {brief(wait)}" if wait > timedelta() else f"due for {brief(-wait)}"
    return f"{state['state']}, {when}"


def _tell_last_run(state: Document) -> str:
    finished = state["last_finished_at"]
    when = f" {brief(now() - finished)} ago in {state['last_milliseconds']} ms" if finished else ""
    notes = "" if state["state"] == "running" else figures(state["notes"])
    failures = f"; {state['failures']} failures in a row" if state["failures"] else ""
    error = f": {state['last_error']}" if state["last_error"] else ""
    return f"{state['last_outcome']}{when}{notes and ': ' + notes}{failures}{error}"
