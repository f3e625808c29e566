"""Many clients on few tickets, and a check of the recorded history: `make faults TRIALS=mixed`.

16 clients of two tenants read, change, answer and note over 50 tickets, list, open new ones, and ask for the other
tenant's. Every answer is kept with its times; afterwards each ticket's history must fit an order (linear.py).
OPERATIONS is the number of each client, WRITERS that of clients.
"""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import httpx

from benchmarks.results import Figure
from deploy.trials.books import Books
from deploy.trials.journal import none_of
from deploy.trials.linear import Operation, against_the_clock, misread, versions_lost_or_shared
from deploy.trials.platform import TENANTS, Person, Platform, Server
from deploy.trials.replica_set import ReplicaSet
from deploy.trials.trial import knob, main, tell, temporary_folder

SECTION = "Many writers on few tickets"
TICKETS = 25  # of each tenant
READ = ("title", "priority", "status", "comment_count")


class Record:
    """What all clients did, by ticket; comments find their version when the history is read."""

    def __init__(self) -> None:
        self.tickets: dict[str, list[str]] = {tenant: [] for tenant in TENANTS}
        self.operations: dict[str, list[Operation]] = defaultdict(list)
        self.comments: dict[str, tuple[float, float]] = {}
        self.numbers: list[tuple[str, int]] = []
        self.refused: list[str] = []  # titles of changes that came too late
        self.leaks: list[str] = []
        self.wrong: list[str] = []
        self.answers: Counter[str] = Counter()


class Client:
    """One of them. Its writes are told apart by their texts."""

    def __init__(self, number: int, person: Person, server: Server, record: Record) -> None:
        self.name, self.person, self.record = f"{person.tenant} {number}", person, record
        self.chance = random.Random(number)
        self.client = server.client(person)
        self.own = record.tickets[person.tenant]
        self.foreign = record.tickets[next(each for each in TENANTS if each != person.tenant)]
        self._seen: dict[str, int] = {}
        self._count = 0

    def run(self, operations: int) -> None:
        kinds: dict[Callable[[], None], int] = {
            self.read: 5,
            self.change: 4,
            self.change_unseen: 2,
            self.comment: 4,
            self.list: 2,
            self.open: 1,
            self.ask_for_foreign: 1,
        }
        for work in self.chance.choices(list(kinds), list(kinds.values()), k=operations):
            try:
                work()
            except (httpx.HTTPError, KeyError) as error:
                self.record.wrong.append(repr(error))
        self.client.close()

    def read(self) -> None:
        ticket = self._ticket()
        answer, began, ended = self._ask("GET", f"/tickets/{ticket}", expected=(200,))
        body = answer.json()
        self._seen[ticket] = body["version"]
        self._check_own(body["title"])
        self._keep(ticket, began, ended, body, writes=False)

    def change(self) -> None:
        """As somebody who has read it a while ago: refused when another one was faster."""
        ticket = self._ticket()
        if ticket not in self._seen:
            self.read()
        else:
            self._change(ticket, version=self._seen[ticket])

    def change_unseen(self) -> None:
        self._change(self._ticket())

    def comment(self) -> None:
        ticket = self._ticket()
        content = {"body": self._text(), "visibility": self.chance.choice(["public", "internal"])}
        answer, began, ended = self._ask("POST", f"/tickets/{ticket}/comments", json=content, expected=(201,))
        self.record.comments[answer.json()["id"]] = began, ended

    def list(self) -> None:
        answer, _, _ = self._ask("GET", "/tickets", params={"limit": "20"}, expected=(200,))
        for row in answer.json()["data"]:
            self._check_own(row["title"])

    def open(self) -> None:
        answer, _, _ = self._ask("POST", "/tickets", json={"title": self._text()}, expected=(201,))
        number = answer.json()["number"]
        self.record.numbers.append((self.person.tenant, number))
        by_number, _, _ = self._ask("GET", f"/tickets/{number}", expected=(200,))  # the other tenant has it too
        self._check_own(by_number.json()["title"])

    def ask_for_foreign(self) -> None:
        path = f"/tickets/{self.chance.choice(self.foreign)}"
        for method, below, content in (
            ("GET", "", None),
            ("PATCH", "", {"title": "stolen"}),
            ("POST", "/comments", {"body": "stolen"}),
        ):
            answer, _, _ = self._ask(method, path + below, json=content, expected=(404,))
            if answer.status_code != 404:
                self.record.leaks.append(f"{method} {path}{below}: {answer.status_code}")

    def _change(self, ticket: str, **version: int) -> None:
        content = {"title": self._text(), "priority": self.chance.choice(["low", "normal", "high", "urgent"])}
        answer, began, ended = self._ask(
            "PATCH", f"/tickets/{ticket}", json={**content, **version}, expected=(200, 412)
        )
        if answer.status_code == 412:
            self.record.refused.append(content["title"])
            self._seen.pop(ticket)
            return
        body = answer.json()
        self._seen[ticket] = body["version"]
        self._keep(ticket, began, ended, body, writes=True)

    def _ask(self, method: str, path: str, *, expected: tuple[int, ...], **content: Any) -> Any:
        began = time.monotonic()
        answer = self.client.request(method, path, **content)
        ended = time.monotonic()
        self.record.answers[str(answer.status_code)] += 1
        if answer.status_code not in expected:
            self.record.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer, began, ended

    def _keep(self, ticket: str, began: float, ended: float, body: dict[str, Any], *, writes: bool) -> None:
        values = {name: body[name] for name in READ}
        self.record.operations[ticket].append(Operation(began, ended, body["version"], writes, values))

    def _check_own(self, title: str) -> None:
        if not title.startswith(self.person.tenant):
            self.record.leaks.append(title)

    def _ticket(self) -> str:
        return self.chance.choice(self.own)

    def _text(self) -> str:
        self._count += 1
        return f"{self.name} {self._count}"


