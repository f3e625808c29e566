"""Clients that write whatever can be written, each write under a mark of its own, until they are told to stop.

As an integration does, a client sends what was cut off or answered 503 again with the same Idempotency-Key. Meanwhile
it goes on with something else, so that there is always something under way.
"""

import hashlib
import itertools
import random
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import httpx

from deploy.trials.journal import AGAIN, DONE, REFUSED, Journal, Mark
from deploy.trials.platform import PASSWORD, Person, Platform, Server

PAUSE = 0.5  # seconds until something is sent again
DRAIN_SECONDS = 120.0
Send = Callable[[], bool]  # True when there is nothing left to do


class Writers:
    """``with Writers(...) as writers:`` they write until the block ends, and then until nothing is left to repeat."""

    def __init__(self, platform: Platform, server: Server, journal: Journal, *, number: int, seed: int = 1) -> None:
        staff = [platform.staff(tenant) for tenant in dict.fromkeys(person.tenant for person in platform.people)]
        people = [each[number % len(each)] for number, each in zip(range(number), itertools.cycle(staff), strict=False)]
        self._over = threading.Event()
        self.writers = [
            Writer(f"{seed}-{position}", person, server, journal, random.Random(f"{seed}-{position}"))
            for position, person in enumerate(people)
        ]
        self._threads = [threading.Thread(target=each.run, args=(self._over,)) for each in self.writers]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def unfinished(self) -> int:
        """Writes that could not be finished in time."""
        return sum(len(each.waiting) for each in self.writers)


