"""Requests as the gateways bring them, answered by the platform."""

import hashlib
import json
from base64 import b64decode
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.http import QueryDict

from accounts.models import User
from tests.cast import PASSWORD, Cast, api
from tests.ticketing.aws import events
from tests.ticketing.aws.events import CLIENT, GATEWAYS, Event, Request, headers_of, prefix
from ticketing.aws import http

Gateway = Callable[[Request], Event]
SPOOFED = {
    "X-Forwarded-For": "203.0.113.66, 203.0.113.67",
    "Forwarded": "for=203.0.113.66",
    "X-Real-IP": "203.0.113.66",
    "Remote-Addr": "203.0.113.66",
}
each_gateway = pytest.mark.parametrize("gateway", GATEWAYS, ids=lambda each: str(each.__name__))


@pytest.fixture
def answer(settings: Any) -> Callable[[Event], Event]:
    """The platform behind any gateway."""
    settings.ALLOWED_HOSTS = [events.DOMAIN, "testserver"]
    handle = http.make_handler(WSGIHandler())
    return lambda event: handle(event, None)


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    kept = {name: value for name, value in environ.items() if isinstance(value, str)}
    kept["body"] = hashlib.sha256(environ["wsgi.input"].read()).hexdigest()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(kept).encode()]


def seen(event: Event) -> dict[str, str]:
    """What an application sees of a request."""
    found: dict[str, str] = json.loads(http.make_handler(echo)(event, None)["body"])
    return found


def signed_in(user: User) -> dict[str, str]:
    return {"Authorization": str(api(user)._credentials["HTTP_AUTHORIZATION"])}


@each_gateway
def test_only_the_gateway_says_where_a_request_comes_from(gateway: Gateway) -> None:
    environ = seen(gateway(Request(headers=SPOOFED)))
    assert environ["REMOTE_ADDR"] == CLIENT
    assert not {"HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"} & environ.keys()


def test_a_balancers_client_that_claims_an_address_in_a_second_header_is_not_believed() -> None:
    event = events.load_balancer(Request())
    event["multiValueHeaders"]["x-forwarded-for"] = ["203.0.113.66", f"203.0.113.67, {CLIENT}"]
    assert seen(event)["REMOTE_ADDR"] == CLIENT


@each_gateway
def test_paths_queries_and_bodies_arrive_as_they_were_sent(gateway: Gateway) -> None:
    content = Random(0).randbytes(100_000)
    query = f"q={quote('Größe & Maß 漢')}&tag=a&tag=b&empty="
    sent = Request("/a b/ü", "POST", query, {"Content-Type": "application/octet-stream"}, content)

    environ = seen(gateway(sent))

    assert environ["PATH_INFO"].encode("latin-1").decode() == "/a b/ü"
    assert environ["SCRIPT_NAME"] == prefix(gateway)
    assert environ["body"] == hashlib.sha256(content).hexdigest()
    assert environ["CONTENT_LENGTH"] == "100000"
    assert dict(QueryDict(environ["QUERY_STRING"]).lists()) == dict(QueryDict(query).lists())


def test_the_stage_is_not_shown_below_a_domain_of_our_own() -> None:
    environ = seen(events.http_api(Request("/api/v1/", host="acme.tickets.example")))
    assert (environ["PATH_INFO"], environ["SCRIPT_NAME"]) == ("/api/v1/", "")
    rest = events.rest(Request("/api/v1/", host="acme.tickets.example"))
    rest["requestContext"]["path"] = "/api/v1/"
    assert (seen(rest)["PATH_INFO"], seen(rest)["SCRIPT_NAME"]) == ("/api/v1/", "")


@each_gateway
def test_the_path_of_a_stage_itself_is_the_root(gateway: Gateway, answer: Any) -> None:
    redirect = answer(gateway(Request("/")))
    assert redirect["statusCode"] == 302
    assert headers_of(redirect)["location"] == [f"{prefix(gateway)}/api/v1/"]


