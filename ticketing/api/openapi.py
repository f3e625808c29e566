"""The OpenAPI document, made from what the views declare; nothing of it is written a second time."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc
from rest_framework import serializers

from ticketing.api import documented as texts
from ticketing.api.filters import listed
from ticketing.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from ticketing.api.root import API_ROUTE
from ticketing.api.serializers import PageInfo
from ticketing.api.views import ApiView

Document = dict[str, Any]
JSON, PROBLEM, MULTIPART = "application/json", "application/problem+json", "multipart/form-data"


@cache
def _page_of(row: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    name = re.sub(r"(Row)?(Output|Out)?(Serializer)?$", "", row.__name__) + "Page"
    members = {"data": row(many=True), "page": PageInfo(), "__doc__": "One page of a list."}
    return type(name, (serializers.Serializer,), members)


class Schema(AutoSchema):
    """One operation of an ``ApiView``."""

    view: ApiView  # type: ignore[override]

    def get_operation(self, *args: Any, **kwargs: Any) -> Document | None:
        operation: Document | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            self._add_examples(operation)
            for response in operation["responses"].values():
                response["headers"] = self._success_headers()
            self._add_errors(operation["responses"])
        return operation

    def get_operation_id(self) -> str:
        """``tickets_list``, ``tickets_comments_create``, ``auth_login``: the path's words and what is done to it."""
        words = [word.replace("-", "_") for word in self._words() if not word.startswith("{")]
        ends_in_id = self.path.endswith("}")
        suffix = {"PUT": "replace", "PATCH": "update", "DELETE": "delete"}.get(self.method, "")
        if self.method == "GET":
            suffix = "list" if self.view.paginated else "get" if ends_in_id else ""
        elif self.method == "POST" and ("GET" in self.view.allowed_methods or ends_in_id):
            suffix = "create"
        return "_".join([*words, suffix] if suffix else words) or "root"

    def get_serializer_name(self, serializer: Any, direction: Literal["request", "response"]) -> str:
        """``Ticket`` for TicketOutput; what is sent is told from it by drf-spectacular's suffix, TicketRequest."""
        return re.sub(r"(Input|Output)$", "", str(super().get_serializer_name(serializer, direction)))

    def _insert_field_validators(self, field: Any, schema: Document) -> None:
        """Adds what our own fields check beyond their validators."""
        super()._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]
        schema.update(getattr(field, "schema", {}))
        if isinstance(field, serializers.ListField) and not field.allow_empty:
            schema["minItems"] = 1

    def get_summary(self) -> str:
        return self._doc().partition("\n\n")[0].replace("\n", " ").strip().rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]
        return self._doc().partition("\n\n")[2].strip()

    def get_tags(self) -> list[str]:
        return [self.view.tag or next(iter(self._words()), "")]

    def get_auth(self) -> list[Document]:
        names = texts.SECURITY_SCHEMES if self.view.authentication_classes else ()
        schemes: list[Document] = [{name: []} for name in names]
        return [{}, *schemes] if self.view.public else schemes

    def map_parsers(self) -> list[str]:
        """Forms are for browsers; a program sends a form only where it sends a file."""
        serializer = self.view.inputs.get(self.method)
        fields = serializer._declared_fields.values() if serializer else ()
        return [MULTIPART] if any(isinstance(each, serializers.FileField) for each in fields) else [JSON]

    def get_request_serializer(self) -> Any:
        serializer = self.view.inputs.get(self.method)
        if self.method in self.view.json_inputs:
            return {media_type: self._input_of(media_type)() for media_type in (MULTIPART, JSON)}
        return None if serializer is None else serializer(partial=self.method == "PATCH")

    def _input_of(self, media_type: str) -> Any:
        """The serializer of a body of this type, or None."""
        inputs = {**self.view.inputs, **self.view.json_inputs} if media_type == JSON else self.view.inputs
        return inputs.get(self.method)

    def get_response_serializers(self) -> Any:
        output = self.view.outputs.get(self.method)
        status = self.view.statuses.get(self.method) or self._default_status(output)
        if self.method in self.view.downloads:
            return {(status, "application/octet-stream"): {"type": "string", "format": "binary"}}
        if output is None:
            return {status: None}
        return {status: _page_of(output) if self.method == "GET" and self.view.paginated else output}

    def _default_status(self, output: Any) -> int:
        if output is None and self.method not in self.view.downloads:
            return 204
        return 201 if self.method == "POST" and "GET" in self.view.allowed_methods else 200

    def _get_parameters(self) -> list[Document]:
        return [*self._path_parameters(), *self._query_parameters(), *self._header_parameters()]

    def _path_parameters(self) -> Iterator[Document]:
        for name in re.findall(r"\{(\w+)\}", self.path):
            yield _parameter("path", name, texts.PATH.get(name, "The id."), {"type": "string"})

    def _query_parameters(self) -> Iterator[Document]:
        view = self.view
        for extra in view.parameters.get(self.method, ()):
            yield _parameter("query", extra.name, extra.description, extra.schema)
        if self.method != "GET":
            return
        if view.filters:
            for name, each in view.filters.base_filters.items():
                schema = dict(each.schema)
                yield _parameter("query", name, schema.pop("description", each.label or ""), schema)
            if view.filters.orderings:
                orderings = list(view.filters.orderings)
                schema = {"type": "string", "enum": orderings, "default": orderings[0]}
                yield _parameter("query", "ordering", "The order of the list.", schema)
        if view.paginated:
            yield from self._page_parameters()
        for name, offered in (("fields", view.declared_members() if view.sparse else ()), ("include", view.includes)):
            if offered:
                schema = {"type": "string", "pattern": listed("|".join(offered), most=None)}
                yield _parameter("query", name, f"{texts.QUERY[name]} {', '.join(offered)}.", schema)

    def _page_parameters(self) -> Iterator[Document]:
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        yield _parameter("query", "limit", texts.QUERY["limit"], limit)
        for name in ("after", "before"):
            yield _parameter("query", name, texts.QUERY[name], {"type": "string", "format": "cursor"})
        yield _parameter("query", "count", texts.QUERY["count"], {"type": "boolean", "default": False})

    def _header_parameters(self) -> Iterator[Document]:
        names = ["X-Request-Id", "X-Tenant"]
        if self.method == "POST":
            names.append("Idempotency-Key")
        if self.view.versioned and self.method in {"PUT", "PATCH", "DELETE"}:
            names.append("If-Match-Required" if self._needs_if_match() else "If-Match")
        if self.view.versioned and self.method == "GET":
            names.append("If-None-Match")
        return ({"$ref": f"#/components/parameters/{name}"} for name in names)

    def _needs_if_match(self) -> bool:
        """Where the body cannot tell the version that is replaced."""
        return self.method == "PUT" and "version" not in self.view.inputs["PUT"]._declared_fields

    def _add_errors(self, responses: Document) -> None:
        for status in sorted(self._error_statuses()):
            responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
        if self.method in self.view.downloads:
            responses["302"] = {
                "description": texts.STATUSES[302],
                "headers": _header_refs(["Location", "X-Request-Id"]),
            }
        if self.view.versioned and self.method == "GET":
            responses["304"] = {"description": texts.STATUSES[304], "headers": _header_refs(["ETag", "X-Request-Id"])}

    def _error_statuses(self) -> set[int]:
        view = self.view
        statuses = {400, 406, 429, 500, 503, *view.errors.get(self.method, ())}
        if view.authentication_classes:
            statuses.add(401)
        if not view.public:
            statuses.add(403)
        if "{" in self.path:
            statuses.add(404)
        if self.method in {"POST", "PUT", "PATCH"}:
            statuses |= {411, 413, 415}
        if self.method == "POST":
            statuses |= {409, 422}
        if view.versioned and self.method in {"PUT", "PATCH", "DELETE"}:
            statuses.add(412)
        if view.versioned and self.method == "PUT":
            statuses.add(428)
        return statuses

    def _success_headers(self) -> Document:
        names = list(texts.COMMON_HEADERS)
        if self.view.versioned and self.method != "DELETE":
            names.append("ETag")
        if self.method == "POST":
            names += ["Idempotent-Replay", "Location"]
        if self.method == "GET" and self.view.paginated:
            names.append("Link")
        return _header_refs(names)

    def _add_examples(self, operation: Document) -> None:
        for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
            if sent := getattr(self._input_of(media_type), "example", None):
                media["example"] = sent
        received = getattr(self.view.outputs.get(self.method), "example", None)
        for response in operation["responses"].values():
            for media in response.get("content", {}).values():
                if received:
                    is_page = self.method == "GET" and self.view.paginated
                    media["example"] = {"data": [received], "page": texts.PAGE_EXAMPLE} if is_page else received

    def _doc(self) -> str:
        handler = getattr(self.view, self.method.lower(), None)
        return str(get_doc(handler) or get_doc(type(self.view)))

    def _words(self) -> Sequence[str]:
        return [word for word in self.path.removeprefix("/" + API_ROUTE).split("/") if word]


