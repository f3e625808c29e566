"""The texts and fixed parts of the OpenAPI document."""

from typing import Any

DESCRIPTION = """Open, follow and work support tickets of one tenant.

- **Errors** are `application/problem+json` (RFC 9457); `code` is for programs, `errors` names each field. Unknown
  fields and unknown query parameters are refused.
- **Concurrency**: a thing's `ETag` goes into `If-Match` when it is changed; 412 tells that somebody else was faster.
- **Repeating**: send an `Idempotency-Key` with a POST and repeat it safely; the first answer comes again for a day.
- **Lists** are keyset pages: follow `page.after` (or the `Link` header) until it is null.
- **Limits** are told by `RateLimit-*`; after a 429 wait for `Retry-After` seconds.
"""

SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token from `POST /auth/login`.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Authorization: Api-Key <key>`, for integrations.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "A browser's session; writes also need the CSRF token in `X-CSRFToken`.",
    },
}

COMMON_HEADERS = ("X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
HEADERS = {
    "ETag": ("The version of what is shown; send it as `If-Match` with a change.", "string"),
    "Idempotent-Replay": ("`true` when this is the first answer to the `Idempotency-Key` again.", "string"),
    "Link": ("The next and the previous page (RFC 8288).", "string"),
    "Location": ("The address of what was created, or where the bytes are.", "string"),
    "RateLimit-Limit": ("Requests per minute of the nearest limit.", "integer"),
    "RateLimit-Remaining": ("What is left of it.", "integer"),
    "RateLimit-Reset": ("Seconds until it starts anew.", "integer"),
    "Retry-After": ("Seconds to wait before trying again.", "integer"),
    "WWW-Authenticate": ("How to sign in.", "string"),
    "X-Request-Id": ("The request's id, as it stands in our logs.", "string"),
}

_IDEMPOTENCY_KEY = """Makes it safe to repeat the request: the same key with the same body gives the first answer again.
Ignored by sign-in. A request that failed leaves the key free; an answer with a secret is not repeated (409)."""

HEADER_PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Idempotency-Key": (
        _IDEMPOTENCY_KEY,
        {"minLength": 1, "maxLength": 255, "pattern": r"^[!-~]([ -~]*[!-~])?$"},
    ),
    "If-Match": ("The `ETag` of what was read; 412 when it is not the current version any more.", {}),
    "If-None-Match": ("The `ETag` of what was read; 304 when it has not changed.", {}),
    "X-Request-Id": (
        "An id of your own for the request, of at most 128 letters, digits and `._:/+=-`; otherwise we choose one.",
        {},
    ),
    "X-Tenant": ("The tenant's slug, where neither the host name nor a sign-in tells it.", {}),
}

PATH = {"id": "The id."}

QUERY = {
    "fields": "Only these members, between commas:",
    "include": "More than the default, between commas:",
    "limit": "Rows on a page.",
    "after": "The cursor `page.after` of the page before.",
    "before": "The cursor `page.before` of the page behind.",
    "count": "Also count the matches, up to 10,000.",
}

STATUSES = {
    302: "The bytes are at `Location`, for a minute and without signing in: go there without your token.",
    304: "It has not changed.",
    400: "The input is not valid; `errors` names each field or parameter.",
    401: "Nobody is signed in, or the credentials are not valid (any more).",
    403: "The role, or the API key's scopes, do not allow this.",
    404: "There is no such thing, or not for you.",
    406: "None of the accepted media types is on offer.",
    409: "The present state does not allow it, or the `Idempotency-Key` is still being worked on.",
    411: "The body has no Content-Length.",
    412: "It was changed meanwhile; `current_version` tells the version now.",
    413: "The body or the file is too large.",
    415: "The body's media type is not supported.",
    422: "The `Idempotency-Key` was used for another request.",
    428: "Say with `If-Match` which version you are replacing.",
    429: "Too many requests; wait for `Retry-After` seconds.",
    500: "Something went wrong on our side; tell us the `request_id`.",
    503: "The database cannot be reached just now; try again after `Retry-After` seconds.",
}

TAGS = {
    "api-keys": "Keys for integrations: scoped, expiring, shown once.",
    "attachments": "Files of tickets and comments.",
    "auth": "Signing in and out, and one's own account.",
    "comments": "What is said on a ticket.",
    "events": "Who changed what, and when.",
    "exports": "Everything the tenant owns as one file, for its admins.",
    "privacy": "Erasing people, legal holds and retention, for the tenant's admins.",
    "root": "Where to start.",
    "stats": "Counts for a period and any filter.",
    "teams": "Groups of staff.",
    "tickets": "The tickets themselves.",
    "users": "The people of the tenant.",
}

PAGE_EXAMPLE = {"limit": 25, "has_more": True, "after": "dgAAAAJzAB0AAABjcmVhdGVkX2F0Oi0x", "before": None}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457). Some problems carry more members, such as `allowed_transitions`.",
    "required": ["type", "title", "status", "detail", "code", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable, for programs."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string", "description": "Nested names are joined by dots."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "allowed_transitions": {"type": "array", "items": {"type": "string"}},
        "current_version": {"type": "integer"},
    },
    "additionalProperties": True,
    "example": {
        "type": "/problems/invalid_input",
        "title": "The input is not valid",
        "status": 400,
        "detail": "title: This field is required.",
        "code": "invalid_input",
        "request_id": "0f6a2c0de1b44c0b9c1f7e0d3d6f7a51",
        "errors": [{"field": "title", "code": "required", "message": "This field is required."}],
    },
}