def run() -> list[Figure]:
    clients, operations = knob("WRITERS", 16), knob("OPERATIONS", 1000)
    with ReplicaSet(1) as servers, temporary_folder() as folder, Platform(servers.uri, folder) as platform:
        server, record = platform.serve(), Record()
        _open_tickets(platform, server, record)
        people = [platform.staff(TENANTS[number % 2])[number // 2 % 2] for number in range(clients)]
        began = time.monotonic()
        threads = [
            threading.Thread(target=Client(number, person, server, record).run, args=(operations,))
            for number, person in enumerate(people)
        ]
        for thread in threads:
            thread.start()
        while alive := [thread for thread in threads if thread.is_alive()]:
            alive[0].join(10)
            tell(f"  {record.answers.total():,} answers")
        seconds = time.monotonic() - began
        server.end()
        tell(f"{record.answers.total()} requests in {seconds:.0f} s: {dict(record.answers)}")
        return [
            Figure(
                SECTION,
                "requests",
                f"{record.answers.total():,}",
                how=f"{clients} clients × {operations:,} operations, {2 * TICKETS} tickets, 2 tenants, {seconds:.0f} s",
            ),
            *_compare(record, Books(platform)),
        ]


def _open_tickets(platform: Platform, server: Server, record: Record) -> None:
    for tenant in TENANTS:
        with server.client(platform.staff(tenant)[0]) as client:
            for number in range(TICKETS):
                answer = client.post("/tickets", json={"title": f"{tenant} ticket {number}"}).raise_for_status().json()
                record.tickets[tenant].append(answer["id"])
                record.numbers.append((tenant, answer["number"]))


def _compare(record: Record, books: Books) -> list[Figure]:
    """The recorded operations against each other, against the clock, and against the stored history."""
    found: Counter[str] = Counter()
    stored = {str(id_): ticket for id_, ticket in books.tickets.items()}
    for id_ in (each for ids in record.tickets.values() for each in ids):
        events = books.events[stored[id_]["_id"]]
        operations = record.operations[id_] + [
            Operation(*record.comments[str(event["data"]["comment_id"])], event["version"], writes=True)
            for event in events
            if event["type"] == "comment.added"
        ]
        for what, faults in (
            ("changes lost, or made by two writes", versions_lost_or_shared(operations, stored[id_]["version"])),
            ("operations against the clock", against_the_clock(operations)),
            ("answers that differ from their version", misread(operations, _states(events))),
        ):
            found[what] += len(faults)
            if faults:
                tell(f"  {what}: #{stored[id_]['number']} {faults[:3]}")
    titles = {
        title for events in books.events.values() for event in events for title in event["changes"].get("title", ())
    }
    found["changes made though refused as stale"] = len(titles & set(record.refused))
    found["numbers answered twice"] = len(record.numbers) - len(set(record.numbers))
    found["anything of another tenant"] = len(record.leaks)
    found["wrong answers"] = len(record.wrong)
    for what, texts in (("of another tenant", record.leaks), ("a wrong answer", record.wrong)):
        for text in texts[:5]:
            tell(f"  {what}: {text}")
    amount = sum(map(len, record.operations.values())) + len(record.comments)
    how = f"{amount:,} reads and writes of tickets, each with its times and version"
    return [none_of(SECTION, what, number, how) for what, number in found.items()] + books.faults(SECTION)


def _states(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What staff reads of a ticket at each of its versions, by its history."""
    states: dict[int, dict[str, Any]] = {}
    state: dict[str, Any] = {"comment_count": 0}
    for event in events:
        if event["type"] == "ticket.created":
            state |= {name: event["data"][name] for name in ("title", "priority", "status")}
        state["comment_count"] += event["type"] == "comment.added"  # staff sees notes counted too
        state |= {name: after for name, (_before, after) in event["changes"].items()}
        states[event["version"]] = dict(state)
    return [states[version] for version in sorted(states)]


if __name__ == "__main__":
    main(run)
