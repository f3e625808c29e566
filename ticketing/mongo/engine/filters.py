"""Rewrites a MongoDB filter into an equivalent one that the query planner can turn into tight index bounds."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bson import Decimal128, ObjectId

Filter = dict[str, Any]
IsScalar = Callable[[str], bool]

# A range over one of these types never matches null or a missing field: MongoDB compares only values of one type
# (https://www.mongodb.com/docs/manual/reference/method/db.collection.find/#type-bracketing).
_BRACKETED = (str, bytes, bool, int, float, datetime, Decimal128, ObjectId)
_RANGES = ("$lt", "$lte", "$gt", "$gte")
_OPPOSITES = {"$in": "$nin", "$nin": "$in"}


def simplified(condition: Filter, is_scalar: IsScalar) -> Filter:
    """The smallest filter that matches exactly the documents `condition` matches.

    `is_scalar` says of a column whether it can never hold an array: only there does a range imply "not null"
    (an array may hold both a value in range and a null). Dotted paths may cross arrays and are left alone.
    """
    return _merged(_without_implied(_conjuncts(condition, is_scalar), is_scalar))


def _conjuncts(condition: Filter, is_scalar: IsScalar) -> list[Filter]:
    """Conditions of one key each that must all hold."""
    found: list[Filter] = []
    for key, value in condition.items():
        if key == "$and":
            for part in value:
                found += _conjuncts(part, is_scalar)
        elif key == "$nor":
            for part in value:
                found += _negated(part, is_scalar)
        elif key == "$or":
            found += _disjunction(value, is_scalar)
        else:
            found.append({key: value})
    return found


def _disjunction(parts: list[Filter], is_scalar: IsScalar) -> list[Filter]:
    choices: list[Filter] = []
    for part in parts:
        choice = simplified(part, is_scalar)
        choices += choice["$or"] if set(choice) == {"$or"} else [choice]
    null = {column for choice in choices for column, value in choice.items() if len(choice) == 1 and value is None}
    # In MQL {column: null} already matches a missing field.
    missing = [{column: {"$exists": False}} for column in null if "." not in column]
    choices = [choice for choice in choices if choice not in missing]
    return _conjuncts(choices[0], is_scalar) if len(choices) == 1 else [{"$or": choices}]


def _negated(condition: Filter, is_scalar: IsScalar) -> list[Filter]:
    """The planner gives $nor no index bounds, but gives them to $ne, $nin and $not on one field."""
    inner = simplified(condition, is_scalar)
    if len(inner) != 1:
        return [{"$nor": [inner]}]
    [(key, value)] = inner.items()
    if key == "$or":
        return [part for choice in value for part in _negated(choice, is_scalar)]
    if key == "$nor":
        return _disjunction(value, is_scalar)
    if key.startswith("$"):
        return [{"$nor": [inner]}]
    return [{key: _opposite(value)}]


def _opposite(value: Any) -> Any:
    if not _is_operators(value):
        return {"$ne": value}
    if len(value) == 1:
        [(operator, operand)] = value.items()
        if operator in _OPPOSITES:
            return {_OPPOSITES[operator]: operand}
        if operator == "$exists":
            return {"$exists": not operand}
        if operator == "$ne":
            return {"$eq": operand} if isinstance(operand, dict) else operand
        if operator == "$not":
            return operand
    return {"$not": value}


def _without_implied(parts: list[Filter], is_scalar: IsScalar) -> list[Filter]:
    kept = list(parts)
    for part in parts:
        rest = [other for other in kept if other is not part]
        if any(_implies(other, part, is_scalar) for other in rest):
            kept = rest
    return kept


def _implies(known: Filter, part: Filter, is_scalar: IsScalar) -> bool:
    [(column, condition)] = part.items()
    if "." in column or column not in known:
        return False
    if condition == {"$exists": True}:
        return bool(known[column] == {"$ne": None})
    if condition == {"$ne": None}:
        return bool(known[column] == condition) or (is_scalar(column) and _excludes_null(known[column]))
    return False


def _excludes_null(condition: Any) -> bool:
    if not _is_operators(condition):
        return condition is not None
    return (
        any(isinstance(condition.get(operator), _BRACKETED) for operator in _RANGES)
        or "$regex" in condition
        or ("$in" in condition and not any(value is None for value in condition["$in"]))
    )


def _merged(parts: list[Filter]) -> Filter:
    merged: Filter = {}
    rest: list[Filter] = []
    for part in parts:
        [(key, value)] = part.items()
        if key not in merged:
            merged[key] = value
        elif not key.startswith("$") and _combinable(value, merged[key]):
            merged[key] = {**merged[key], **value}
        else:
            rest.append(part)
    return {"$and": [merged, *rest]} if rest else merged


def _combinable(one: Any, other: Any) -> bool:
    """Whether two conditions on one field fit into one document of operators."""
    if not (_is_operators(one) and _is_operators(other)):
        return False
    return not (one.keys() & other.keys() or "$regex" in one or "$regex" in other)


def _is_operators(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(str(key).startswith("$") for key in value)
