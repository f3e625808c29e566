"""Log lines: their closed set of fields, and that no secret and nothing that customers write comes into them."""

import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import path
from pymongo.errors import ServerSelectionTimeoutError

from accounts.keys import create_api_key
from accounts.roles import Action
from accounts.sessions import open_session
from tests.cast import PASSWORD, Cast, actor_of, api
from ticketing import urls as platform
from ticketing.api.views import ApiView
from ticketing.errors import TenantScopeMissing
from ticketing.logs import FIELDS, JsonFormatter, LineFormatter, describe_exception, request_id
from ticketing.mongo.scope import tenant_scope

ALWAYS = {"time", "level", "logger", "message"}
OF_A_REQUEST = {"request_id", "trace_id", "tenant", "actor"}
SECRET = "sesame-4711"
MAIL = "carla.private@example.test"
FORM = "application/x-www-form-urlencoded"
URI = f"mongodb://root:{SECRET}@db.example.test/?authSource=admin"


class Lines(logging.StreamHandler[StringIO]):
    """A handler like the platform's; what it has written."""

    def __init__(self) -> None:
        super().__init__(StringIO())
        self.setFormatter(JsonFormatter())

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def __call__(self, logger: str = "") -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if line["logger"].startswith(logger)]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)


@pytest.fixture
def all_levels() -> Iterator[None]:
    logger = logging.getLogger("ticketing")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    yield
    logger.setLevel(level)


def log(lines: Lines, name: str, *message: Any, **options: Any) -> dict[str, Any]:
    logging.getLogger(name).error(*message, **options)
    return lines()[-1]


