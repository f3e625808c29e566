"""Processes of the platform SIGKILLed in the middle of writes: `make faults TRIALS=kills`.

Clients open tickets, answer, change, attach, merge and change many, jobs export and send drafts; at random moments one
process of gunicorn, all of gunicorn, or the jobs' worker is killed and started again. Then everything stored is read.
KILLS and WRITERS say how often and how many.
"""

import random
import time
from collections import Counter
from typing import Any

from benchmarks.results import Figure
from deploy.trials.books import Books
from deploy.trials.journal import DONE, Journal, Mark, compare, none_of
from deploy.trials.platform import Platform, Program, Server
from deploy.trials.replica_set import ReplicaSet, wait_for
from deploy.trials.trial import knob, main, tell, temporary_folder
from deploy.trials.writers import Writer, Writers

SECTION = "SIGKILL in the middle of writes"
# What a killed process was writing stays locked until MongoDB gives its transaction up: 60 s unless told otherwise.
TRANSACTION_SECONDS = 2


def run() -> list[Figure]:
    kills = knob("KILLS", 50)
    with (
        ReplicaSet(1, transactionLifetimeLimitSeconds=TRANSACTION_SECONDS) as servers,
        temporary_folder() as folder,
        Platform(servers.uri, folder, console=True) as platform,
    ):
        journal = Journal()
        server, worker = platform.serve(), platform.work()
        tell(f"{kills} kills while {knob('WRITERS', 12)} clients write")
        with Writers(platform, server, journal, number=knob("WRITERS", 12)) as writers:
            wait_for(lambda: len(journal.acknowledged) > 20)
            killed = _kill_again_and_again(kills, platform, server, worker, journal)
        _finish_jobs(platform)
        worker.end()
        server.end()
        tell(journal.described())
        books = Books(platform)
        how = ", ".join(f"{number} × {what}" for what, number in killed.items())
        cut = sum(journal.answers[what] for what in ("ReadError", "RemoteProtocolError", "WriteError"))
        unsent = platform.database["drafts"].count_documents({})
        # An export that was interrupted too often is given up, and says so.
        exports = platform.database["exports"].count_documents({"state": {"$nin": ["done", "failed"]}})
        return [
            Figure(SECTION, "processes killed", str(kills), how=how),
            Figure(SECTION, "requests cut off by that", str(cut), "> 0", cut > 0, "or no write would have been hit"),
            *compare(SECTION, journal, books.marks()),
            none_of(SECTION, "writes that could not be finished in time", writers.unfinished),
            none_of(SECTION, "drafts and exports that jobs left undone", unsent + exports),
            *books.faults(SECTION),
        ]


def _kill_again_and_again(
    kills: int, platform: Platform, server: Server, worker: Program, journal: Journal
) -> Counter[str]:
    chance, killed = random.Random("kills"), Counter[str]()
    wait_for(lambda: all(len(tickets) >= 10 for tickets in Writer.tickets.values()))  # which the jobs' work is about
    for number in range(1, kills + 1):
        _give_jobs_work(platform, journal, number)
        time.sleep(chance.uniform(0.2, 1.5))
        what = ("a process of gunicorn", "all of gunicorn", "the jobs' worker")[number % 3]
        if what == "a process of gunicorn":
            server.kill_worker(chance.choice(wait_for(server.workers)))
        elif what == "all of gunicorn":
            server.kill()
            server.start()
        else:
            worker.kill()
            worker.start()
        moment = time.monotonic()
        wait_for(lambda moment=moment: journal.acknowledged_since(moment))  # type: ignore[misc]
        killed[what] += 1
        tell(f"  {number}/{kills} killed {what}; {len(journal.acknowledged)} acknowledged")
    return killed


def _give_jobs_work(platform: Platform, journal: Journal, number: int) -> None:
    """An answer to send, an export to make, and every job due now, also one whose runner was killed."""
    from ticketing.errors import TicketingError
    from ticketing.mongo import ObjectId
    from ticketing.mongo.scope import tenant_scope
    from tickets.drafts.sending import Answer
    from tickets.drafts.services import schedule_draft
    from tickets.transfer.exports import request_export

    for person in platform.people:
        if person.role != "admin":
            continue
        mark = Mark("comment", f"draft-{person.tenant}-{number}")
        ticket = Writer.tickets[person.tenant][number % 10]
        with tenant_scope(person.tenant_id):
            try:
                schedule_draft(platform.actor(person), ObjectId(ticket), Answer(body=mark.text))
                journal.keep(mark, DONE)
                request_export(platform.actor(person))
            except TicketingError:  # the one before is still on its way
                continue
    _hurry(platform)


def _hurry(platform: Platform) -> None:
    now: list[dict[str, Any]] = [{"$set": {"next_at": "$$NOW"}}]
    database = platform.database
    database["jobs"].update_many({}, now)
    database["jobs"].update_many({"holder": {"$ne": None}}, [{"$set": {"leased_until": "$$NOW"}}])
    database["drafts"].update_many(
        {"send_at": {"$ne": None}}, [{"$set": {"send_at": {"$subtract": ["$$NOW", 60_000]}}}]
    )


def _finish_jobs(platform: Platform) -> None:
    database = platform.database

    def is_finished() -> bool:
        _hurry(platform)
        time.sleep(0.5)
        return not database["drafts"].find_one({}) and not database["exports"].find_one({"is_pending": True})

    wait_for(is_finished)


if __name__ == "__main__":
    main(run)