@pytest.mark.django_db
@each_gateway
def test_a_ticket_is_opened_and_read(gateway: Gateway, answer: Any, cast: Cast) -> None:
    given = json.dumps({"title": "Größe 漢", "description": "it **burns**"}).encode()
    headers = {**signed_in(cast.carla), "Content-Type": "application/json"}

    opened = answer(gateway(Request("/api/v1/tickets", "POST", "", headers, given)))

    assert opened["statusCode"] == 201, opened["body"]
    assert headers_of(opened)["location"][0].startswith(f"https://{events.DOMAIN}{prefix(gateway)}/api/v1/tickets/")
    found = answer(gateway(Request("/api/v1/tickets", query=f"q={quote('größe')}", headers=signed_in(cast.carla))))
    assert [row["title"] for row in json.loads(found["body"])["data"]] == ["Größe 漢"]
    assert found["isBase64Encoded"] is False
    assert answer(gateway(Request("/api/v1/tickets")))["statusCode"] == 401


@pytest.mark.django_db
@each_gateway
def test_files_go_in_and_out_byte_by_byte(
    gateway: Gateway, answer: Any, cast: Cast, settings: Any, tmp_path: Path
) -> None:
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    assert api(cast.carla).post("/api/v1/tickets", {"title": "Mine", "description": "broken"}).status_code == 201
    content = Random(0).randbytes(100_000)
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
    body = part + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n--x--\r\n"
    headers = {**signed_in(cast.carla), "Content-Type": "multipart/form-data; boundary=x"}

    stored = answer(gateway(Request("/api/v1/tickets/1/attachments", "POST", "", headers, body)))

    assert stored["statusCode"] == 201, stored["body"]
    path = json.loads(stored["body"])["url"].removeprefix(f"https://{events.DOMAIN}{prefix(gateway)}")
    file = answer(gateway(Request(path, headers=signed_in(cast.carla))))
    assert file["isBase64Encoded"] is True
    assert b64decode(file["body"]) == content


@pytest.mark.django_db
@each_gateway
def test_every_cookie_of_an_answer_arrives(gateway: Gateway, answer: Any, cast: Cast) -> None:
    page = answer(gateway(Request("/console/login/")))
    [csrf] = [each.partition(";")[0] for each in headers_of(page)["set-cookie"]]
    form = {"tenant": "acme", "username": "agent@example.test", "password": PASSWORD}
    form["csrfmiddlewaretoken"] = csrf.partition("=")[2]
    body = "&".join(f"{name}={quote(value)}" for name, value in form.items()).encode()
    origin = f"https://{events.DOMAIN}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": csrf, "Referer": origin, "Origin": origin}

    signed_in = answer(gateway(Request("/console/login/", "POST", "", headers, body)))

    assert signed_in["statusCode"] == 302, signed_in["body"]
    cookies = {each.partition("=")[0] for each in headers_of(signed_in)["set-cookie"]}
    assert cookies == {"csrftoken", "sessionid"}
    assert headers_of(signed_in)["location"] == [f"{prefix(gateway)}/console/"]


@each_gateway
def test_the_answer_to_head_has_no_body(gateway: Gateway, answer: Any) -> None:
    head = answer(gateway(Request("/healthz", "HEAD")))
    assert (head["statusCode"], head["body"], head["isBase64Encoded"]) == (200, "", False)
    assert int(headers_of(head)["content-length"][0]) > 0


@each_gateway
def test_an_answer_that_lambda_would_refuse_is_an_error_that_says_so(gateway: Gateway) -> None:
    def large(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return [bytes(5 * 1024 * 1024)]

    answered = http.make_handler(large)(gateway(Request()), None)

    assert answered["statusCode"] == 500
    assert "larger than Lambda passes on" in json.loads(answered["body"])["title"]
    assert headers_of(answered)["content-type"] == ["application/problem+json"]


def test_what_is_no_request_is_not_taken_for_one() -> None:
    assert not any(map(http.is_request, ({}, {"requestContext": None}, {"requestContext": {"stage": "dev"}})))
