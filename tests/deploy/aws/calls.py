"""Which permission a request to AWS needs: its IAM action and resource, told from the request alone."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session
from werkzeug.wrappers import Request

from tests.deploy.templates import ACCOUNT, REGION

S3_ACTIONS = {
    "HEAD": "GetObject",
    "GET": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}


@dataclass(frozen=True)
class Call:
    """Who (the access key) asked for what."""

    key: str
    action: str
    resource: str


def identify(request: Request, body: bytes) -> Call | None:
    """None when it is not signed: a presigned address has been allowed already."""
    scope = re.search(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/aws4_request", request.headers.get("Authorization", ""))
    if scope is None:
        return None
    action, resource = _IDENTIFIERS[scope[2]](request, body)
    return Call(scope[1], f"{scope[2]}:{action}", resource)


def _lambda(request: Request, _body: bytes) -> tuple[str, str]:
    for method, pattern, action in _lambda_operations():
        if request.method == method and (match := re.fullmatch(pattern, request.path)):
            name = unquote(match.groupdict().get("FunctionName") or match.groupdict().get("Resource") or "")
            name = name.rpartition("function:")[2]
            if (qualifier := request.args.get("Qualifier")) and ":" not in name:
                name = f"{name}:{qualifier}"
            return "InvokeFunction" if action == "Invoke" else action, _arn("lambda", f"function:{name}")
    raise LookupError(f"{request.method} {request.path} is no operation of Lambda")


@cache
def _lambda_operations() -> list[tuple[str, str, str]]:
    model = botocore.session.get_session().get_service_model("lambda")
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        parts = re.split(r"\{(\w+)\+?\}", http["requestUri"].partition("?")[0])
        pattern = "".join(f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
        found.append((http["method"], pattern.removesuffix("/") + "/?", name))
    return found


def _s3(request: Request, _body: bytes) -> tuple[str, str]:
    bucket, _, key = request.path.removeprefix("/").partition("/")
    if not key:
        assert request.method in {"HEAD", "GET"}, f"{request.method} {request.full_path}"
        return "ListBucket", f"arn:aws:s3:::{bucket}"
    return S3_ACTIONS[request.method], f"arn:aws:s3:::{bucket}/{key}"


def _apigateway(request: Request, _body: bytes) -> tuple[str, str]:
    return request.method, f"arn:aws:apigateway:{REGION}::{request.path}"


def _cloudformation(_request: Request, body: bytes) -> tuple[str, str]:
    form = parse_qs(body.decode())
    return form["Action"][0], _arn("cloudformation", f"stack/{form['StackName'][0]}/id")


def _iam(_request: Request, body: bytes) -> tuple[str, str]:
    form = parse_qs(body.decode())
    return form["Action"][0], f"arn:aws:iam::{ACCOUNT}:role/{form['RoleName'][0]}"


def _sts(_request: Request, body: bytes) -> tuple[str, str]:
    return parse_qs(body.decode())["Action"][0], "*"


def _events(request: Request, body: bytes) -> tuple[str, str]:
    values = json.loads(body)
    name = values.get("Rule") or values.get("Name")
    return _target(request), _arn("events", f"rule/{name}") if name else "*"


def _secretsmanager(request: Request, body: bytes) -> tuple[str, str]:
    return _target(request), _arn("secretsmanager", f"secret:{json.loads(body)['SecretId']}-a1B2c3")


def _target(request: Request) -> str:
    return request.headers["X-Amz-Target"].rpartition(".")[2]


def _arn(service: str, what: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{what}"


_IDENTIFIERS: dict[str, Any] = {
    "apigateway": _apigateway,
    "cloudformation": _cloudformation,
    "events": _events,
    "iam": _iam,
    "lambda": _lambda,
    "s3": _s3,
    "secretsmanager": _secretsmanager,
    "sts": _sts,
}
