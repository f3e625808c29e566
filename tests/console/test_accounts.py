"""Users, teams, keys and settings in the console: for admins, through the services, within the tenant."""

from typing import Any
from urllib.parse import urlencode

import pytest

from accounts.keys import get_actor_of_key
from accounts.models import Team
from accounts.repository import ApiKeyRepository, TeamRepository, UserRepository
from accounts.roles import Role
from accounts.services import change_user, new_user_document
from accounts.teams import change_team, create_team
from tenants.repository import AuditRepository, TenantRepository
from tenants.rules import under_white_text
from tests.cast import actor_of, make_user
from tests.console.queries import counted_queries, sent_commands
from tests.console.test_plans import stages
from tests.console.test_ticket_page import SCRIPT, errors_of, form_of
from ticketing.mongo import ObjectId
from ticketing.mongo.client import get_database

USERS, TEAMS, KEYS = "/console/accounts/user/", "/console/accounts/team/", "/console/accounts/apikey/"
TENANTS = "/console/tenants/tenant/"


def page_of(user: Any) -> str:
    return f"{USERS}{user.pk}/change/"


def audited(tenant: Any) -> list[tuple[str, str]]:
    return [
        (entry["action"], entry["by"]) for entry in AuditRepository().find({"tenant_id": tenant.pk}, sort=[("at", 1)])
    ]


@pytest.mark.parametrize("address", [USERS, f"{USERS}add/", TEAMS, f"{TEAMS}add/", KEYS, f"{KEYS}add/", TENANTS])
def test_are_not_for_agents_and_customers(cast, browser, address):
    assert browser(cast.amir).get(address).status_code == 403
    assert browser(cast.carla).get(address).status_code == 302


def test_agents_are_not_shown_what_they_may_not_do(cast, browser):
    page = browser(cast.amir).get("/console/").content.decode()
    for address in (USERS, TEAMS, KEYS, TENANTS):
        assert address not in page
    page = browser(cast.ada).get("/console/").content.decode()
    for address in (USERS, TEAMS, KEYS, f"{TENANTS}{cast.acme.pk}/change/"):
        assert address in page


def test_lists_the_tenants_people(cast, browser):
    client = browser(cast.ada)

    def emails(query):
        return {user.email for user in client.get(f"{USERS}?{query}").context["cl"].result_list}

    assert emails("") == {"admin@example.test", "agent@example.test", "carla@example.test", "carl@example.test"}
    assert emails("role=agent") == {"agent@example.test"}
    assert emails("active=no") == set()
    assert emails("q=CARL") == {"carl@example.test", "carla@example.test"}
    assert emails("o=-2&q=car") == {"carl@example.test", "carla@example.test"}


@pytest.mark.parametrize("lookup", ["password__startswith", "password__regex", "token_epoch", "tenant_id"])
def test_nothing_is_found_out_by_parameters_that_are_no_filters(cast, browser, lookup):
    assert browser(cast.ada).get(f"{USERS}?{lookup}=a").status_code == 400


def test_invites_somebody_who_then_chooses_a_password(cast, browser):
    team = create_team(actor_of(cast.ada), name="First line")
    client = browser(cast.ada)
    data = form_of(client.get(f"{USERS}add/")) | {"email": "new@example.test", "name": "Nina New", "role": "agent"}
    answer = client.post(f"{USERS}add/", data | {"team_ids": [str(team.pk)]})
    assert "no-store" in answer["Cache-Control"]
    _address, token = answer.context["secret"].split("#")
    stored = UserRepository(cast.acme.pk).find_by_email("new@example.test")
    assert (stored["role"], stored["team_ids"]) == ("agent", [team.pk])

    guest = browser(None)
    chosen = {"token": token, "password1": "quite a good one 9", "password2": "quite a good one 9"}
    refused = guest.post("/console/invitation/", chosen | {"password2": "another"})
    assert refused.context["form"].errors == {"password2": ["The two passwords are not the same."]}
    refused = guest.post("/console/invitation/", chosen | {"password1": "password", "password2": "password"})
    assert "password1" in refused.context["form"].errors
    assert guest.post("/console/invitation/", chosen).status_code == 302
    refused = guest.post("/console/invitation/", chosen)
    assert "token" in refused.context["form"].errors
    given = {"username": "new@example.test", "password": "quite a good one 9"}
    assert guest.post("/console/login/", given, headers={"host": "acme.localhost"}).status_code == 302


