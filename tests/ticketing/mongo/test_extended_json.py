from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.mongo import ObjectId
from ticketing.mongo.extended_json import from_json, to_json

_MILLISECONDS = st.integers(-(10**12), 10**13).map(
    lambda count: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=count)
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(),
    _MILLISECONDS,
    st.binary(min_size=12, max_size=12).map(ObjectId),
)
_NAMES = st.text(min_size=1).filter(lambda name: not name.startswith("$"))
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner), max_leaves=10)


@given(st.dictionaries(_NAMES, _VALUES))
def test_a_document_comes_back_as_it_was(document: dict[str, Any]) -> None:
    line = to_json(document)
    assert "\n" not in line
    back = from_json(line)
    assert back == document
    assert list(back) == list(document)


@pytest.mark.parametrize("line", ["", "{", "[]", "3", '{"a": {"$oid": "no"}}', '{"a": {"$date": []}}'])
def test_what_is_no_document_is_refused(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the reason is the driver's
        from_json(line)
