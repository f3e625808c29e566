"""The browsable API: readable answers, the tenant's branding, a form for every write the reader may do."""

import re
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import Cast, api
from tests.ticketing.api.sample import Notes, add_note
from ticketing.api.pages import as_html

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.ticketing.api.sample")]

PAGE = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


def page(client: Any, url: str) -> str:
    response = client.get(url, headers=PAGE)
    assert response["Content-Type"].startswith("text/html"), response.content
    html: str = response.content.decode()
    return html


def forms(html: str) -> list[str]:
    return re.findall(r'data-method="(\w+)"', html)


def test_programs_get_json_and_browsers_a_page(cast: Cast) -> None:
    client = api(cast.carla)
    assert client.get("/api/v1/notes")["Content-Type"] == "application/json"
    assert client.get("/api/v1/notes", headers={"Accept": "*/*"})["Content-Type"] == "application/json"
    assert "<h1>Notes</h1>" in page(client, "/api/v1/notes")


def test_branding_of_the_readers_tenant(cast: Cast) -> None:
    from tenants.repository import TenantRepository

    TenantRepository().update_where({"_id": cast.acme.pk}, {"brand_name": "Acme <Help>", "brand_color": "#aa0011"})
    html = page(api(cast.carla), "/api/v1/notes")
    assert "Acme &lt;Help&gt;" in html
    assert "--brand: #aa0011" in html
    assert "Acme" not in page(api(cast.greta), "/api/v1/notes")


def test_colour_cannot_smuggle_anything_into_the_style(cast: Cast) -> None:
    from tenants.repository import TenantRepository

    TenantRepository().update_where({"_id": cast.acme.pk}, {"brand_color": "red}"})
    assert "red}" not in page(api(cast.carla), "/api/v1/notes")


def test_nothing_comes_from_another_host(cast: Cast) -> None:
    for url in ("/api/v1/notes", "/api/v1/", "/api/v1/docs", "/api/v1/redoc", "/api/v1/docs?script="):
        response = api(cast.carla).get(url, headers=PAGE)
        html = response.content.decode()
        loaded = re.findall(r'(?:src|<link[^>]*href|url)\s*[=(:]\s*["\']([^"\']+)', html)
        assert response.status_code == 200
        assert not [address for address in loaded if address.startswith(("http", "//")) and "localhost" not in address]
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy


def test_content_is_escaped(cast: Cast) -> None:
    add_note(cast.acme.pk, {"title": "<script>alert(1)</script>"})
    assert "<script>alert" not in page(api(cast.carla), "/api/v1/notes")


texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(values)
def test_any_answer_can_be_shown(data: Any) -> None:
    assert "<script" not in as_html(data).lower()


def test_markdown_is_shown_as_it_reads_and_nothing_else_is() -> None:
    shown = as_html({"text": "*a*", "text_html": "<p><em>a</em></p><script>x</script>", "empty": None})
    assert "<em>a</em>" in shown
    assert "script" not in shown
    assert "*a*" not in shown
    assert "Empty" not in shown


def test_forms_are_those_that_the_reader_may_use(cast: Cast) -> None:
    note = add_note(cast.acme.pk, {"title": "One", "tags": ["a", "b"]})
    assert forms(page(api(cast.carla), "/api/v1/notes")) == ["POST"]
    html = page(api(cast.carla), f"/api/v1/notes/{note['_id']}")
    assert forms(html) == ["PATCH"]  # DELETE has no action, so nobody may; PUT is for programs
    assert 'data-etag="&quot;1&quot;"' in html
    assert 'value="One"' in html


def test_form_goes_on_to_what_it_made(cast: Cast) -> None:
    response = api(cast.carla).post("/api/v1/notes", {"title": "Printer", "tags": "a, b"}, "multipart", headers=PAGE)
    assert response.status_code == 303
    note = Notes(cast.acme.pk).find_one({})
    assert note
    assert (note["title"], note["tags"]) == ("Printer", ["a", "b"])
    assert response["Location"].endswith(f"/api/v1/notes/{note['_id']}")


def test_form_that_failed_keeps_what_was_typed(cast: Cast) -> None:
    fields = {"title": "x" * 201, "text": "typed in vain"}
    response = api(cast.carla).post("/api/v1/notes", fields, "multipart", headers=PAGE)
    html = response.content.decode()
    assert response.status_code == 400
    assert "no more than 200 characters" in html
    assert "typed in vain" in html


def test_signed_out_reader_is_led_to_sign_in() -> None:
    html = page(Client(), "/api/v1/notes?limit=3")
    assert "/console/login/?next=%2Fapi%2Fv1%2Fnotes%3Flimit%3D3" in html
    assert forms(html) == []


def test_root_lists_what_the_reader_may_read(cast: Cast) -> None:
    links = api(cast.carla).get("/api/v1/").json()
    assert links["notes"].endswith("/api/v1/notes")
    assert "users" not in links
    assert "users" in api(cast.ada).get("/api/v1/").json()
    assert api().get("/api/v1/").json().keys() == {"schema", "docs", "redoc"}


def test_breadcrumbs_lead_back(cast: Cast) -> None:
    note = add_note(cast.acme.pk, {"title": "One"})
    html = page(api(cast.carla), f"/api/v1/notes/{note['_id']}")
    assert re.findall(r'<a href="([^"]+)"(?: aria-current="page")?>', html)[:3] == [
        "/api/v1/",
        "/api/v1/notes",
        f"/api/v1/notes/{note['_id']}",
    ]


def test_the_address_brands_a_page_before_sign_in(cast: Cast) -> None:
    assert ">Acme</a>" in page(Client(HTTP_HOST="acme.localhost"), "/api/v1/")
    assert ">API</a>" in page(Client(HTTP_HOST="localhost"), "/api/v1/")


def test_people_and_times_are_shown_as_people_read_them() -> None:
    person = {"id": "6b0000000000000000000001", "name": "Ada <Acme>", "is_staff": True}
    html = as_html({"created_by": person["id"], "created_by_user": person, "created_at": "2026-02-01T09:30:00.000Z"})
    assert "Ada &lt;Acme&gt;" in html
    assert "6b0000000000000000000001" not in html
    assert '<time datetime="2026-02-01T09:30:00.000Z">2026-02-01 09:30 UTC</time>' in html
