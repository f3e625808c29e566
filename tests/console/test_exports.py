"""Exports on the console: asked for, followed, downloaded, removed; for the tenant's admins."""

import io
import zipfile

import pytest

from tests.cast import Cast, actor_of
from tests.console.conftest import Browser
from tests.console.queries import counted_queries
from ticketing.mongo.client import get_database
from tickets.transfer.exports import make_pending_export, request_export

pytestmark = pytest.mark.django_db
EXPORTS = "/console/tickets/export/"


def test_an_export_is_asked_for_followed_and_downloaded(cast: Cast, browser: Browser) -> None:
    client = browser(cast.ada)
    assert "Export everything" in client.get(EXPORTS).content.decode()
    assert client.post(f"{EXPORTS}request/").status_code == 302
    page = client.get(EXPORTS).content.decode()
    assert "Export everything" not in page
    assert "<progress" in page
    assert "Give up" in page
    following = client.get(f"{EXPORTS}progress/")
    assert ("Queued" in following.content.decode(), "HX-Refresh" in following.headers) == (True, False)
    assert "under way" in client.post(f"{EXPORTS}request/", follow=True).content.decode()
    make_pending_export(cast.acme)
    assert client.get(f"{EXPORTS}progress/").headers["HX-Refresh"] == "true"
    [export] = get_database()["exports"].find()
    page = client.get(EXPORTS).content.decode()
    assert cast.ada.name in page
    assert f'href="/api/v1/exports/{export["_id"]}/download"' in page
    archive = b"".join(client.get(f"/api/v1/exports/{export['_id']}/download").streaming_content)
    assert any(name.endswith("manifest.json") for name in zipfile.ZipFile(io.BytesIO(archive)).namelist())


def test_one_is_removed_or_given_up_by_a_post(cast: Cast, browser: Browser) -> None:
    client = browser(cast.ada)
    export = request_export(actor_of(cast.ada))
    address = f"{EXPORTS}{export['_id']}/remove/"
    assert f'formaction="{address}"' in client.get(EXPORTS).content.decode()
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 302
    assert get_database()["exports"].count_documents({}) == 0
    assert client.post(address).status_code == 404


def test_they_are_for_admins_and_of_their_tenant(cast: Cast, browser: Browser) -> None:
    theirs = request_export(actor_of(cast.gina))
    client = browser(cast.amir)
    for path in ("", "progress/"):
        assert client.get(f"{EXPORTS}{path}").status_code == 403
    for path in ("request/", f"{theirs['_id']}/remove/"):
        assert client.post(f"{EXPORTS}{path}").status_code == 403
    assert browser(cast.ada).post(f"{EXPORTS}{theirs['_id']}/remove/").status_code == 404
    assert get_database()["exports"].count_documents({}) == 1


def test_the_page_takes_few_queries(cast: Cast, browser: Browser) -> None:
    client = browser(cast.ada)
    request_export(actor_of(cast.ada))
    make_pending_export(cast.acme)
    client.get(EXPORTS)
    with counted_queries() as sent:
        client.get(EXPORTS)
    assert len(sent) <= 8, sent