def complete_document(result: Document, **_options: Any) -> Document:
    """Adds what every operation shares: problem documents, headers, parameters, security schemes, tags."""
    result["info"]["description"] = texts.DESCRIPTION
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = texts.PROBLEM_SCHEMA
    for name, schema in components["schemas"].items():
        if name.endswith("Request"):
            schema["additionalProperties"] = False
    components["responses"] = {
        f"Problem{status}": _problem_response(status, text) for status, text in texts.STATUSES.items() if status >= 400
    }
    components["headers"] = {name: _header(*each) for name, each in texts.HEADERS.items()}
    components["parameters"] = {
        name: _parameter("header", name, text, {"type": "string", **schema})
        for name, (text, schema) in texts.HEADER_PARAMETERS.items()
    }
    components["parameters"]["If-Match-Required"] = {**components["parameters"]["If-Match"], "required": True}
    components["securitySchemes"] = texts.SECURITY_SCHEMES
    for operation in (each for path in result["paths"].values() for each in path.values()):
        if form := operation.get("requestBody", {}).get("content", {}).get(MULTIPART):
            _as_in_a_form(components["schemas"][_name(form["schema"])])
        if any(parameter.get("name") == "fields" for parameter in operation.get("parameters", ())):
            _allow_sparse(operation["responses"]["200"]["content"][JSON], components["schemas"])
    components["schemas"] = dict(sorted(components["schemas"].items()))
    used = {tag for path in result["paths"].values() for each in path.values() for tag in each.get("tags", ())}
    result["tags"] = [{"name": tag, "description": texts.TAGS[tag]} for tag in sorted(used) if tag in texts.TAGS]
    return result


