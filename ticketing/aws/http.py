"""From a gateway's event to WSGI and back, where apig-wsgi's view of the world is not ours.

- The client's address is the gateway's word alone. What clients say about it in headers is dropped.
- The stage in front of a path ("/dev/tickets") becomes the script's name, so that links and redirects keep it.
- The answer to HEAD has no body, and none is larger than Lambda passes on.

Formats: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

from apig_wsgi import make_lambda_handler

Event = dict[str, Any]
Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

# Lambda's limit of an answer is 6 MiB as JSON; base64 makes three bytes four, and headers need room.
MAX_ANSWER_CHARACTERS = 6 * 1024 * 1024 - 64 * 1024
_ABOUT_THE_CLIENT = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_CLIENT_IP",
)
logger = logging.getLogger("ticketing.aws")


def is_request(event: Event) -> bool:
    """Whether the event is an HTTP request, in any of the gateways' formats."""
    return isinstance(event.get("requestContext"), dict) and (
        "httpMethod" in event or "http" in event["requestContext"]
    )


def make_handler(application: Application) -> Callable[[Event, Any], Event]:
    """A handler of HTTP events for a WSGI application."""

    def with_context(request: Environ, start_response: Any) -> Iterable[bytes]:
        event: Event = request["apig_wsgi.full_event"]
        address = client_address(event)
        for name in _ABOUT_THE_CLIENT:
            request.pop(name, None)
        request["REMOTE_ADDR"] = address
        prefix, shown = _stage(event)
        request["PATH_INFO"] = request["PATH_INFO"].removeprefix(prefix) or "/"
        request["SCRIPT_NAME"] = shown

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            # Django writes cookies with a blank in front, which servers cut off and gateways may not.
            return start_response(status, [(name, value.strip()) for name, value in headers], exc_info)

        return application(request, start)

    convert = make_lambda_handler(with_context, binary_support=True)

    def handle(event: Event, context: Any) -> Event:
        answer = convert(event, context)
        if _method(event) == "HEAD":
            answer |= {"body": "", "isBase64Encoded": False}
        if len(answer["body"]) > MAX_ANSWER_CHARACTERS:
            logger.error("an answer of %d characters is more than Lambda passes on", len(answer["body"]))
            return _too_large(answer)
        return answer

    return handle


def client_address(event: Event) -> str:
    """Where the request comes from, by the gateway's own word; a load balancer appends it to X-Forwarded-For."""
    context: dict[str, Any] = event["requestContext"]
    if "http" in context:
        return str(context["http"]["sourceIp"])
    if "elb" in context:
        return _last_header(event, "x-forwarded-for").rpartition(",")[2].strip()
    return str(context["identity"]["sourceIp"])


def _last_header(event: Event, name: str) -> str:
    headers = event.get("multiValueHeaders") or {key: [value] for key, value in (event.get("headers") or {}).items()}
    values = [value for key, given in headers.items() if key.lower() == name for value in given]
    return values[-1] if values else ""


def _stage(event: Event) -> tuple[str, str]:
    """What stands before our paths in the event's path, and in the address that the client knows."""
    context: dict[str, Any] = event["requestContext"]
    if "http" in context:
        stage = context.get("stage", "$default")
        prefix = "" if stage == "$default" else f"/{stage}"
        return prefix, prefix if str(context.get("domainName", "")).endswith(".amazonaws.com") else ""
    path, full = str(event["path"]), str(context.get("path", event["path"]))
    return "", full.removesuffix(path) if full.endswith(path) else ""


def _method(event: Event) -> str:
    return str(event["httpMethod"] if "httpMethod" in event else event["requestContext"]["http"]["method"])


def _too_large(answer: Event) -> Event:
    body = {"type": "about:blank", "title": "The answer is larger than Lambda passes on", "status": 500}
    content_type = "application/problem+json"
    if "multiValueHeaders" in answer:
        headers: Event = {"multiValueHeaders": {"Content-Type": [content_type]}}
    else:
        headers = {"headers": {"content-type": content_type}}
    return {**headers, "statusCode": 500, "body": json.dumps(body), "isBase64Encoded": False}
