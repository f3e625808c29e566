"""The entry point on AWS Lambda: what the function is called with, and what it answers.

- HTTP requests of API Gateway (REST and HTTP APIs), an Application Load Balancer and a function URL, through WSGI;
- EventBridge's scheduled events, which run the background jobs that are due;
- ``{"manage": "migrate"}``, with which `zappa manage STAGE migrate` runs a management command.

Whoever may invoke the function may run management commands: IAM guards that.
"""

import logging
import shlex
from typing import Any

from ticketing.aws import environment

environment.prepare()

from ticketing.aws import http  # noqa: E402 - the settings read the environment
from ticketing.wsgi import application  # noqa: E402

Event = dict[str, Any]
MARGIN_SECONDS = 5.0  # to end a step and to write down how a run went, before Lambda ends the process
logger = logging.getLogger("ticketing.aws")

_answer = http.make_handler(application)


class UnknownEvent(Exception):
    """The function was called with something that is neither a request, nor a schedule, nor a command."""


def handler(event: Event, context: Any) -> Event:
    """Answer one invocation. Raises UnknownEvent, and whatever a management command raises."""
    if http.is_request(event):
        return _answer(event, context)
    if event.get("detail-type") == "Scheduled Event":
        return _run_jobs(context)
    if isinstance(event.get("manage"), str):
        return _run_command(event["manage"])
    raise UnknownEvent(f"an event with the keys {', '.join(sorted(map(str, event))) or '(none)'}")


def _run_jobs(context: Any) -> Event:
    from ticketing.jobs.runner import run_due_jobs

    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    return {"jobs": [f"{each.job}: {each.outcome}" for each in run_due_jobs(max(seconds, 0.0))]}


def _run_command(line: str) -> Event:
    from django.core.management import call_command

    logger.warning("manage.py %s", shlex.split(line)[:1])
    call_command(*shlex.split(line))
    return {}
