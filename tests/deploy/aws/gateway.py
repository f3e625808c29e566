"""The public address of a REST API: HTTP in, API Gateway's proxy event to the function, its answer out."""

import base64
import datetime as dt
import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from moto.apigateway.models import RestAPI, apigateway_backends
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaBackend
from moto.core.models import DEFAULT_ACCOUNT_ID
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

from tests.deploy.aws.functions import Functions, PayloadTooLarge

MAX_BODY = 10 * 1024 * 1024  # https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html


class Gateway:
    """A WSGI application, and a proxy for clients: http://<api>.execute-api.<region>.amazonaws.com/<stage>/<path>."""

    def __init__(self, functions: Functions, lambdas: LambdaBackend, region: str) -> None:
        self._functions = functions
        self._lambdas = lambdas
        self._region = region

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        stage, _, path = request.path.removeprefix("/").partition("/")
        api = self._find_api(request.host.partition(".")[0], stage)
        if api is None:
            return _message(403, "Forbidden")
        body = request.get_data()
        if len(body) > MAX_BODY:
            return _message(413, "Request Too Long")
        event = json.dumps(_event(request, api.id, stage, "/" + path, body, _is_binary(api)))
        arn = _integration_arn(api, path)
        try:
            result = self._functions.invoke(self._lambdas.get_function(arn), arn, event)
        except PayloadTooLarge:
            return _message(413, "Request Too Long")
        except UnknownFunctionException:
            return _message(500, "Internal server error")
        answer = json.loads(result.payload)
        if result.failed or not isinstance(answer, dict) or "statusCode" not in answer:
            return _message(502, "Internal server error")
        return _response(answer, _is_binary(api))

    def _find_api(self, name: str, stage: str) -> RestAPI | None:
        api = apigateway_backends[DEFAULT_ACCOUNT_ID][self._region].apis.get(name)
        return api if api is not None and stage in api.stages else None


def _is_binary(api: RestAPI) -> bool:
    return "*/*" in api.binaryMediaTypes


def _integration_arn(api: RestAPI, path: str) -> str:
    """The function (with its alias) that the API's ANY method names, at the root or below it."""
    part = "{proxy+}" if path else "/"
    resource = next(each for each in api.resources.values() if each.path_part == part)
    integration = resource.resource_methods["ANY"].method_integration
    match = re.search(r"functions/(arn:[^/]+)/invocations", str(integration and integration.uri))
    assert match is not None, f"no function's address: {integration}"
    return match[1]


def _event(request: Request, api: str, stage: str, path: str, body: bytes, binary: bool) -> dict[str, Any]:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html"""
    address = request.remote_addr or "127.0.0.1"
    headers = Headers(request.headers)
    headers["X-Forwarded-For"] = ", ".join([*headers.getlist("X-Forwarded-For"), address])
    headers["X-Forwarded-Proto"], headers["X-Forwarded-Port"] = "https", "443"
    headers["X-Amzn-Trace-Id"] = f"Root=1-67891233-{uuid.uuid4().hex[:24]}"
    headers.remove("Content-Length")
    encoded = base64.b64encode(body).decode() if binary else body.decode()
    names = sorted({name for name, _ in headers})
    return {
        "resource": "/{proxy+}" if path != "/" else "/",
        "path": path,
        "httpMethod": request.method,
        "headers": {name: headers.getlist(name)[-1] for name in names},
        "multiValueHeaders": {name: headers.getlist(name) for name in names},
        "queryStringParameters": {k: v[-1] for k, v in request.args.lists()} or None,
        "multiValueQueryStringParameters": dict(request.args.lists()) or None,
        "pathParameters": {"proxy": path.removeprefix("/")} if path != "/" else None,
        "stageVariables": None,
        "requestContext": {
            "accountId": DEFAULT_ACCOUNT_ID,
            "apiId": api,
            "domainName": request.host,
            "httpMethod": request.method,
            "identity": {"sourceIp": address, "userAgent": request.headers.get("User-Agent")},
            "path": f"/{stage}{path}",
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int(dt.datetime.now(dt.UTC).timestamp() * 1000),
            "resourcePath": "/{proxy+}",
            "stage": stage,
        },
        "body": encoded or None,
        "isBase64Encoded": bool(body) and binary,
    }


def _response(answer: dict[str, Any], binary: bool) -> Response:
    body = answer.get("body") or ""
    data = base64.b64decode(body) if answer.get("isBase64Encoded") and binary else body.encode()
    response = Response(data, status=int(answer["statusCode"]))
    del response.headers["Content-Type"]
    for name, value in (answer.get("headers") or {}).items():
        response.headers[name] = str(value)
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        response.headers.setlist(name, [str(value) for value in values])
    response.headers["Content-Length"] = str(len(data))
    return response


def _message(status: int, text: str) -> Response:
    return Response(json.dumps({"message": text}), status=status, content_type="application/json")
