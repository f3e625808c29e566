"""New ids for a tenant that is imported beside the one it was exported from."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ticketing.mongo import ObjectId

# An ObjectId is 4 bytes of time, 5 of its process, and a counter of 3: https://www.mongodb.com/docs/manual/reference/bson-types/
_PROCESS = slice(4, 9)


@dataclass(frozen=True)
class IdMapping:
    """Maps every id of one tenant to that of another; for the same tenant each to itself.

    Only the process's bytes change, by an exclusive or with a mask of the two tenants. So no two ids become one, no
    table is needed, and ids keep their time and, within a process, their order.
    """

    old_tenant: ObjectId
    new_tenant: ObjectId

    @cached_property
    def _mask(self) -> bytes:
        if self.old_tenant == self.new_tenant:
            return bytes(5)
        return hashlib.sha256(self.old_tenant.binary + self.new_tenant.binary).digest()[:5]

    def map_id(self, id_: ObjectId) -> ObjectId:
        if id_ == self.old_tenant:
            return self.new_tenant
        old = id_.binary
        masked = bytes(a ^ b for a, b in zip(old[_PROCESS], self._mask, strict=True))
        return ObjectId(old[: _PROCESS.start] + masked + old[_PROCESS.stop :])

    def map(self, value: Any) -> Any:
        """The value with every id in it mapped, however deep it lies."""
        if isinstance(value, ObjectId):
            return self.map_id(value)
        if isinstance(value, dict):
            return {name: self.map(each) for name, each in value.items()}
        return [self.map(each) for each in value] if isinstance(value, list) else value