class Writer:
    """One client, on tickets that it has opened itself and on those of the other clients of its tenant."""

    tickets: dict[str, list[str]] = {}  # the ids of each tenant's open tickets

    def __init__(self, name: str, person: Person, server: Server, journal: Journal, chance: random.Random) -> None:
        self.name, self.person, self.journal, self.chance = name, person, journal, chance
        self.waiting: list[tuple[float, Send]] = []
        self._server = server
        self._numbers = itertools.count(1)
        self._client = server.client(person)
        self._browser: httpx.Client | None = None
        self._open = self.tickets.setdefault(person.tenant, [])
        self._kinds: list[tuple[Callable[[], Send], int]] = [
            (self.open_ticket, 4),
            (self.comment, 6),
            (self.change, 5),
            (self.attach, 3),
            (self.upload, 2),
            (self.merge, 1),
            (self.change_many, 2),
        ]

    def run(self, over: threading.Event) -> None:
        while not over.is_set():
            self._step(self._next())
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.waiting and time.monotonic() < deadline:
            self._step(self.waiting.pop(0)[1])
            time.sleep(0.05)
        self._client.close()

    def _step(self, send: Send) -> None:
        if not send():
            self.waiting.append((time.monotonic() + PAUSE * self.chance.uniform(0.5, 1.5), send))

    def _next(self) -> Send:
        if self.waiting and self.waiting[0][0] < time.monotonic():
            return self.waiting.pop(0)[1]
        if len(self.waiting) > 20:
            time.sleep(0.05)
            return self.waiting.pop(0)[1]
        if len(self._open) < 10:
            return self.open_ticket()
        kinds, weights = zip(*self._kinds, strict=True)
        return self.chance.choices(kinds, weights)[0]()

    # --- what is written --------------------------------------------------------------------------------------------

    def open_ticket(self) -> Send:
        mark = self._mark("ticket")
        body = {"title": mark.text, "description": f"It smokes, says {mark.text}.", "priority": self._any_priority()}

        def send() -> bool:
            verdict, answer = self._post("/tickets", mark, json=body)
            if verdict == DONE:
                self._open.append(answer["id"])
            return verdict != AGAIN

        return send

    def comment(self) -> Send:
        mark, ticket = self._mark("comment"), self._any_ticket()
        body = {"body": mark.text, "visibility": self.chance.choice(["public", "internal"])}
        return lambda: self._post(f"/tickets/{ticket}/comments", mark, json=body)[0] != AGAIN

    def change(self) -> Send:
        """What says which version it was made for is not repeated: whether it has happened, the history tells."""
        mark, ticket = self._mark("change"), self._any_ticket()
        wanted = {"title": mark.text, "priority": self._any_priority()}

        def send() -> bool:
            verdict, read = self._ask(self._client, "GET", f"/tickets/{ticket}")
            if verdict != DONE:
                return verdict == REFUSED
            status = self.chance.choice([read["status"], *read["allowed_transitions"]])
            change = wanted if status in {"closed", read["status"]} else {**wanted, "status": status}
            verdict, _ = self._ask(
                self._client, "PATCH", f"/tickets/{ticket}", json={**change, "version": read["version"]}
            )
            self.journal.keep(mark, verdict, repeatable=False)
            return True

        return send

    def attach(self) -> Send:
        mark, ticket = self._mark("attachment"), self._any_ticket()
        content = self.chance.randbytes(self.chance.choice([100, 20_000, 700_000]))
        file = {"file": (mark.text, content, "application/octet-stream")}
        return lambda: self._post(f"/tickets/{ticket}/attachments", mark, files=file)[0] != AGAIN

    def upload(self) -> Send:
        """Announced, sent, and made an attachment: three requests, of which each may be cut off."""
        mark, ticket = self._mark("attachment"), self._any_ticket()
        content = self.chance.randbytes(50_000)
        announced = {
            "name": mark.text,
            "size": len(content),
            "content_type": "text/plain",
            "sha256": hashlib.sha256(content).hexdigest(),
        }

        def send() -> bool:
            verdict, upload = self._ask(
                self._client, "POST", f"/tickets/{ticket}/uploads", key=f"{mark.text} announced", json=announced
            )
            if verdict == DONE:
                verdict, _ = self._ask(
                    self._client, upload["method"], upload["url"], headers=upload["headers"], content=content
                )
            if verdict == DONE:
                completed = {"upload_id": upload["id"]}
                verdict, _ = self._post(f"/tickets/{ticket}/attachments", mark, json=completed)
            return verdict != AGAIN

        return send

    def merge(self) -> Send:
        """A ticket that nobody else knows, into another one."""
        opened, target = self._mark("ticket"), self._any_ticket()

        def send() -> bool:
            verdict, duplicate = self._post("/tickets", opened, json={"title": opened.text})
            if verdict != DONE:
                return verdict != AGAIN
            mark = Mark("merge", duplicate["id"])
            return self._post(f"/tickets/{duplicate['id']}/merge", mark, json={"into": target})[0] != AGAIN

        return send

    def change_many(self) -> Send:
        """The console's change of many tickets. Batches of it may be sent again; a new one is another change."""
        mark, tickets = self._mark("bulk"), [self._any_ticket() for _ in range(3)]
        form = {"tickets": ",".join(dict.fromkeys(tickets)), "add_tags": mark.text}

        def send() -> bool:
            browser = self._signed_in()
            if browser is None:
                return False
            verdict, answer = self._ask(browser, "POST", "/console/tickets/ticket/bulk/apply/", data=form)
            items = answer.get("tickets", ()) if verdict == DONE else [{"ticket": id_} for id_ in set(tickets)]
            for item in items:
                each = Mark("bulk", f"{mark.text} {item['ticket']}")
                kept = DONE if verdict == DONE and not item["refused"] and mark.text in item["text"] else AGAIN
                self.journal.keep(each, kept, repeatable=False)
            return True

        return send

    # --- how it is sent ---------------------------------------------------------------------------------------------

    def _post(self, path: str, mark: Mark, **content: Any) -> tuple[str, Any]:
        verdict, answer = self._ask(self._client, "POST", path, key=f"{mark.kind} {mark.text}", **content)
        self.journal.keep(mark, verdict)
        return verdict, answer

    def _ask(self, client: httpx.Client, method: str, path: str, *, key: str = "", **content: Any) -> tuple[str, Any]:
        headers = {**content.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
        began = time.monotonic()
        try:
            answer: httpx.Response | Exception = client.request(method, path, headers=headers, **content)
        except httpx.TransportError as error:
            answer = error
        verdict = self.journal.judge(answer, time.monotonic() - began)
        is_json = isinstance(answer, httpx.Response) and answer.headers.get("Content-Type") == "application/json"
        return verdict, answer.json() if verdict == DONE and is_json else {}

    def _signed_in(self) -> httpx.Client | None:
        """A browser in the console, None while nobody can sign in."""
        if self._browser is None:
            browser = httpx.Client(
                base_url=self._server.address,
                headers={"Host": f"{self.person.tenant}.localhost", "X-Requested-With": "fetch"},
                timeout=90,
            )
            token = "x" * 32
            form = {"username": f"{self.person.role}@{self.person.tenant}.example", "password": PASSWORD}
            headers = {"X-CSRFToken": token, "Cookie": f"csrftoken={token}"}
            verdict, _ = self._ask(browser, "POST", "/console/login/?next=/api/v1/", headers=headers, data=form)
            cookies = dict(browser.cookies)
            # Sign-ins that were cut off count as failures, so the form may ask to try again later.
            if verdict != DONE or "sessionid" not in cookies:
                return None
            browser.headers["X-CSRFToken"] = cookies["csrftoken"]
            # By hand: the jar knows cookies by the address, and the server by the name in Host.
            browser.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
            browser.cookies.clear()
            self._browser = browser
        return self._browser

    def _mark(self, kind: str) -> Mark:
        return Mark(kind, f"{kind}-{self.name}-{next(self._numbers)}")

    def _any_ticket(self) -> str:
        return self.chance.choice(self._open)

    def _any_priority(self) -> str:
        return self.chance.choice(["low", "normal", "high", "urgent"])
