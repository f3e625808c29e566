from hypothesis import given
from hypothesis import strategies as st

from ticketing.mongo import ObjectId
from tickets.transfer.ids import IdMapping

ids = st.binary(min_size=12, max_size=12).map(ObjectId)


@given(ids, ids, ids, ids)
def test_two_ids_never_become_one(old: ObjectId, new: ObjectId, first: ObjectId, second: ObjectId) -> None:
    mapping = IdMapping(old, new)
    if old not in (first, second):
        assert (mapping.map_id(first) == mapping.map_id(second)) == (first == second)


@given(ids, ids)
def test_the_same_tenant_keeps_every_id(old: ObjectId, id_: ObjectId) -> None:
    assert IdMapping(old, old).map([id_, {"a": [id_]}]) == [id_, {"a": [id_]}]


@given(ids, st.binary(min_size=5, max_size=5), st.integers(0, 2**24 - 2))
def test_ids_of_one_process_keep_their_order_and_time(tenant: ObjectId, process: bytes, counter: int) -> None:
    time = b"\x66\x00\x00\x00"
    first, second = (ObjectId(time + process + (counter + step).to_bytes(3, "big")) for step in (0, 1))
    mapping = IdMapping(tenant, ObjectId())
    if tenant not in (first, second):
        assert mapping.map_id(first) < mapping.map_id(second)
        assert mapping.map_id(first).generation_time == first.generation_time


def test_ids_are_found_however_deep_they_lie() -> None:
    old, new, id_ = ObjectId(), ObjectId(), ObjectId()
    mapping = IdMapping(old, new)
    mapped = mapping.map({"tenant_id": old, "changes": {"who": [None, id_]}, "text": str(id_)})
    assert mapped == {"tenant_id": new, "changes": {"who": [None, mapping.map_id(id_)]}, "text": str(id_)}
    assert mapping.map_id(id_) != id_
