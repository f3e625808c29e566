from typing import Any

import pytest

from tenants.rules import (
    DARK_SURFACE,
    EDITABLE,
    SETTINGS,
    QuotaExceeded,
    can_register,
    check_quota,
    check_registration,
    clean_tenant,
    contrast,
    differences,
    on_dark_surface,
    under_white_text,
)
from ticketing.errors import InvalidInput


def clean(**values: Any) -> dict[str, Any]:
    return clean_tenant(values, allowed=EDITABLE, locales=["en", "de"])


@pytest.mark.parametrize(
    ("field", "given", "stored"),
    [
        ("slug", "a", "a"),
        ("slug", "acme-2", "acme-2"),
        ("slug", "0" * 40, "0" * 40),
        ("name", " Acme ", "Acme"),
        ("hosts", ["Help.ACME.test", "help.acme.test."], ["help.acme.test"]),
        ("hosts", ["xn--bcher-kva.example", "localhost"], ["xn--bcher-kva.example", "localhost"]),
        ("registration", "domains", "domains"),
        ("registration_domains", ["Acme.TEST"], ["acme.test"]),
        ("time_zone", "Europe/Berlin", "Europe/Berlin"),
        ("locale", "de", "de"),
        ("brand_name", "", ""),
        ("brand_color", "#2563EB", "#2563eb"),
        ("max_staff", 0, 0),
    ],
)
def test_good_values_are_stored_in_one_form(field: str, given: Any, stored: Any) -> None:
    assert clean(**{field: given}) == {field: stored}


@pytest.mark.parametrize(
    ("field", "given"),
    [
        *(("slug", bad) for bad in ("", "-a", "a-", "A", "a_b", "a.b", "ä", "a" * 41, "a\n", None, 5)),
        *(("name", bad) for bad in ("", "  ", "x" * 121, None, 5)),
        *(("hosts", [bad]) for bad in ("", "a b", "a_b", "http://a", "a:80", "-a.test", "a..b", "x" * 64, "bücher.de")),
        *(("hosts", bad) for bad in ("a.test", None, [5])),
        ("registration", "everybody"),
        ("registration_domains", ["@acme.test"]),
        *(("time_zone", bad) for bad in ("", "Berlin", "../etc/passwd", "/etc/passwd", None, 5, "Europe")),
        *(("locale", bad) for bad in ("", "fr", "EN", None)),
        ("brand_name", "x" * 61),
        *(("brand_color", bad) for bad in ("", "red", "#fff", "#2563eb;", "#gggggg", None)),
        *(("max_staff", bad) for bad in (-1, True, "5", 1.5, None, 10**12)),
        ("status", "active"),
        ("storage_bytes", 0),
    ],
)
def test_a_bad_value_is_refused_with_the_field(field: str, given: Any) -> None:
    with pytest.raises(InvalidInput) as error:
        clean(**{field: given})
    assert [each.field for each in error.value.errors] == [field]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as error:
        clean(slug="", locale="xx", name="fine")
    assert [each.field for each in error.value.errors] == ["slug", "locale"]


def test_an_admin_changes_settings_only() -> None:
    for field in EDITABLE - SETTINGS:
        with pytest.raises(InvalidInput):
            clean_tenant({field: "x"}, allowed=SETTINGS, locales=["en"])


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000") == contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#ffffff") == pytest.approx(1)
    assert contrast("#767676") == pytest.approx(4.54, abs=0.01)  # the well-known lightest grey for text


@pytest.mark.parametrize("color", ["#ffff00", "#ffffff", "#000000", "#2563eb", "#0f2a5f", "#22c55e"])
def test_any_colour_can_be_read(color: str) -> None:
    assert contrast(under_white_text(color)) >= 4.5
    assert contrast(on_dark_surface(color), DARK_SURFACE) >= 4.5


def test_a_colour_that_can_be_read_stays() -> None:
    assert under_white_text("#2563eb") == "#2563eb"
    assert on_dark_surface("#ffff00") == "#ffff00"


def test_the_audit_log_is_told_old_and_new_values_of_what_differs() -> None:
    before = {"name": "A", "team_ids": [1], "hosts": ["a.test"]}
    after = {"name": "B", "team_ids": [1], "hosts": [], "locale": "de"}
    assert differences(before, after) == {"name": ["A", "B"], "hosts": [["a.test"], []], "locale": [None, "de"]}


def test_registration_by_domain_needs_one() -> None:
    with pytest.raises(InvalidInput):
        check_registration("domains", [])
    check_registration("domains", ["acme.test"])
    check_registration("open", [])
    assert not can_register("domains", ["acme.test"], "x@evil-acme.test")


@pytest.mark.parametrize(("limit", "used", "fits"), [(0, 10**9, True), (3, 3, True), (3, 4, False)])
def test_a_quota_of_nothing_is_no_limit(limit: int, used: int, fits: bool) -> None:
    if fits:
        check_quota("max_staff", limit, used)
    else:
        with pytest.raises(QuotaExceeded) as error:
            check_quota("max_staff", limit, used)
        assert error.value.data == {"quota": "max_staff", "limit": 3}
