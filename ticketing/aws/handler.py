"""The entry point on AWS Lambda: what the function is called with, and what it answers.

- HTTP requests of API Gateway (REST and HTTP APIs), an Application Load Balancer and a function URL, through WSGI;
- EventBridge's scheduled events, which run the background jobs that are due;
- ``{"manage": "migrate"}``, with which `zappa manage STAGE migrate` runs a management command.

Whoever may invoke the function may run management commands: IAM guards that.
"""

import gc

gc.disable()  # nothing of what is imported from here on is garbage: looking for some takes a tenth of a cold start

import logging  # noqa: E402
import shlex  # noqa: E402
from contextvars import copy_context  # noqa: E402
from importlib import import_module  # noqa: E402
from typing import Any  # noqa: E402

from ticketing.aws import environment  # noqa: E402

environment.prepare()

from ticketing.aws import http  # noqa: E402
from ticketing.wsgi import application  # noqa: E402

import_module("ticketing.urls")  # not left to the first request: it needs the apps that the line above sets up
gc.freeze()
gc.enable()

Event = dict[str, Any]
MARGIN_SECONDS = 5.0  # to end a step and to write down how a run went, before Lambda ends the process
logger = logging.getLogger("ticketing.aws")

_answer = http.make_handler(application)


class UnknownEvent(Exception):
    """The function was called with something that is neither a request, nor a schedule, nor a command."""


def handler(event: Event, context: Any) -> Event:
    """Answer one invocation. Raises UnknownEvent, and whatever a management command raises.

    What it puts into ContextVars ends with it: the next invocation of this process starts as the first one did.
    """
    return copy_context().run(_dispatch, event, context)


def _dispatch(event: Event, context: Any) -> Event:
    if http.is_request(event):
        return _answer(event, context)
    if event.get("detail-type") == "Scheduled Event":
        return _run_jobs(context)
    if isinstance(event.get("manage"), str):
        return _run_command(event["manage"])
    raise UnknownEvent(f"neither a request, nor a schedule, nor a command; its keys: {', '.join(sorted(event))}")


def _run_jobs(context: Any) -> Event:
    from ticketing.jobs.runner import run_due_jobs

    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    return {"jobs": {each.job: each.outcome for each in run_due_jobs(max(seconds, 0.0))}}


def _run_command(line: str) -> Event:
    from django.core.management import call_command

    name, *arguments = shlex.split(line)
    logger.warning("running manage.py %s", name)
    call_command(name, *arguments)
    return {}