def _allow_sparse(media: Document, schemas: Document) -> None:
    """Says of an answer, or of the rows of a page, that ``fields=`` may leave out any member."""
    answer = schemas[_name(media["schema"])]
    rows = answer["properties"].get("data")
    whole = _name(rows["items"] if rows else media["schema"])
    sparse = {**schemas[whole], "description": f"A {whole} of the members that `fields` names."}
    del sparse["required"]
    schemas[f"Sparse{whole}"] = sparse
    either = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in (whole, f"Sparse{whole}")]}
    if rows:
        rows["items"] = either
    else:
        media["schema"] = either


def _as_in_a_form(form: Document) -> None:
    """A form has no null, an empty text stands for it; and its files are not empty."""
    for name, schema in form["properties"].items():
        if "null" in schema.get("type", ()):
            [type_] = [each for each in schema["type"] if each != "null"]
            form["properties"][name] = {"anyOf": [{**schema, "type": type_}, {"type": "string", "maxLength": 0}]}
        elif schema.get("format") == "binary":
            schema["minLength"] = 1


def _name(reference: Document) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _parameter(place: str, name: str, description: str, schema: Mapping[str, Any]) -> Document:
    return {
        "in": place,
        "name": name,
        "description": description,
        "schema": dict(schema),
        **({"required": True} if place == "path" else {}),
    }


def _problem_response(status: int, description: str) -> Document:
    special = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"], 409: ["Retry-After"]}
    return {
        "description": description,
        "headers": _header_refs([*texts.COMMON_HEADERS, *special.get(status, ())]),
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _header_refs(names: Sequence[str]) -> Document:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _header(description: str, kind: str) -> Document:
    return {"description": description, "schema": {"type": kind}}