class TestRequests:
    @pytest.mark.django_db
    def test_each_has_a_line_with_its_route_and_cost_and_without_path_and_query(self, cast: Cast, lines: Lines) -> None:
        created = api(cast.carla).post("/api/v1/tickets", {"title": "Fire", "description": "It burns"})
        answer = api(cast.amir).get(
            f"/api/v1/tickets/{created.data['id']}?fields=title", headers={"X-Request-Id": "mine-2"}
        )
        line = lines("ticketing.requests")[-1]
        assert line["message"].startswith("GET /api/v1/tickets/<str:id> 200 in ")
        assert (line["request_id"], line["trace_id"]) == ("mine-2", "mine-2")
        assert (line["tenant"], line["actor"]) == (str(cast.acme.pk), str(cast.amir.pk))
        assert (line["method"], line["route"], line["status"]) == ("GET", "/api/v1/tickets/<str:id>", 200)
        assert line["bytes"] == len(answer.content)
        assert line["database_calls"] >= 2  # who asks, and the ticket
        assert line["milliseconds"] >= line["database_milliseconds"] > 0
        assert line["cpu_milliseconds"] > 0
        assert line.keys() <= ALWAYS | OF_A_REQUEST | set(FIELDS)
        assert str(created.data["id"]) not in lines.text

    @pytest.mark.django_db
    def test_a_keys_line_has_its_id(self, cast: Cast, lines: Lines) -> None:
        with tenant_scope(cast.acme.pk):
            key, secret = create_api_key(actor_of(cast.ada), name="CI", scopes=["tickets:read"])
        Client().get("/api/v1/tickets", headers={"Authorization": f"Api-Key {secret}"})
        line = lines("ticketing.requests")[-1]
        assert (line["status"], line["actor"]) == (200, str(key.pk))
        assert secret not in lines.text

    @pytest.mark.django_db
    def test_the_line_of_a_session_names_its_user(self, cast: Cast, lines: Lines) -> None:
        client = Client(HTTP_HOST="acme.localhost")
        client.post("/console/login/?next=/console/", {"username": "agent@example.test", "password": PASSWORD})
        client.get("/console/tickets/ticket/")
        line = lines("ticketing.requests")[-1]
        assert (line["route"], line["status"]) == ("/console/tickets/ticket/", 200)
        assert (line["tenant"], line["actor"]) == (str(cast.acme.pk), str(cast.amir.pk))
        assert "agent@example.test" not in lines.text

    def test_nobody_is_named_before_sign_in(self, lines: Lines) -> None:
        Client().get("/api/v1/nowhere/4711")
        line = lines()[-1]
        assert (line["route"], line["status"]) == ("unmatched", 404)
        assert not {"tenant", "actor"} & line.keys()

    def test_what_is_no_failure_has_one_line_only(self, lines: Lines) -> None:
        Client().get("/api/v1/nowhere")
        assert [line["logger"] for line in lines()] == ["ticketing.requests"]

    def test_a_foreign_host_name_makes_no_error_and_no_traceback(self, lines: Lines) -> None:
        assert Client(HTTP_HOST=f"{SECRET}.example.test").get("/api/v1/tickets").status_code == 400
        [refused, told] = lines()
        assert (refused["level"], refused["message"]) == ("WARNING", "Invalid HTTP_HOST header")
        assert "exception" not in refused
        assert (told["level"], told["status"]) == ("INFO", 400)
        assert SECRET not in lines.text

    @pytest.mark.django_db
    def test_a_pattern_that_is_a_regular_expression_is_told_whole(self, lines: Lines) -> None:
        Client(HTTP_HOST="acme.localhost").get(f"/console/{SECRET}")
        line = lines("ticketing.requests")[-1]
        assert line["route"] == "/console/<url>"
        assert line["message"].startswith("GET /console/<url> 302 in ")

    def test_probes_are_not_told(self, lines: Lines) -> None:
        Client().get("/healthz")
        assert lines() == []

    @pytest.mark.parametrize(
        ("headers", "trace"),
        [
            ({"X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678"}, "1-67891233-abcdef012345678912345678"),
            (
                {"X-Amzn-Trace-Id": "Self=1-6-a;Root=1-67891233-abcdef012345678912345678;Sampled=1"},
                "1-67891233-abcdef012345678912345678",
            ),
            (
                {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
                "4bf92f3577b34da6a3ce929d0e0e4736",
            ),
            ({"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}, "mine"),
            ({"X-Amzn-Trace-Id": "Root=\n{}", "traceparent": "nonsense"}, "mine"),
        ],
    )
    def test_the_gateways_trace_goes_through(self, lines: Lines, headers: dict[str, str], trace: str) -> None:
        Client().get("/api/v1/nowhere", headers={**headers, "X-Request-Id": "mine"})
        [line] = lines()
        assert (line["request_id"], line["trace_id"]) == ("mine", trace)

    def test_what_would_break_a_line_does_not(self, lines: Lines) -> None:
        forged = '1\n{"level":"CRITICAL"}'
        response = Client().get("/api/v1/%0A%7B%22level%22%3A%22CRITICAL%22%7D", headers={"X-Request-Id": forged})
        [line] = lines()
        assert line["level"] == "INFO"
        assert line["request_id"] == response["X-Request-Id"] != forged


class TestLines:
    def test_unknown_fields_are_left_out(self, lines: Lines) -> None:
        line = log(lines, "ticketing.x", "done", extra={"job": "a.b", "password": SECRET})
        assert line.keys() == ALWAYS | {"job"}

    def test_a_job_has_its_id_and_scope(self, cast: Any, lines: Lines) -> None:
        token = request_id.set("host:1:abc")
        try:
            with tenant_scope(cast.acme.pk):
                line = log(lines, "ticketing.x", "done")
        finally:
            request_id.reset(token)
        assert (line["request_id"], line["trace_id"], line["tenant"]) == ("host:1:abc", "host:1:abc", str(cast.acme.pk))

    def test_an_exception_is_a_field_without_its_text(self, lines: Lines) -> None:
        try:
            try:
                raise KeyError(SECRET)
            except KeyError as error:
                raise OSError(28, SECRET) from error
        except OSError:
            line = log(lines, "ticketing.x", "no", exc_info=True)
        assert lines.text.count("\n") == 1
        assert line["exception"].endswith("OSError (28)")
        assert line["exception"].index("KeyError") < line["exception"].index("OSError (28)")
        assert __file__ in line["exception"]
        assert SECRET not in lines.text.replace("KeyError(SECRET)", "")

    def test_the_text_of_our_own_bugs_is_told(self) -> None:
        assert describe_exception(TenantScopeMissing("No tenant is active")).endswith(": No tenant is active")

    def test_an_exception_that_is_raised_from_itself_ends(self) -> None:
        error = ValueError()
        error.__cause__ = error
        assert describe_exception(error).count("ValueError") <= 5

    @pytest.mark.parametrize(
        "telling",
        [
            URI,
            f"cannot write to {MAIL}",
            f"<{MAIL}>, next",
            f"GET /reset?token={SECRET}",
            f"Bearer {SECRET}",
            f"Api-Key {SECRET}",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NzExIn0.sesame-4711",
            f"tk_acme_{SECRET}",
        ],
    )
    def test_our_messages_are_looked_through(self, lines: Lines, telling: str) -> None:
        log(lines, "ticketing.x", "it failed: %s", telling, extra={"notes": {"why": telling, "count": 3}})
        assert SECRET not in lines.text
        assert MAIL not in lines.text
        assert lines()[-1]["notes"]["count"] == 3

    def test_libraries_lines_end_where_data_begins(self, lines: Lines) -> None:
        line = log(lines, "botocore.x", "Retrying (%s) after: %s", "Retry(total=2)", f"https://x/{SECRET}")
        assert line["message"] == "Retrying (Retry(total=2)) after"
        line = log(lines, "gunicorn.error", "Invalid request: %r", f"Cookie: {SECRET}")
        assert line["message"] == "Invalid request: "

    def test_libraries_are_not_asked_for_details(self, lines: Lines) -> None:
        for name in ("pymongo.command", "botocore.endpoint", "urllib3.connectionpool", "django.db.backends"):
            logging.getLogger(name).debug(SECRET)
            logging.getLogger(name).info(SECRET)
        assert lines() == []

    @pytest.mark.parametrize("odd", ["a lone surrogate \ud800", "a line\nand another", object()])
    def test_every_text_makes_one_line(self, lines: Lines, odd: object) -> None:
        log(lines, "ticketing.x", "odd", extra={"attachment": odd, "notes": {"it": odd}})
        assert lines.text.count("\n") == 1

    def test_a_message_whose_arguments_do_not_fit_is_told_without_them(self) -> None:
        record = logging.LogRecord("ticketing.x", logging.ERROR, "", 0, "%d rows", (SECRET,), None)
        assert json.loads(JsonFormatter().format(record))["message"] == "%d rows"

    def test_for_people_there_is_a_line_with_the_text_of_exceptions(self) -> None:
        handler = Lines()
        handler.setFormatter(LineFormatter())
        try:
            raise ValueError("what it was")
        except ValueError:
            record = logging.LogRecord("ticketing.x", logging.ERROR, "", 0, "no\nway", (), sys.exc_info())
        handler.handle(record)
        first, *rest = handler.text.splitlines()
        assert first.endswith(r"ERROR ticketing.x request=- tenant=- no\x0away")
        assert rest[-1] == "ValueError: what it was"


def _failing(request: Any, **_: Any) -> Any:
    raise RuntimeError(f"{request.body!r} {request.META} {URI}")


class _FailingView(ApiView):
    actions = {"POST": Action.TICKETS_CREATE}

    def post(self, request: Any) -> Any:
        raise LookupError(f"{request.data} {request.META} {URI}")


class _Urls:
    urlpatterns = [
        path("console/failing/<str:what>", _failing),
        path("api/v1/failing", _FailingView.as_view()),
        *platform.urlpatterns,
    ]
    handler400, handler403 = platform.handler400, platform.handler403
    handler404, handler500 = platform.handler404, platform.handler500


@pytest.mark.django_db
class TestSecrets:
    """Everything that must not be told goes in wherever it can, and none of it comes out."""

    @pytest.mark.usefixtures("all_levels")
    def test_none_is_told(self, cast: Cast, lines: Lines, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.ROOT_URLCONF = _Urls
        client = Client(raise_request_exception=False, HTTP_HOST="acme.localhost")
        client.cookies[django_settings.SESSION_COOKIE_NAME] = f"cookie-{SECRET}"
        headers = {"X-Request-Id": f"{SECRET}\nforged", "Referer": f"https://x/{SECRET}", "User-Agent": SECRET}
        login = {"email": MAIL, "password": SECRET, "tenant": "acme"}
        bearer = {**headers, "Authorization": f"Bearer {SECRET}"}
        key = {**headers, "Authorization": f"Api-Key tk_acme_{SECRET}"}
        sent: list[tuple[int, Any]] = []

        def send(expected: int, method: str, path: str, **arguments: Any) -> None:
            response = client.generic(method, path, **{"headers": headers, **arguments})
            sent.append((expected, response.status_code))

        def body(value: Any) -> dict[str, Any]:
            return {"data": json.dumps(value), "content_type": "application/json"}

        send(401, "POST", "/api/v1/auth/login", **body(login))
        send(401, "GET", f"/api/v1/tickets?q={MAIL}", headers=bearer)
        send(401, "GET", f"/api/v1/tickets?q={MAIL}", headers=key)
        send(400, "POST", "/api/v1/auth/login", data=f"{{{SECRET}", content_type="application/json")
        send(404, "GET", f"/api/v1/{SECRET}/{MAIL}?token={SECRET}")
        send(404, SECRET.upper(), "/api/v1/nowhere")
        send(400, "GET", f"/api/v1/tickets?{SECRET}", HTTP_HOST=f"{SECRET}.evil.test")
        send(200, "POST", "/console/login/", data=f"username={MAIL}&password={SECRET}", content_type=FORM)
        send(500, "POST", f"/console/failing/{SECRET}?q={MAIL}", **body(login))
        token = open_session(cast.amir).access
        send(500, "POST", "/api/v1/failing", headers={"Authorization": f"Bearer {token}"}, **body(login))

        def away(*_: Any, **__: Any) -> None:
            raise ServerSelectionTimeoutError(f"cannot reach {URI}")

        monkeypatch.setattr("accounts.middleware.find_signed_in", away)
        send(503, "GET", f"/api/v1/tickets?q={SECRET}")
        send(503, "GET", f"/console/?q={SECRET}")

        assert [status for _, status in sent] == [expected for expected, _ in sent]
        assert len(lines("ticketing.requests")) == len(sent)
        for telling in (SECRET, SECRET.upper(), MAIL, token, PASSWORD, "evil.test", "root:"):
            assert telling not in lines.text, telling
        assert lines.text.count("\n") == len(lines())
        assert {"django.request", "ticketing.api"} <= {line["logger"] for line in lines()}