def test_changes_somebody(cast, browser):
    client = browser(cast.ada)
    answer = client.get(page_of(cast.amir))
    assert (
        client.post(page_of(cast.amir), form_of(answer) | {"name": "Amir Anders", "is_active": "on"}).status_code == 302
    )
    stored = UserRepository(cast.acme.pk).get(cast.amir.pk)
    assert (stored["name"], stored["is_active"], stored["version"]) == ("Amir Anders", True, 2)
    assert ("user.changed", "admin@example.test") in audited(cast.acme)


def test_refusals_are_shown_in_the_form(cast, browser):
    client = browser(cast.ada)
    data = form_of(client.get(f"{USERS}add/")) | {"email": "CARLA@example.test", "name": "Twin", "role": "user"}
    assert errors_of(client.post(f"{USERS}add/", data)) == {"email": ["There is an account with this address"]}
    data = form_of(client.get(page_of(cast.ada))) | {"role": "agent", "is_active": "on"}
    assert "else an admin first" in str(errors_of(client.post(page_of(cast.ada), data)))
    assert UserRepository(cast.acme.pk).get(cast.ada.pk)["role"] == "admin"


def test_a_stale_form_takes_the_others_change_and_keeps_the_own(cast, browser):
    make_user(cast.acme, "second@example.test", "Second", Role.ADMIN)
    client = browser(cast.ada)
    data = form_of(client.get(page_of(cast.amir))) | {"is_active": "on"}
    other = form_of(client.get(page_of(cast.amir))) | {"name": "By the other", "is_active": "on"}
    client.post(page_of(cast.amir), other)
    answer = client.post(page_of(cast.amir), data | {"email": "mine@example.test"})
    assert "changed while you had it open" in errors_of(answer)["__all__"][0]
    form = answer.context["adminform"].form
    assert (form["name"].value(), form["email"].value()) == ("By the other", "mine@example.test")
    assert UserRepository(cast.acme.pk).get(cast.amir.pk)["email"] == "agent@example.test"


def test_signs_somebody_out_everywhere_and_invites_anew(cast, browser):
    client, theirs = browser(cast.ada), browser(cast.amir)
    assert client.get(f"{USERS}{cast.amir.pk}/sign-out/").status_code == 405
    client.post(f"{USERS}{cast.amir.pk}/sign-out/")
    assert theirs.get("/console/").status_code == 302
    assert "#" in client.post(f"{USERS}{cast.amir.pk}/invitation/").context["secret"]
    assert browser(cast.amir).post(f"{USERS}{cast.ada.pk}/sign-out/").status_code == 403


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("carl", ["Carl Customer", "Carla Customer"]),
        ("Carla C", ["Carla Customer"]),
        ("agent@", ["Amir Acme"]),
        ("agent", ["Amir Acme"]),
        ("nobody", []),
        (".*", []),
    ],
)
def test_people_are_found_by_the_beginning_of_name_or_address_by_index(cast, browser, term, found):
    people = [new_user_document(f"p{number}@example.test", f"Person {number}", "user") for number in range(300)]
    UserRepository(cast.acme.pk).insert_many(people)
    client = browser(cast.ada)
    with sent_commands() as commands:
        answer = client.get(f"{USERS}?{urlencode({'q': term})}")
    assert [row.name for row in answer.context["cl"].result_list] == found
    assert len(commands) <= 8
    listing = [command for command in commands if command.get("find") == "users" and "sort" in command][-1]
    asked = {name: listing[name] for name in ("find", "filter", "sort", "limit")}
    plan = get_database().command("explain", asked, verbosity="executionStats")
    assert set(stages(plan["queryPlanner"]["winningPlan"])) & {"COLLSCAN", "SORT"} == set()
    assert plan["executionStats"]["totalDocsExamined"] == len(found)


def test_people_are_found_by_team_and_a_team_shows_its_people(cast, browser):
    client = browser(cast.ada)
    team = create_team(actor_of(cast.ada), name="Hardware")
    change_user(actor_of(cast.ada), cast.amir.pk, {"team_ids": [team.pk], "name": f"Amir {SCRIPT}"})
    found = client.get(f"{USERS}?team={team.pk}").content.decode()
    assert ("agent@example.test" in found, "carla@example.test" in found) == (True, False)
    page = client.get(f"{TEAMS}{team.pk}/change/").content.decode()
    assert f'href="{page_of(cast.amir)}"' in page
    assert SCRIPT not in page
    assert "carla@example.test" not in page


