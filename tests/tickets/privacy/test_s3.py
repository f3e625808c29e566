"""Erasure and exports where files are in a bucket."""

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from moto import mock_aws

from tests.aws import keep_files_in, new_bucket, use_aws
from tests.cast import Cast, api
from tests.tickets.privacy import story as s
from ticketing.jobs import Run
from ticketing.mongo.client import get_database
from tickets.privacy import jobs
from tickets.transfer.jobs import run_exports

pytestmark = pytest.mark.django_db
BUCKET = "privacy-of-a-test"


@pytest.fixture(autouse=True)
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    use_aws(monkeypatch)
    with mock_aws():
        bucket = new_bucket(BUCKET)
        keep_files_in(settings, BUCKET)
        yield bucket


def test_nothing_of_an_erased_person_stays_in_the_bucket(cast: Cast, bucket: Any) -> None:
    story = s.tell(cast)
    client = api(cast.ada)
    client.post("/api/v1/exports")
    run_exports(Run("exports.run"))
    assert len(list(bucket.objects.all())) == 6
    client.post(f"/api/v1/users/{story.user.pk}/erase", {"content": True})
    jobs.erase(Run("privacy.erase"))
    assert get_database()["erasures"].find_one()["state"] == "done"
    assert list(bucket.objects.all()) == []


def test_an_export_comes_from_the_bucket(cast: Cast, bucket: Any) -> None:
    client = api(cast.ada)
    asked = client.post("/api/v1/exports").json()
    run_exports(Run("exports.run"))
    done = client.get(f"/api/v1/exports/{asked['id']}").json()
    answer: Any = client.get(done["url"])
    assert answer.status_code == 302
    [stored] = bucket.objects.all()
    address = urlsplit(answer["Location"])
    assert address.path.endswith(stored.key)
    assert f"acme-{done['requested_at'][:10]}.zip" in unquote(unquote(address.query))
    content = stored.get()["Body"].read()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (done["bytes"], done["sha256"])
