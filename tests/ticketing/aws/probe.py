"""A handler that answers as the real one does, and tells what the process looks like after it."""

import sys
from typing import Any

from ticketing.aws.handler import handler as answer
from ticketing.mongo.client import get_database
from ticketing.mongo.scope import find_scope

Event = dict[str, Any]


def handler(event: Event, context: Any) -> Event:
    from contextvars import copy_context

    before = dict(copy_context())
    answered = answer(event, context)
    client = get_database().client
    options = client.options
    return {
        "answer": answered,
        "client": id(client),
        "pool": options.pool_options.max_pool_size,
        "selection": options.server_selection_timeout,
        "proxies": _settings().TRUSTED_PROXIES,
        "scope": repr(find_scope()),
        "context_is_as_before": dict(copy_context()) == before,
        "modules": sorted(sys.modules),
    }


def _settings() -> Any:
    from django.conf import settings

    return settings
