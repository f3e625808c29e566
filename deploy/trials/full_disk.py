"""The disk of the database full under load, then room again: `make faults TRIALS=full_disk`.

The kernel refuses mongod to let files grow (RLIMIT_FSIZE, EFBIG); where the trial may mount a file system in memory, a
small one is really full as well (ENOSPC). MongoDB ends itself when it cannot write its journal; it is started again
once there is room, as an operator would. SECONDS is for how long there is none, WRITERS how many clients write.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.results import Figure, at_most
from deploy.trials.books import Books
from deploy.trials.journal import Journal, compare, none_of
from deploy.trials.outage import LONGEST_ANSWER, Probes
from deploy.trials.platform import Platform
from deploy.trials.replica_set import ReplicaSet, wait_for
from deploy.trials.trial import knob, main, tell, temporary_folder
from deploy.trials.writers import Writers

SECTION = "The disk of the database full, then room again"
SIZE_MB = 900  # of the small file system: mongod's journal alone takes some hundred
CHECKPOINT_SECONDS = 2  # so that the data's files want to grow soon
Act = Callable[[], None]


def run() -> list[Figure]:
    with (
        small_disk(SIZE_MB) as disk,
        ReplicaSet(1, folder=disk, syncdelay=CHECKPOINT_SECONDS) as servers,
        temporary_folder() as folder,
        Platform(servers.uri, folder, console=True) as platform,
    ):
        [port], figures, journal = servers.ports, [], Journal()
        ways: list[tuple[str, Act, Act]] = [
            ("files may not grow", lambda: servers.limit_files(port, 1), lambda: servers.limit_files(port, -1))
        ]
        if disk is None:
            tell("  no small file system can be mounted here: tried with a limit to files only")
        else:
            filler = disk / "filler"
            ways.append(("no space left", lambda: fill(filler), filler.unlink))
        server = platform.serve()
        with Probes(server) as probes, Writers(platform, server, journal, number=knob("WRITERS", 8)) as writers:
            for what, take_room, give_room in ways:
                figures.append(_without_room(servers, journal, what, take_room, give_room))
        server.end()
        tell(journal.described())
        longest = max(journal.slowest.values())
        return [
            *figures,
            none_of(SECTION, "probes of /healthz not answered 200", len(probes.failures), f"{probes.asked} asked"),
            at_most(SECTION, "the longest that anybody waited for an answer", round(longest, 1), LONGEST_ANSWER, " s"),
            none_of(SECTION, "writes that could not be finished in time", writers.unfinished),
            *compare(SECTION, journal, (books := Books(platform)).marks()),
            *books.faults(SECTION),
        ]


def _without_room(servers: ReplicaSet, journal: Journal, what: str, take_room: Act, give_room: Act) -> Figure:
    """Until writes are refused, and for a while after; then the seconds to the first write once there is room."""
    [port], amount, refused = servers.ports, len(journal.acknowledged), _refused(journal)
    wait_for(lambda: len(journal.acknowledged) > amount + 20)
    tell(f"  {what}")
    take_room()
    wait_for(lambda: _refused(journal) > refused, seconds=180)
    time.sleep(knob("SECONDS", 20))
    alive = servers.is_alive(port)
    tell(f"  {what}: mongod {'goes on' if alive else 'has ended itself'}; {_refused(journal) - refused} answers 503")
    tell(servers.last_words(port))
    if alive:
        give_room()
    else:
        with suppress(ProcessLookupError):
            give_room()
        servers.start(port)
    back = time.monotonic()
    wait_for(lambda: journal.acknowledged_since(back), seconds=120)
    seconds = min(at for at in list(journal.acknowledged.values()) if at > back) - back
    how = "mongod went on by itself" if alive else "mongod had ended itself, and was started again"
    return at_most(SECTION, f"from room again to the first write, after: {what}", round(seconds, 1), 30, " s", how)


def _refused(journal: Journal) -> int:
    return sum(number for what, number in list(journal.answers.items()) if what.startswith("503"))


def fill(file: Path) -> None:
    """A file that takes all that is left."""
    with suppress(OSError), file.open("wb", buffering=0) as filler:
        while filler.write(b"x" * 65536):
            pass


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path | None]:
    """A file system in memory of this size, or None where the trial may not mount one."""
    with temporary_folder() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        mounted = shutil.which("mount") and subprocess.run(command, capture_output=True, check=False).returncode == 0
        try:
            yield folder if mounted else None
        finally:
            if mounted:
                subprocess.run(["umount", "-l", str(folder)], check=True)


if __name__ == "__main__":
    main(run)
