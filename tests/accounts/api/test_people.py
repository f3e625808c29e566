"""/users, /teams and /auth over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from tenants.services import change_tenant
from tests.cast import PASSWORD, Cast, api, make_user

pytestmark = pytest.mark.django_db
USERS = "/api/v1/users"


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["data"]]


def test_admins_list_the_people_of_their_tenant_newest_first(cast: Cast) -> None:
    expected = ["Carl Customer", "Carla Customer", "Amir Acme", "Ada Acme"]
    assert names(api(cast.ada).get(USERS)) == expected
    assert names(api(cast.ada).get(f"{USERS}?ordering=created_at")) == expected[::-1]


def test_pages_reach_everybody_once(cast: Cast) -> None:
    client, seen, query = api(cast.ada), [], "limit=3"
    for number in range(5):
        make_user(cast.acme, f"more{number}@example.test")
    while True:
        answer = client.get(f"{USERS}?{query}")
        seen += names(answer)
        page = answer.json()["page"]
        if not page["has_more"]:
            break
        query = f"limit=3&after={page['after']}"
    assert len(seen) == len(set(seen)) == 9


def test_people_are_filtered(cast: Cast) -> None:
    client = api(cast.ada)
    team = client.post("/api/v1/teams", {"name": "Hardware"}).json()["id"]
    client.patch(f"{USERS}/{cast.amir.pk}", {"team_ids": [team]})
    client.delete(f"{USERS}/{cast.carl.pk}")
    make_user(cast.acme, "later@example.test", "Lena Later", created_at=cast.ada.created_at + timedelta(hours=1))
    since = (cast.ada.created_at + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert names(client.get(f"{USERS}?role=agent,admin")) == ["Amir Acme", "Ada Acme"]
    assert names(client.get(f"{USERS}?is_active=false")) == ["Carl Customer"]
    assert names(client.get(f"{USERS}?email=AGENT@example.test")) == ["Amir Acme"]
    assert names(client.get(f"{USERS}?email=agent@example.test,admin@example.test,no@where.test")) == [
        "Amir Acme",
        "Ada Acme",
    ]
    assert names(client.get(f"{USERS}?team={team}")) == ["Amir Acme"]
    assert names(client.get(f"{USERS}?created_at__gte={since}&is_active=true")) == ["Lena Later"]
    assert names(client.get(f"{USERS}?created_at__lt={since}&role=admin")) == ["Ada Acme"]
    assert client.get(f"{USERS}?role=user&count=true").json()["page"]["count"] == "3"


@pytest.mark.parametrize(
    "query", ["role=operator", "is_active=yes", "team=1", "created_at__gte=now", "ordering=name", "q=a", "x=1"]
)
def test_a_filter_that_makes_no_sense_is_refused_with_its_name(cast: Cast, query: str) -> None:
    answer = api(cast.ada).get(f"{USERS}?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, query.split("=", maxsplit=1)[0])


def test_a_new_account_has_an_address_of_its_own(cast: Cast) -> None:
    body = {"email": "new@example.test", "name": "Nia", "role": "agent", "password": PASSWORD}
    made = api(cast.ada).post(USERS, body)
    assert made.status_code == 201
    assert made.json()["invitation"] is None
    assert PASSWORD not in made.content.decode()
    read = api(cast.ada).get(made["Location"])
    assert read.json() == {name: value for name, value in made.json().items() if name != "invitation"}
    again = api(cast.ada).post(USERS, body)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "email")


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("role", {"role": "operator"}),
        ("email", {"email": "x"}),
        ("name", {"name": "a\nb"}),
        ("team_ids.0", {"team_ids": ["x"]}),
        ("tenant_id", {"tenant_id": "65f0c0ffee65f0c0ffee65f0"}),
        ("version", {"version": 1}),
        ("is_active", {"is_active": False}),
        ("password", {"password": "short"}),
    ],
)
def test_bad_input_names_the_field(cast: Cast, field: str, body: dict[str, Any]) -> None:
    answer = api(cast.ada).post(USERS, {"email": "new@example.test", "name": "Nia", **body})
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_replacing_needs_the_version_that_was_read(cast: Cast) -> None:
    client, url = api(cast.ada), f"{USERS}/{cast.amir.pk}"
    tag = client.get(url)["ETag"]
    body = {"email": "amir@example.test", "name": "Amir", "role": "agent", "is_active": True, "team_ids": []}
    assert client.put(url, body).status_code == 428
    replaced = client.put(url, body, headers={"If-Match": tag})
    assert (replaced.status_code, replaced.json()["version"]) == (200, 2)
    assert client.put(url, body, headers={"If-Match": tag}).status_code == 412
    assert client.patch(url, {"name": "B"}, headers={"If-Match": tag}).status_code == 412
    assert client.delete(url, headers={"If-Match": tag}).status_code == 412
    assert client.patch(url, {"name": "B"}, headers={"If-Match": replaced["ETag"]}).json()["name"] == "B"
    assert client.get(url, headers={"If-None-Match": client.get(url)["ETag"]}).status_code == 304


def test_deleting_deactivates(cast: Cast) -> None:
    client, url = api(cast.ada), f"{USERS}/{cast.amir.pk}"
    assert client.delete(url).status_code == 204
    assert client.get(url).json()["is_active"] is False
    assert client.delete(url).status_code == 204
    assert client.patch(url, {"is_active": True}).json()["is_active"] is True


def test_the_last_admin_cannot_be_deleted(cast: Cast) -> None:
    answer = api(cast.ada).delete(f"{USERS}/{cast.ada.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


def test_people_see_and_rename_themselves_and_nobody_else(cast: Cast) -> None:
    client, own = api(cast.carla), f"{USERS}/{cast.carla.pk}"
    assert client.get(own).json()["email"] == cast.carla.email
    assert client.patch(own, {"name": "Carla C."}).json()["name"] == "Carla C."
    assert client.patch(own, {"role": "admin"}).status_code == 403
    assert client.put(own, {}).status_code == 403
    assert client.delete(own).status_code == 403
    answers = [client.get(f"{USERS}/{other}") for other in (cast.carl.pk, cast.greta.pk, "6" * 24, "garbage")]
    assert {answer.status_code for answer in answers} == {403}
    assert len({str(answer.json() | {"request_id": ""}) for answer in answers}) == 1


def test_a_foreign_account_is_answered_as_a_missing_one(cast: Cast) -> None:
    client = api(cast.ada)
    for method, body in (("get", None), ("patch", {"name": "x"}), ("delete", None), ("put", {})):
        answers = [getattr(client, method)(f"{USERS}/{i}", body) for i in (cast.gus.pk, "6" * 24, "garbage")]
        assert {answer.status_code for answer in answers} == {404}, method
        assert len({str(answer.json() | {"request_id": ""}) for answer in answers}) == 1


def test_one_s_own_profile(cast: Cast) -> None:
    client = api(cast.carla)
    read = client.get("/api/v1/auth/me")
    assert read.json()["id"] == str(cast.carla.pk)
    changed = client.patch("/api/v1/auth/me", {"name": "Carla C."}, headers={"If-Match": read["ETag"]})
    assert changed.json()["name"] == "Carla C."
    assert client.patch("/api/v1/auth/me", {"name": "Late"}, headers={"If-Match": read["ETag"]}).status_code == 412
    assert client.patch("/api/v1/auth/me", {"role": "admin"}).status_code == 400


def test_people_choose_their_language_and_time_zone(cast: Cast) -> None:
    client = api(cast.carla)
    assert [client.get("/api/v1/auth/me").json()[name] for name in ("language", "time_zone")] == ["", ""]
    changed = client.patch("/api/v1/auth/me", {"language": "de", "time_zone": "Europe/Berlin"}).json()
    assert [changed[name] for name in ("language", "time_zone")] == ["de", "Europe/Berlin"]
    for field, value in (("language", "xx"), ("time_zone", "Europe/Atlantis")):
        refused = client.patch("/api/v1/auth/me", {field: value})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)
    assert client.patch("/api/v1/auth/me", {"language": "", "time_zone": ""}).json()["time_zone"] == ""


def test_customers_register_once_for_their_idempotency_key(cast: Cast) -> None:
    body = {"tenant": "acme", "email": "new@mail.test", "name": "Nia", "password": PASSWORD}
    assert api().post("/api/v1/auth/register", body).status_code == 403
    change_tenant(cast.acme, {"registration": "open"}, expected_version=1, by="tests")
    made = api().post("/api/v1/auth/register", body, headers={"Idempotency-Key": "r"})
    assert (made.status_code, made.json()["role"]) == (201, "user")
    again = api().post("/api/v1/auth/register", body, headers={"Idempotency-Key": "r"})
    assert (again.status_code, again["Idempotent-Replay"], again.json()) == (201, "true", made.json())
    assert api().post("/api/v1/auth/register", body).status_code == 409
    assert api().post("/api/v1/auth/register", body | {"tenant": "globex"}).status_code == 403
    assert api().post("/api/v1/auth/register", body | {"tenant": "nowhere"}).status_code == 403
    assert api().post("/api/v1/auth/register", body | {"role": "admin"}).status_code == 400
    assert api().post("/api/v1/auth/login", body | {"name": 1}).status_code == 400


def test_teams_over_http(cast: Cast) -> None:
    admin, agent = api(cast.ada), api(cast.amir)
    made = admin.post("/api/v1/teams", {"name": "Network"})
    admin.post("/api/v1/teams", {"name": "Hardware"})
    assert made.status_code == 201
    url = f"/api/v1/teams/{made.json()['id']}"
    assert names(agent.get("/api/v1/teams")) == ["Hardware", "Network"]
    assert agent.get(url).json() == made.json()
    assert agent.post("/api/v1/teams", {"name": "Mine"}).status_code == 403
    assert api(cast.carla).get("/api/v1/teams").status_code == 403
    assert admin.patch(url, {"name": "Net"}, headers={"If-Match": made["ETag"]}).json()["name"] == "Net"
    assert admin.patch(url, {"name": "Late"}, headers={"If-Match": made["ETag"]}).status_code == 412
    assert admin.delete(url).status_code == 204
    assert names(agent.get("/api/v1/teams?is_active=true")) == ["Hardware"]
    assert api(cast.gina).get(url).status_code == 404


def test_an_account_with_a_password_is_created_once_and_an_invitation_is_not_kept(cast: Cast) -> None:
    admin, key = api(cast.ada), {"Idempotency-Key": "create"}
    body = {"email": "new@example.test", "name": "New", "role": "user", "password": "correct horse battery"}
    made = admin.post("/api/v1/users", body, headers=key)
    again = admin.post("/api/v1/users", body, headers=key)
    assert (made.status_code, again.status_code) == (201, 201)
    assert again.json() == made.json()
    assert again["Idempotent-Replay"] == "true"

    del body["password"]
    invited = admin.post("/api/v1/users", body | {"email": "other@example.test"}, headers={"Idempotency-Key": "invite"})
    repeated = admin.post(
        "/api/v1/users", body | {"email": "other@example.test"}, headers={"Idempotency-Key": "invite"}
    )
    assert (invited.status_code, repeated.status_code) == (201, 409)
    assert repeated.json()["code"] == "secret_not_repeated"
