"""What clients have sent and what they were answered, for comparing it with what is stored."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import httpx

from benchmarks.results import Figure

DONE, REFUSED, AGAIN = "done", "refused", "again"
IN_FLIGHT = "idempotency_key_in_flight"
PROBLEM_JSON = "application/problem+json"
_REFUSALS = {400, 404, 409, 412}  # what others did meanwhile, or the state of the ticket, may well bring about


@dataclass(frozen=True, slots=True)
class Mark:
    """A text that no other write of the trial holds, and what kind of write holds it."""

    kind: str
    text: str


@dataclass
class Journal:
    """What all clients of a trial saw; times are of the monotonic clock."""

    acknowledged: dict[Mark, float] = field(default_factory=dict)
    refused: set[Mark] = field(default_factory=set)
    unknown: set[Mark] = field(default_factory=set)  # cut off, and without a key that makes it safe to repeat
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)  # by what was answered, in seconds
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def judge(self, answer: httpx.Response | Exception, seconds: float) -> str:
        """Notes an answer, and tells what becomes of the write: done, refused for good, or to be sent again."""
        if isinstance(answer, httpx.TransportError):
            what, verdict = type(answer).__name__, AGAIN
        elif isinstance(answer, Exception):
            raise answer
        else:
            what, verdict = self._judge(answer)
        with self._lock:
            self.answers[what] += 1
            self.slowest[what] = max(seconds, self.slowest.get(what, 0.0))
        return verdict

    def keep(self, mark: Mark, verdict: str, *, repeatable: bool = True) -> None:
        """Notes what became of a write. What has to be sent again, and cannot be, stays unknown."""
        with self._lock:
            if verdict == DONE:
                self.acknowledged[mark] = time.monotonic()
            elif verdict == REFUSED:
                self.refused.add(mark)
            elif not repeatable:
                self.unknown.add(mark)

    def acknowledged_since(self, moment: float) -> bool:
        return any(at > moment for at in list(self.acknowledged.values()))

    def longest_silence(self, since: float) -> float:
        """The longest time in which nothing was acknowledged, in seconds."""
        times = sorted(at for at in list(self.acknowledged.values()) if at >= since)
        return max((after - before for before, after in pairwise(times)), default=0.0)

    def described(self) -> str:
        answers = ", ".join(f"{number} × {what}" for what, number in self.answers.most_common())
        return f"{len(self.acknowledged)} writes acknowledged; answers: {answers}"

    def _judge(self, answer: httpx.Response) -> tuple[str, str]:
        if answer.is_success or answer.is_redirect:
            return str(answer.status_code), DONE
        media_type = answer.headers.get("Content-Type", "").partition(";")[0]
        is_json = media_type in {PROBLEM_JSON, "application/json"}
        code = answer.json().get("code", "") if is_json else ""
        what = f"{answer.status_code} {code}".strip()
        if answer.status_code == 503:
            if not is_json or not answer.headers.get("Retry-After", "").isdigit():
                self.wrong.append(f"503 {dict(answer.headers)} {answer.text[:200]}")
            return what, AGAIN
        if code == IN_FLIGHT:
            return what, AGAIN
        if answer.status_code not in _REFUSALS or not is_json:
            self.wrong.append(f"{answer.request.method} {answer.request.url}: {what} {answer.text[:300]}")
            return what, AGAIN
        return what, REFUSED


def compare(section: str, journal: Journal, stored: Counter[Mark]) -> list[Figure]:
    """Every acknowledged write is there once, every refused one not at all, and every other one once at most."""
    lost = [mark for mark in journal.acknowledged if not stored[mark]]
    twice = [mark for mark, number in stored.items() if number > 1]
    though_refused = [mark for mark in journal.refused if stored[mark]]
    for name, marks in (("lost", lost), ("there twice", twice), ("there though refused", though_refused)):
        if marks:
            print(f"  {name}: {[f'{mark.kind} {mark.text}' for mark in marks[:10]]}")
    for wrong in journal.wrong[:10]:
        print(f"  a wrong answer: {wrong}")
    how = f"{len(journal.acknowledged):,} acknowledged; those cut off repeated with their Idempotency-Key"
    return [
        none_of(section, "acknowledged writes that are lost", len(lost), how),
        none_of(section, "writes that are there twice", len(twice), how),
        none_of(section, "refused writes that are there", len(though_refused), f"{len(journal.refused):,} refused"),
        none_of(section, "wrong answers", len(journal.wrong), "neither success, 4xx, nor 503 with Retry-After"),
    ]


def none_of(section: str, what: str, number: int, how: str = "") -> Figure:
    """What there may be none of."""
    return Figure(section, what, f"{number:,}", "0", number == 0, how)
