"""MongoDB away for a while under load, then back: `make faults TRIALS=outage`.

Once it stands still (SIGSTOP: connections stay, nothing answers), once it is stopped and started again (SIGTERM).
SECONDS is for how long, WRITERS how many clients write meanwhile.
"""

import threading
import time
from collections.abc import Callable
from typing import Self

import httpx

from benchmarks.results import Figure, at_most
from deploy.trials.books import Books
from deploy.trials.journal import Journal, compare, none_of
from deploy.trials.platform import Platform, Server
from deploy.trials.replica_set import ReplicaSet, wait_for
from deploy.trials.trial import knob, main, tell, temporary_folder
from deploy.trials.writers import Writers

SECTION = "MongoDB away under load, then back"
LONGEST_ANSWER = 30.0  # seconds, after which proxies give up


class Probes:
    """Asks for /healthz again and again, as an orchestrator does."""

    def __init__(self, server: Server) -> None:
        self.failures: list[str] = []
        self.asked, self.slowest = 0, 0.0
        self._address = f"{server.address}/healthz"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.5):
            began = time.monotonic()
            try:
                answer = httpx.get(self._address, timeout=10)
                if answer.status_code != 200:
                    self.failures.append(str(answer.status_code))
            except httpx.TransportError as error:
                self.failures.append(type(error).__name__)
            self.asked += 1
            self.slowest = max(self.slowest, time.monotonic() - began)


def run() -> list[Figure]:
    seconds = knob("SECONDS", 20)
    figures: list[Figure] = []
    with (
        ReplicaSet(1) as servers,
        temporary_folder() as folder,
        Platform(servers.uri, folder, console=True) as platform,
    ):
        server, [port] = platform.serve(), servers.ports
        journal = Journal()
        before = server.workers()
        with Probes(server) as probes, Writers(platform, server, journal, number=knob("WRITERS", 8)) as writers:
            for how, begin, end in (
                ("SIGSTOP", servers.stand_still, servers.go_on),
                ("SIGTERM", servers.stop, servers.start),
            ):
                figures.append(_away(how, journal, seconds, lambda: begin(port), lambda: end(port)))  # noqa: B023
        restarted = set(before) - set(server.workers())
        server.end()
        clients = f"{len(writers.writers)} clients on 16 threads"
        tell(journal.described())
        longest = max(journal.slowest.values())
        refused = sum(number for what, number in journal.answers.items() if what.startswith("503"))
        cut = sum(number for what, number in journal.answers.items() if what.endswith("Error"))
        figures += [
            Figure(SECTION, "answers 503 meanwhile", str(refused), "> 0", refused > 0, "each with Retry-After"),
            none_of(SECTION, "requests without an answer", cut),
            at_most(SECTION, "the longest that anybody waited for an answer", round(longest, 1), LONGEST_ANSWER, " s"),
            none_of(
                SECTION, "probes of /healthz not answered 200", len(probes.failures), f"{probes.asked} asked; {clients}"
            ),
            Figure(SECTION, "the slowest /healthz", f"{probes.slowest:.1f} s"),
            none_of(SECTION, "processes that had to be restarted", len(restarted)),
            none_of(SECTION, "writes that could not be finished in time", writers.unfinished),
            *compare(SECTION, journal, (books := Books(platform)).marks()),
            *books.faults(SECTION),
        ]
    return figures


def _away(how: str, journal: Journal, seconds: int, begin: Callable[[], None], end: Callable[[], None]) -> Figure:
    """The seconds from MongoDB's return to the first write that is acknowledged."""
    amount = len(journal.acknowledged)
    wait_for(lambda: len(journal.acknowledged) > amount + 20)
    tell(f"  {how}: MongoDB is away for {seconds} s")
    begin()
    time.sleep(seconds)
    end()
    back = time.monotonic()
    wait_for(lambda: journal.acknowledged_since(back))
    recovered = min(at for at in list(journal.acknowledged.values()) if at > back) - back
    tell(f"  {how}: the first write {recovered:.1f} s after its return")
    return at_most(SECTION, f"from its return to the first write, after {how}", round(recovered, 1), 15, " s")


if __name__ == "__main__":
    main(run)
