"""What the function is called with for one HTTP request, by each gateway, with the attributes of AWS's own examples.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html (REST),
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (HTTP API),
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html (function URL),
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html (load balancer)
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote

Event = dict[str, Any]
CLIENT = "198.51.100.7"  # as the gateways see it
STAGE = "dev"
DOMAIN = "abcdef.execute-api.eu-central-1.amazonaws.com"


@dataclass
class Request:
    """``path`` is not encoded, ``query`` is as it was sent."""

    path: str = "/"
    method: str = "GET"
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    host: str = DOMAIN

    @property
    def all_headers(self) -> dict[str, str]:
        return {"Host": self.host, "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443", **self.headers}


def rest(request: Request) -> Event:
    """API Gateway, REST: the stage is in the context's path alone."""
    parameters = parse_qs(request.query, keep_blank_values=True)
    headers = request.all_headers | {"X-Forwarded-For": _appended(request, f"{CLIENT}, 130.176.0.1")}
    return {
        "resource": "/{proxy+}",
        "path": quote(request.path),
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "pathParameters": {"proxy": request.path[1:]},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef",
            "domainName": request.host,
            "httpMethod": request.method,
            "identity": {"sourceIp": CLIENT, "userAgent": "test"},
            "path": f"/{STAGE}{quote(request.path)}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "resourcePath": "/{proxy+}",
            "stage": STAGE,
        },
        **_body(request),
    }


def http_api(request: Request, stage: str = STAGE) -> Event:
    """API Gateway, HTTP API: the stage is part of the raw path."""
    path = quote(request.path) if stage == "$default" else f"/{stage}{quote(request.path)}"
    headers = {name.lower(): value for name, value in request.all_headers.items()}
    cookies = headers.pop("cookie", "")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.query,
        **({"cookies": cookies.split("; ")} if cookies else {}),
        "headers": headers | {"x-forwarded-for": _appended(request, CLIENT)},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef",
            "domainName": request.host,
            "domainPrefix": "abcdef",
            "http": {
                "method": request.method,
                "path": unquote(path),
                "protocol": "HTTP/1.1",
                "sourceIp": CLIENT,
                "userAgent": "test",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": stage,
        },
        **_body(request),
    }


def function_url(request: Request) -> Event:
    """A function URL: the HTTP API's format, without a stage."""
    return http_api(request, "$default")


def load_balancer(request: Request) -> Event:
    """An ALB whose target group has multi-value headers switched on. Nothing is decoded."""
    headers = {name.lower(): [value] for name, value in request.all_headers.items()}
    parameters: dict[str, list[str]] = {}
    for part in filter(None, request.query.split("&")):
        name, _, value = part.partition("=")
        parameters.setdefault(name, []).append(value)
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/t/6d0"}},
        "httpMethod": request.method,
        "path": quote(request.path),
        "multiValueQueryStringParameters": parameters,
        "multiValueHeaders": headers | {"x-forwarded-for": [_appended(request, CLIENT)]},
        **_body(request),
    }


GATEWAYS: list[Callable[[Request], Event]] = [rest, http_api, function_url, load_balancer]


def prefix(gateway: Callable[[Request], Event]) -> str:
    """What stands before our paths in the addresses that the client knows."""
    return f"/{STAGE}" if gateway in (rest, http_api) else ""


def headers_of(answer: Event) -> dict[str, list[str]]:
    """An answer's headers by their names in lower case, whichever format it is in."""
    found = {name.lower(): values for name, values in answer.get("multiValueHeaders", {}).items()}
    found |= {name.lower(): [value] for name, value in answer.get("headers", {}).items()}
    return found | ({"set-cookie": answer["cookies"]} if answer.get("cookies") else {})


def _appended(request: Request, own: str) -> str:
    """What the client claims, and then what the gateway knows."""
    given = next((value for name, value in request.headers.items() if name.lower() == "x-forwarded-for"), "")
    return f"{given}, {own}" if given else own


def _body(request: Request) -> Event:
    """Text as it is, and bytes as base64, as the gateways do for types that they hold for binary."""
    content_type = request.headers.get("Content-Type", "")
    if request.body and not content_type.startswith(("text/", "application/json")):
        return {"body": b64encode(request.body).decode(), "isBase64Encoded": True}
    return {"body": request.body.decode() or None, "isBase64Encoded": False}
