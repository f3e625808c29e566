"""Compares the indexes that models declare with those on the server."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Model
from django_mongodb_backend.models import EmbeddedModel
from pymongo.operations import IndexModel

from ticketing.mongo.engine.schema import DatabaseSchemaEditor

Specification = dict[str, Any]

# What makes two indexes of one name different; all else in a listing describes how the server stores it.
_OPTIONS = ("unique", "sparse", "partialFilterExpression", "expireAfterSeconds", "collation")


_ORDERS = {1: 1, -1: -1}  # the shell writes 1.0, other kinds of index are named: "text", "2dsphere"


class State(StrEnum):
    MISSING = "missing"
    DIFFERS = "differs"
    EXTRA = "extra"
    UNUSED = "unused"


@dataclass(frozen=True)
class Finding:
    """One index that is not as declared, or that no query has used."""

    state: State
    collection: str
    index: str
    detail: str

    @property
    def is_fault(self) -> bool:
        """Whether queries or rules depend on it: an index too many costs only space and writes."""
        return self.state in {State.MISSING, State.DIFFERS}


def compare_indexes(models: Iterable[type[Model]], connection: Any) -> list[Finding]:
    """What is missing, different, extra or unused in the collections of the managed models."""
    findings: list[Finding] = []
    for model in models:
        if not model._meta.managed or model._meta.proxy or model._meta.swapped or issubclass(model, EmbeddedModel):
            continue
        name = model._meta.db_table
        stored = {index["name"]: _specification(index) for index in connection.database[name].list_indexes()}
        findings += _compare(name, declared_indexes(model, connection), stored)
        findings += _unused(connection.database[name])
    return findings


def declared_indexes(model: type[Model], connection: Any) -> dict[str, Specification]:
    """Each index that the schema editor would create for the model, by name: its keys and options."""
    recorder = _Recorder(connection)
    recorder._create_model_indexes(model)
    return {index.document["name"]: _specification(index.document) for index in recorder.indexes}


class _Recorder(DatabaseSchemaEditor):
    """A schema editor that only notes the indexes it is to create."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.indexes: list[IndexModel] = []

    def get_collection(self, name: str) -> "_Recorder":
        return self

    def create_indexes(self, indexes: list[IndexModel]) -> None:
        self.indexes += indexes


def _specification(index: Mapping[str, Any]) -> Specification:
    options = {option: index[option] for option in _OPTIONS if index.get(option)}
    if "expireAfterSeconds" in index:  # 0 is a value
        options["expireAfterSeconds"] = index["expireAfterSeconds"]
    return {"key": [(field, _ORDERS.get(order, order)) for field, order in index["key"].items()], **options}


def _compare(
    collection: str, declared: Mapping[str, Specification], stored: Mapping[str, Specification]
) -> list[Finding]:
    findings = []
    for name, wanted in declared.items():
        if name not in stored:
            twins = [other for other, found in stored.items() if found == wanted]
            state, detail = (State.DIFFERS, f"is named {twins[0]}") if twins else (State.MISSING, _text(wanted))
            findings.append(Finding(state, collection, name, detail))
        elif stored[name] != wanted:
            detail = f"declared {_text(wanted)}, stored {_text(stored[name])}"
            findings.append(Finding(State.DIFFERS, collection, name, detail))
    findings += [
        Finding(State.EXTRA, collection, name, _text(found))
        for name, found in stored.items()
        if name not in declared and name != "_id_"
    ]
    return findings


def _unused(collection: Any) -> list[Finding]:
    """Indexes that no query has used, as each node that answers counts since its start."""
    return [
        Finding(
            State.UNUSED,
            collection.name,
            statistics["name"],
            f"on {statistics['host']} since {statistics['accesses']['since']:%Y-%m-%d %H:%M} UTC",
        )
        for statistics in collection.aggregate([{"$indexStats": {}}, {"$sort": {"name": 1, "host": 1}}])
        if statistics["accesses"]["ops"] == 0 and statistics["name"] != "_id_"
    ]


def _text(specification: Specification) -> str:
    keys = ", ".join(f"{'-' if order == -1 else ''}{field}" for field, order in specification["key"])
    options = "".join(f" {option}={value!r}" for option, value in specification.items() if option != "key")
    return f"({keys}){options}"
