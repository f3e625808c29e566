"""Three MongoDB servers, the primary SIGKILLed under load, again and again: `make faults TRIALS=failover`.

Clients write through gunicorn; what is cut off they repeat with the same Idempotency-Key until it is acknowledged.
KILLS says how often, WRITERS how many write, ELECTION_TIMEOUT_MS how long the other servers wait for the primary
(10000, which is MongoDB's own).
"""

import statistics
import time

from benchmarks.results import Figure, at_most
from deploy.trials.books import Books
from deploy.trials.journal import IN_FLIGHT, Journal, compare, none_of
from deploy.trials.platform import Platform
from deploy.trials.replica_set import ReplicaSet, wait_for
from deploy.trials.trial import knob, main, tell, temporary_folder
from deploy.trials.writers import Writers

SECTION = "The primary SIGKILLed under load, three MongoDB servers"
LOAD_SECONDS = 5.0  # before each kill
LONGEST_WINDOW = 30.0


def run() -> list[Figure]:
    kills, election = knob("KILLS", 3), knob("ELECTION_TIMEOUT_MS", 10_000)
    with (
        ReplicaSet(3, election) as servers,
        temporary_folder() as folder,
        Platform(servers.uri, folder, console=True) as platform,
    ):
        server, journal = platform.serve(), Journal()
        with Writers(platform, server, journal, number=knob("WRITERS", 8)) as writers:
            windows = [_kill_primary(servers, journal) for _ in range(kills)]
            time.sleep(LOAD_SECONDS)
        server.end()
        tell(journal.described())
        how = f"{kills} kills, electionTimeoutMillis {election}; median {statistics.median(windows):.1f} s"
        in_flight = journal.answers[f"409 {IN_FLIGHT}"]
        return [
            at_most(SECTION, "the longest error window", round(max(windows), 1), LONGEST_WINDOW, " s", how),
            Figure(SECTION, "repeated writes told that the first is in flight", str(in_flight)),
            none_of(SECTION, "writes that could not be finished in time", writers.unfinished),
            *compare(SECTION, journal, (books := Books(platform)).marks()),
            *books.faults(SECTION),
        ]


def _kill_primary(servers: ReplicaSet, journal: Journal) -> float:
    """For how many seconds nothing was acknowledged."""
    time.sleep(LOAD_SECONDS)
    wait_for(lambda: journal.acknowledged)
    killed, at = servers.primary(), time.monotonic()
    servers.kill(killed)
    servers.primary()
    elected = time.monotonic()
    wait_for(lambda: journal.acknowledged_since(elected))
    window = journal.longest_silence(at - 1)
    tell(f"  killed the primary: another after {elected - at:.1f} s, nothing acknowledged for {window:.1f} s")
    servers.start(killed)
    servers.wait_until_whole()
    return window


if __name__ == "__main__":
    main(run)
