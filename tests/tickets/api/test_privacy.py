"""Erasing, holding and retaining by the API."""

from datetime import timedelta

import pytest

from tests.cast import Cast, api
from ticketing.jobs import Run
from ticketing.mongo.client import get_database
from tickets.privacy import erasure, jobs

pytestmark = pytest.mark.django_db


def test_erasing_somebody(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "REQUESTS_END_WITHIN", timedelta())
    client, carla = api(cast.ada), api(cast.carla)
    asked = client.post(f"/api/v1/users/{cast.carla.pk}/erase", {"content": True})
    assert (asked.status_code, asked.json()["state"], asked.json()["receipt"]) == (202, "running", None)
    assert carla.get("/api/v1/auth/me").status_code == 401
    jobs.erase(Run("privacy.erase"))
    done = client.get(asked["Location"]).json()
    assert (done["state"], done["receipt"]["user"], done["receipt"]["counts"]["users"]) == (
        "done",
        str(cast.carla.pk),
        1,
    )
    assert client.get("/api/v1/erasures").json()["data"] == [done]
    shown = client.get(f"/api/v1/users/{cast.carla.pk}").json()
    assert (shown["name"], shown["is_active"]) == (done["pseudonym"], False)
    assert client.post(f"/api/v1/users/{cast.carla.pk}/erase", {"content": True}).json() == done


def test_a_hold_is_named_placed_and_lifted(cast: Cast) -> None:
    client = api(cast.ada)
    placed = client.post("/api/v1/holds", {"target": "user", "reference": str(cast.carla.pk), "reason": "A lawsuit"})
    assert (placed.status_code, placed.json()["placed_by"]) == (201, str(cast.ada.pk))
    refused = client.post(f"/api/v1/users/{cast.carla.pk}/erase", {})
    assert (refused.status_code, refused.json()["code"], refused.json()["hold"]) == (
        409,
        "legal_hold",
        placed.json()["id"],
    )
    lifted = client.post(f"/api/v1/holds/{placed.json()['id']}/lift")
    assert (lifted.status_code, lifted.json()["lifted_by"]) == (200, str(cast.ada.pk))
    listed = client.get("/api/v1/holds?count=true").json()
    assert (listed["data"], listed["page"]["count"]) == ([lifted.json()], "1")
    assert client.get(placed["Location"]).json() == lifted.json()
    actions = {entry["action"] for entry in get_database()["audit_log"].find({"by": cast.ada.email})}
    assert {"hold.placed", "hold.lifted"} <= actions


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target": "user", "reason": "A lawsuit"}, "reference"),
        ({"target": "tenant", "reference": "1", "reason": "A lawsuit"}, "reference"),
        ({"target": "house", "reason": "A lawsuit"}, "target"),
        ({"target": "tenant", "reason": " "}, "reason"),
        ({"target": "tenant", "reason": "x" * 501}, "reason"),
        ({"target": "tenant"}, "reason"),
    ],
)
def test_a_wrong_hold_is_refused_with_its_field(cast: Cast, body: dict[str, str], field: str) -> None:
    answer = api(cast.ada).post("/api/v1/holds", body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])
    assert get_database()["legal_holds"].count_documents({}) == 0


def test_retention_is_set_and_previewed(cast: Cast) -> None:
    client = api(cast.ada)
    before = client.get("/api/v1/retention")
    assert before.json() == {"retention_ticket_days": 0, "retention_user_days": 0, "version": 1}
    changed = client.patch("/api/v1/retention", {"retention_ticket_days": 30}, headers={"If-Match": before["ETag"]})
    assert changed.json() == {"retention_ticket_days": 30, "retention_user_days": 0, "version": 2}
    stale = client.patch("/api/v1/retention", {"retention_user_days": 1}, headers={"If-Match": before["ETag"]})
    assert stale.status_code == 412
    assert client.get("/api/v1/retention/preview").json()["tickets"] == 0


@pytest.mark.parametrize("value", [-1, 36_501, "30", 1.5])
def test_a_wrong_retention_is_refused_with_its_field(cast: Cast, value: object) -> None:
    answer = api(cast.ada).patch("/api/v1/retention", {"retention_user_days": value})
    assert (answer.status_code, [e["field"] for e in answer.json()["errors"]]) == (400, ["retention_user_days"])
