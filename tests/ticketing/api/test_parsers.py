"""Bodies that cannot be right."""

from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import Cast, api
from tests.ticketing.api.test_errors import assert_problem
from ticketing.api.parsers import JSONParser, parse_object
from ticketing.api.renderers import encode
from ticketing.errors import InvalidInput, TooLarge

texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def has_null(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(has_null(key) or has_null(inner) for key, inner in value.items())
    return isinstance(value, list) and any(has_null(inner) for inner in value)


@given(st.dictionaries(texts, values, max_size=5))
def test_any_object_without_nul_comes_through_unchanged(data: dict[str, Any]) -> None:
    if has_null(data):
        with pytest.raises(InvalidInput):
            parse_object(encode(data))
    else:
        assert parse_object(encode(data)) == data


@given(st.binary(max_size=200) | values.map(encode))
def test_no_body_raises_anything_but_invalid_input(body: bytes) -> None:
    with suppress(InvalidInput):
        assert isinstance(parse_object(body), dict)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"a": 1,}', "not_json"),
        (b'{"a": "\xff"}', "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": "\\ud800"}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "too_deep"),
        (b"[1]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"a": {"b": ["x\\u0000"]}}', "null_character"),
        (b"", "not_json"),
    ],
)
def test_refused_with_a_reason(body: bytes, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_object(body)
    assert caught.value.errors[0].code == code


def test_nul_is_refused_by_the_name_of_its_field() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_object(b'{"a": {"b": ["ok", "x\\u0000"]}}')
    assert caught.value.errors[0].field == "a.b.1"


def test_no_more_than_the_limit_is_read(settings: Any) -> None:
    settings.MAX_BODY_BYTES = 2000
    stream = BytesIO(b" " * 10_000)
    with pytest.raises(TooLarge):
        JSONParser().parse(stream)
    assert stream.tell() == 2001


@pytest.mark.django_db
def test_a_page_that_refuses_a_body_does_not_read_it() -> None:
    body = BytesIO(b"x" * 100)
    headers: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": str(10**9), "HTTP_ACCEPT": "text/html"}
    response = Client().generic("POST", "/api/v1/auth/login", b"", "multipart/form-data; boundary=b", **headers)
    assert (response.status_code, body.tell()) == (413, 0)


@pytest.mark.django_db
@pytest.mark.urls("tests.ticketing.api.sample")
class TestOverHTTP:
    def test_bad_json_is_400_with_the_body_named(self, cast: Cast) -> None:
        response = api(cast.carla).post("/api/v1/notes", "{", content_type="application/json")
        assert assert_problem(response, 400, "invalid_input")["errors"][0]["field"] == "body"

    @pytest.mark.parametrize("media_type", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
    def test_too_large_is_413_before_it_is_read(self, cast: Cast, settings: Any, media_type: str) -> None:
        settings.MAX_BODY_BYTES = 1000
        response = api(cast.carla).post("/api/v1/notes", "x" * 1001, content_type=media_type)
        assert_problem(response, 413, "too_large")

    def test_chunked_body_is_411(self, cast: Cast) -> None:
        client = api(cast.carla)
        response = client.generic("POST", "/api/v1/notes", HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")
        assert_problem(response, 411, "length_required")

    def test_forms_are_understood(self, cast: Cast) -> None:
        fields = {"title": "From a form", "amount": "3", "flag": "true", "tags": "a, b", "csrfmiddlewaretoken": "x"}
        response = api(cast.carla).post("/api/v1/notes", fields, format="multipart")
        assert response.status_code == 201, response.content
