"""A POST is done once for its key, whatever happens to the process."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from pymongo.errors import OperationFailure

from tests.cast import Cast, api
from tests.ticketing.api.sample import Notes
from tests.ticketing.api.test_errors import assert_problem
from tests.waiting import wait_until
from ticketing import idempotency
from ticketing.clock import now
from ticketing.errors import StorageUnavailable
from ticketing.idempotency import Answer, Claim, IdempotencyRecords, KeyInFlight, KeyReused
from ticketing.mongo import ObjectId
from ticketing.mongo.client import transactional

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.ticketing.api.sample")]

KEY = {"Idempotency-Key": "key-1"}


def titles(cast: Cast) -> list[str]:
    return sorted(note["title"] for note in Notes(cast.acme.pk).find({}))


def in_threads(count: int, call: Callable[[int], Any]) -> list[Any]:
    def run(number: int) -> Any:
        try:
            return call(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_same_key_same_body_gives_the_first_answer_again(cast: Cast) -> None:
    client = api(cast.carla)
    first = client.post("/api/v1/notes", {"title": "once", "flag": True}, headers=KEY)
    again = client.post("/api/v1/notes", {"flag": True, "title": "once"}, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert (first["Location"], first["ETag"]) == (again["Location"], again["ETag"])
    assert "Idempotent-Replay" not in first
    assert again["Idempotent-Replay"] == "true"
    assert titles(cast) == ["once"]


def test_without_a_key_it_is_done_each_time(cast: Cast) -> None:
    for _ in range(2):
        api(cast.carla).post("/api/v1/notes", {"title": "twice"})
    assert titles(cast) == ["twice", "twice"]


@pytest.mark.parametrize("url", ["/api/v1/notes", "/api/v1/failing?how="])
def test_other_request_with_the_same_key_is_422(cast: Cast, url: str) -> None:
    client = api(cast.carla)
    client.post("/api/v1/notes", {"title": "once"}, headers=KEY)
    client.post("/api/v1/failing", {}, headers=KEY)
    assert_problem(client.post(url, {"title": "other"}, headers=KEY), 422, "idempotency_key_reused")


def test_keys_of_other_people_tenants_and_paths_are_others(cast: Cast) -> None:
    for user in (cast.carla, cast.carl, cast.greta):
        assert api(user).post("/api/v1/notes", {"title": "mine"}, headers=KEY).status_code == 201
    assert api(cast.carla).post("/api/v1/failing", {}, headers=KEY).status_code == 200
    assert titles(cast) == ["mine", "mine", "stored and then taken back"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "tab\t"])
def test_malformed_key_is_400(cast: Cast, key: str) -> None:
    response = api(cast.carla).post("/api/v1/notes", {"title": "x"}, HTTP_IDEMPOTENCY_KEY=key)
    assert assert_problem(response, 400, "invalid_input")["errors"][0]["field"] == "Idempotency-Key"


def test_failure_leaves_nothing_and_the_key_free(cast: Cast) -> None:
    client = api(cast.carla)
    client.raise_request_exception = False
    assert_problem(client.post("/api/v1/failing?how=x", {}, headers=KEY), 500, "internal_error")
    assert_problem(client.post("/api/v1/notes", {}, headers=KEY), 400, "invalid_input")
    assert titles(cast) == []
    assert client.post("/api/v1/notes", {"title": "corrected"}, headers=KEY).status_code == 201
    assert client.post("/api/v1/failing", {}, headers=KEY).status_code == 200


def test_secret_is_neither_kept_nor_repeated(cast: Cast) -> None:
    client = api(cast.carla)
    assert client.post("/api/v1/secrets", {}, headers=KEY).json() == {"secret": "swordfish"}
    assert_problem(client.post("/api/v1/secrets", {}, headers=KEY), 409, "secret_not_repeated")
    assert titles(cast) == ["secret"]
    assert "swordfish" not in str(IdempotencyRecords(cast.acme.pk).find({}))


def test_uploads_are_compared_by_their_bytes(cast: Cast) -> None:
    def upload(content: bytes) -> Any:
        file = SimpleUploadedFile("a.txt", content)
        return api(cast.carla).post("/api/v1/uploads", {"file": file}, format="multipart", headers=KEY)

    assert upload(b"hello").json() == {"length": 5}
    assert upload(b"hello")["Idempotent-Replay"] == "true"
    assert_problem(upload(b"world"), 422, "idempotency_key_reused")
    assert titles(cast) == ["hello"]


def test_sixteen_threads_have_one_effect(cast: Cast) -> None:
    clients = [api(cast.carla) for _ in range(16)]
    responses = in_threads(16, lambda n: clients[n].post("/api/v1/notes", {"title": "once"}, headers=KEY))
    assert titles(cast) == ["once"]
    assert {response.status_code for response in responses} <= {201, 409}
    made = [response for response in responses if response.status_code == 201]
    assert len({response.content for response in made}) == 1
    assert sum("Idempotent-Replay" not in response for response in made) == 1
    for refused in (response for response in responses if response.status_code == 409):
        assert_problem(refused, 409, "idempotency_key_in_flight")
        assert int(refused["Retry-After"]) > 0


def test_process_that_dies_in_the_middle_is_replaced_by_the_retry(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    client = api(cast.carla)
    with monkeypatch.context() as patch:
        patch.setattr(IdempotencyRecords, "finish", die)  # the note is written, nothing is committed
        with pytest.raises(Killed):
            client.post("/api/v1/notes", {"title": "once"}, headers=KEY)
    assert titles(cast) == []
    assert_problem(client.post("/api/v1/notes", {"title": "once"}, headers=KEY), 409, "idempotency_key_in_flight")
    IdempotencyRecords(cast.acme.pk).update_where({}, {"locked_until": now() - timedelta(seconds=1)})
    assert client.post("/api/v1/notes", {"title": "once"}, headers=KEY).status_code == 201
    assert titles(cast) == ["once"]


def test_work_that_is_tried_again_reads_its_file_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    finish, tries = IdempotencyRecords.finish, []

    def conflict_at_first(self: IdempotencyRecords, *arguments: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OperationFailure("write conflict", 112, {"errorLabels": ["TransientTransactionError"]})
        finish(self, *arguments)

    monkeypatch.setattr(IdempotencyRecords, "finish", conflict_at_first)
    upload = {"file": SimpleUploadedFile("a.txt", b"hello")}
    response = api(cast.carla).post("/api/v1/uploads", upload, format="multipart", headers=KEY)
    assert (response.json(), len(tries)) == ({"length": 5}, 2)
    assert titles(cast) == ["hello"]


class TestRecords:
    """What happens around a process that dies between its claim and its commit."""

    @pytest.fixture
    def records(self, db: None) -> IdempotencyRecords:
        return IdempotencyRecords(ObjectId())

    def claim(self, records: IdempotencyRecords, fingerprint: str = "body") -> Claim:
        claim = records.claim("key", fingerprint)
        assert isinstance(claim, Claim)
        return claim

    def let_lapse(self, records: IdempotencyRecords, field: str = "locked_until") -> None:
        records.update_where({}, {field: now() - timedelta(seconds=1)})

    def finish(self, records: IdempotencyRecords, claim: Claim, value: int) -> None:
        transactional(records.finish)(claim, Answer(200, {"value": value}))

    def test_live_claim_is_respected(self, records: IdempotencyRecords) -> None:
        self.claim(records)
        with pytest.raises(KeyInFlight):
            records.claim("key", "body")
        with pytest.raises(KeyReused):
            records.claim("key", "another body")

    def test_lapsed_claim_is_taken_over_and_the_dead_cannot_commit(self, records: IdempotencyRecords) -> None:
        dead = self.claim(records)
        self.let_lapse(records)
        heir = self.claim(records)
        with pytest.raises(KeyInFlight):
            self.finish(records, dead, 1)
        records.release(dead)
        self.finish(records, heir, 2)
        assert records.claim("key", "body") == Answer(200, {"value": 2})

    def test_one_of_many_takes_over(self, records: IdempotencyRecords) -> None:
        self.claim(records)
        self.let_lapse(records)

        def attempt(_: int) -> bool:
            try:
                return isinstance(records.claim("key", "body"), Claim)
            except KeyInFlight:
                return False

        assert in_threads(8, attempt).count(True) == 1

    def test_finished_claim_is_not_released(self, records: IdempotencyRecords) -> None:
        claim = self.claim(records)
        self.finish(records, claim, 1)
        records.release(claim)
        assert records.claim("key", "body") == Answer(200, {"value": 1})

    def test_expired_key_is_new_even_before_the_server_swept_it(self, records: IdempotencyRecords) -> None:
        self.finish(records, self.claim(records), 1)
        self.let_lapse(records, "expires_at")
        self.finish(records, self.claim(records, "another body"), 2)
        assert records.claim("key", "another body") == Answer(200, {"value": 2})

    def test_what_an_outage_cut_off_is_released_as_soon_as_there_is_a_database(
        self, records: IdempotencyRecords, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        release, tries = IdempotencyRecords.release, []

        def unreachable_at_first(self: IdempotencyRecords, claim: Claim) -> None:
            tries.append(claim)
            if len(tries) < 3:
                raise StorageUnavailable
            release(self, claim)

        monkeypatch.setattr(IdempotencyRecords, "release", unreachable_at_first)
        monkeypatch.setattr(idempotency, "RELEASE_EVERY", 0.01)
        records.release_later(self.claim(records))
        wait_until(lambda: records.count({}) == 0)
        assert len(tries) == 3
        self.claim(records)