def test_deactivating_somebody_leads_to_the_tickets_that_are_assigned_to_him(cast, browser):
    client = browser(cast.ada)
    data = form_of(client.get(page_of(cast.amir)))
    data.pop("is_active")
    answer = client.post(page_of(cast.amir), data, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain[-1][0] == page_of(cast.amir)
    assert "Open tickets stay assigned" in page
    assert f"/console/tickets/ticket/?view=open&amp;assignee={cast.amir.pk}" in page


def test_deactivation_acts_at_once(cast, browser):
    client, theirs = browser(cast.ada), browser(cast.amir)
    data = form_of(client.get(page_of(cast.amir)))
    data.pop("is_active")
    client.post(page_of(cast.amir), data)
    assert theirs.get("/console/").status_code == 302
    assert UserRepository(cast.acme.pk).get(cast.amir.pk)["is_active"] is False


def test_foreign_and_missing_accounts_answer_alike(cast, browser):
    client = browser(cast.gina)
    for id_ in (cast.amir.pk, ObjectId(), "nonsense"):
        for tail in ("change/", "history/", "delete/"):
            assert client.get(f"{USERS}{id_}/{tail}").status_code == 404
        for tail in ("invitation/", "sign-out/"):
            assert client.post(f"{USERS}{id_}/{tail}").status_code == 404
        assert client.post(f"{USERS}{id_}/change/", {"name": "x", "version": 1}).status_code == 404
        assert client.get(f"{TEAMS}{id_}/change/").status_code == 404
        assert client.get(f"{KEYS}{id_}/change/").status_code == 404
        assert client.get(f"{TENANTS}{id_}/change/").status_code == 404
    assert client.get(f"{TENANTS}{cast.acme.pk}/change/").status_code == 404
    assert client.post(f"{TENANTS}{cast.acme.pk}/enter/").status_code == 403
    assert UserRepository(cast.acme.pk).get(cast.amir.pk)["version"] == 1


def test_teams(cast, browser):
    client = browser(cast.ada)
    assert client.post(f"{TEAMS}add/", {"name": f"Second line {SCRIPT}"}).status_code == 302
    assert errors_of(client.post(f"{TEAMS}add/", {"name": f"Second line {SCRIPT}"})) == {
        "name": ["There is a team of this name"]
    }
    [team] = TeamRepository(cast.acme.pk).find({})
    address = f"{TEAMS}{team['_id']}/change/"
    data = form_of(client.get(address))
    data.pop("is_active")
    assert client.post(address, data).status_code == 302
    assert TeamRepository(cast.acme.pk).get(team["_id"])["is_active"] is False
    page = client.get(TEAMS).content.decode()
    assert SCRIPT not in page
    assert "Inactive" in page


def retired_and_active_team(cast: Any) -> tuple[Team, Team]:
    """A team out of use that Amir is still in, and one that nobody is in."""
    ada = actor_of(cast.ada)
    retired, active = create_team(ada, name="Old"), create_team(ada, name="Hardware")
    change_user(ada, cast.amir.pk, {"team_ids": [retired.pk]})
    change_team(ada, retired.pk, {"is_active": False})
    return retired, active


def test_members_come_and_go_on_the_page_of_their_team(cast, browser):
    ada = actor_of(cast.ada)
    old, team = retired_and_active_team(cast)
    client, address = browser(cast.ada), f"{TEAMS}{team.pk}/change/"
    data = form_of(client.get(address))
    assert client.post(address, data | {"member_ids": [str(cast.amir.pk)]}).status_code == 302
    users = UserRepository(cast.acme.pk)
    assert users.get(cast.amir.pk)["team_ids"] == [old.pk, team.pk]
    data = form_of(client.get(address))
    change_user(ada, cast.ada.pk, {"team_ids": [team.pk]})  # after the page was opened
    assert client.post(address, data | {"member_ids": []}).status_code == 302
    assert users.get(cast.amir.pk)["team_ids"] == [old.pk]
    assert users.get(cast.ada.pk)["team_ids"] == [team.pk]
    refused = client.post(address, data | {"member_ids": [str(cast.carl.pk)]})
    assert "member_ids" in errors_of(refused)


def test_whoever_is_in_an_inactive_team_stays_in_it_until_it_is_unticked(cast, browser):
    old, team = retired_and_active_team(cast)
    client, address = browser(cast.ada), f"{USERS}{cast.amir.pk}/change/"
    page = client.get(address)
    assert "Old (inactive)" in page.content.decode()
    assert "Old (inactive)" not in client.get(f"{USERS}{cast.ada.pk}/change/").content.decode()
    data = form_of(page)
    for ticked in ([old.pk, team.pk], [team.pk]):
        assert client.post(address, data | {"team_ids": [str(id_) for id_ in ticked]}).status_code == 302
        assert set(UserRepository(cast.acme.pk).get(cast.amir.pk)["team_ids"]) == set(ticked)
        data = form_of(client.get(address))


def test_api_keys_are_shown_once_and_revoked(cast, browser):
    client = browser(cast.ada)
    refused = client.post(f"{KEYS}add/", {"name": "ERP", "scopes": "tickets:read", "expires_at": "2001-01-01"})
    assert "expires_at" in errors_of(refused)
    answer = client.post(f"{KEYS}add/", {"name": "ERP", "scopes": ["tickets:read"]})
    secret = answer.context["secret"]
    assert get_actor_of_key(secret)[0].user_id == cast.ada.pk
    [key] = ApiKeyRepository(cast.acme.pk).find({})
    for address in (KEYS, f"{KEYS}{key['_id']}/change/"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "ERP" in answer.content.decode()
        assert secret not in answer.content.decode()
        assert key["secret_hash"] not in answer.content.decode()
    asked = client.post(KEYS, {"action": "revoke", "_selected_action": str(key["_id"])})
    assert f"ERP ({key['prefix']}…)" in asked.content.decode()
    assert ApiKeyRepository(cast.acme.pk).get(key["_id"])["revoked_at"] is None
    client.post(KEYS, dict(asked.context["given"]) | {"confirmed": "yes"})
    assert ApiKeyRepository(cast.acme.pk).get(key["_id"])["revoked_at"] is not None


def test_a_key_works_until_the_end_of_a_day_where_its_maker_is(cast, browser):
    UserRepository(cast.acme.pk).update_where({"_id": cast.ada.pk}, {"time_zone": "Pacific/Kiritimati"})
    browser(cast.ada).post(f"{KEYS}add/", {"name": "ERP", "scopes": "tickets:read", "expires_at": "2100-06-01"})
    [key] = ApiKeyRepository(cast.acme.pk).find({})
    assert key["expires_at"].isoformat() == "2100-06-01T09:59:59+00:00"


def test_an_admin_changes_the_settings_of_his_tenant(cast, browser):
    client = browser(cast.ada)
    address = f"{TENANTS}{cast.acme.pk}/change/"
    data = form_of(client.get(address))
    assert "max_staff" not in data
    refused = client.post(address, data | {"brand_color": "yellow", "registration": "domains"})
    assert "must be a colour" in str(errors_of(refused)).lower()
    given = {
        "brand_name": f"Acme {SCRIPT}",
        "brand_color": "#7c3aed",
        "registration_domains": "acme.test\nacme.example",
    }
    assert client.post(address, data | given | {"max_staff": "1", "slug": "stolen"}).status_code == 302
    stored = TenantRepository().get(cast.acme.pk)
    assert (stored["brand_color"], stored["registration_domains"]) == ("#7c3aed", ["acme.test", "acme.example"])
    assert (stored["max_staff"], stored["slug"]) == (0, "acme")
    assert ("tenant.changed", "admin@example.test") in audited(cast.acme)
    page = client.get("/console/").content.decode()
    assert "Acme &lt;script&gt;" in page
    assert SCRIPT not in page
    assert "#7c3aed" in page


def test_saving_a_setting_keeps_a_language_that_is_not_offered_any_more(cast, browser):
    TenantRepository().update(cast.acme.pk, {"locale": "fr"}, expected_version=cast.acme.version)
    client = browser(cast.ada)
    address = f"{TENANTS}{cast.acme.pk}/change/"
    data = form_of(client.get(address))
    assert client.post(address, data | {"brand_name": "Acme"}).status_code == 302
    stored = TenantRepository().get(cast.acme.pk)
    assert (stored["brand_name"], stored["locale"]) == ("Acme", "fr")


def test_a_light_colour_is_darkened_where_text_stands_on_it(cast, browser):
    client = browser(cast.ada)
    address = f"{TENANTS}{cast.acme.pk}/"
    told = client.get(f"{address}branding/?color=%23ffff00").json()
    assert told["color"] == under_white_text("#ffff00") in told["told"]
    assert "1.1 : 1, too little" in told["told"]
    assert "too little" not in client.get(f"{address}branding/?color=%232563eb").json()["told"]
    assert client.get(f"{address}branding/?color=red").json()["errors"].keys() == {"color"}
    assert client.get(f"{TENANTS}{cast.globex.pk}/branding/?color=%232563eb").status_code == 404
    assert browser(cast.amir).get(f"{address}branding/?color=%232563eb").status_code == 403
    data = form_of(client.get(f"{address}change/"))
    assert client.post(f"{address}change/", data | {"brand_color": "#ffff00"}).status_code == 302
    page = client.get("/console/").content.decode()
    assert f"--color-primary-600: {told['color']}" in page
    assert f"--color-primary-500: {told['on_dark']}" in page
    assert f'data-branding="{address}branding/"' in client.get(f"{address}change/").content.decode()


def test_operators_see_tenants_only(cast, browser):
    client = browser(cast.olga)
    assert client.get(TENANTS).status_code == 200
    page = client.get("/console/").content.decode()
    assert TENANTS in page
    for address in ("/console/tickets/ticket/", USERS, TEAMS, KEYS):
        assert client.get(address).status_code == 403
        assert address not in page


def test_operators_create_change_suspend_and_reactivate_tenants(cast, browser):
    client = browser(cast.olga)
    assert "slug" in errors_of(client.post(f"{TENANTS}add/", {"slug": "acme", "name": "Again"}))
    assert client.post(f"{TENANTS}add/", {"slug": "initech", "name": "Initech"}).status_code == 302
    tenant = TenantRepository().find_by_slug("initech")
    address = f"{TENANTS}{tenant['_id']}/"
    data = form_of(client.get(f"{address}change/"))
    assert client.post(f"{address}change/", data | {"hosts": "help.initech.test", "max_staff": "7"}).status_code == 302
    stored = TenantRepository().get(tenant["_id"])
    assert (stored["hosts"], stored["max_staff"]) == (["help.initech.test"], 7)
    theirs = browser(cast.gus)
    assert client.get(f"{TENANTS}{cast.globex.pk}/suspend/").status_code == 405
    client.post(f"{TENANTS}{cast.globex.pk}/suspend/")
    assert theirs.get("/console/").status_code == 302
    client.post(f"{TENANTS}{cast.globex.pk}/reactivate/")
    assert theirs.get("/console/").status_code == 200


def test_operators_enter_a_tenant_explicitly_and_leave_it(cast, browser):
    client = browser(cast.olga)
    assert client.get(f"{TENANTS}{cast.acme.pk}/enter/").status_code == 405
    assert client.post(f"{TENANTS}{cast.acme.pk}/enter/").status_code == 302
    page = client.get("/console/").content.decode()
    assert "You are in <strong>Acme</strong> as operator" in page
    assert client.get("/console/tickets/ticket/").status_code == 200
    assert client.get(USERS).status_code == 200
    client.post(f"{TENANTS}leave/")
    assert client.get("/console/tickets/ticket/").status_code == 403
    assert [entry for entry in audited(cast.acme) if "@platform" in entry[1]] == [
        ("tenant.entered", "olga@platform.test"),
        ("tenant.left", "olga@platform.test"),
    ]


@pytest.mark.parametrize("address", ["/console/", USERS, f"{USERS}add/", TEAMS, KEYS])
def test_take_a_bounded_number_of_queries(cast, browser, address):
    client = browser(cast.ada)
    client.get(address)
    with counted_queries() as sent:
        client.get(address)
    assert len(sent) <= 8, sent


def test_nothing_of_djangos_plumbing_is_there(cast, browser):
    client = browser(cast.ada)
    for address in ("auth/group/", "contenttypes/contenttype/", "sessions/session/", "admin/logentry/", "r/1/2/"):
        assert client.get(f"/console/{address}").status_code == 404
    assert client.get("/console/search/?s=user&page=x").status_code == 200
