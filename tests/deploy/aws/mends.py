"""Requests that moto answers wrongly or not at all, answered from what moto stores; and a list of who asked what."""

import base64
import dataclasses
import io
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.apigateway.models import RestAPI, apigateway_backends
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.cloudformation.models import cloudformation_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from werkzeug.wrappers import Request, Response

from tests.deploy.aws.calls import identify
from tests.deploy.aws.functions import Functions, PayloadTooLarge

WATCHED = ("delivery", "function")  # access keys
Answer = Callable[[Request, str], Response]


class Mends:
    """A WSGI middleware round moto."""

    def __init__(self, moto: Any, functions: Functions, region: str, calls: Path) -> None:
        self._calls = calls
        self._moto = moto
        self._functions = functions
        self._lambdas = lambda_backends[DEFAULT_ACCOUNT_ID][region]
        self._stacks = cloudformation_backends[DEFAULT_ACCOUNT_ID][region]
        self._apis = apigateway_backends[DEFAULT_ACCOUNT_ID][region]
        self._provisioned: dict[tuple[str, str], int] = {}
        self._answers: list[tuple[str, str, Answer]] = [
            ("POST", r"/\d{4}-\d\d-\d\d/functions/(.+)/invocations", self._invoke),
            ("GET", r"/\d{4}-\d\d-\d\d/functions/([^/]+)", self._get_function),
            ("GET", r"/\d{4}-\d\d-\d\d/functions/([^/]+)/urls", self._list_urls),
            ("PUT", r"/\d{4}-\d\d-\d\d/functions/([^/]+)/provisioned-concurrency", self._provision),
            ("GET", r"/\d{4}-\d\d-\d\d/functions/([^/]+)/provisioned-concurrency", self._get_provisioned),
            ("DELETE", r"/\d{4}-\d\d-\d\d/functions/([^/]+)/provisioned-concurrency", self._unprovision),
            ("GET", r"/function-code/(.+)", self._code),
        ]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        self._note(environ, request)
        for method, pattern, answer in self._answers:
            if request.method == method and (match := re.fullmatch(pattern, request.path.rstrip("/"))):
                return self._catch(answer, request, unquote(match[1]))(environ, start_response)
        if request.method == "PATCH" and re.fullmatch(r"/restapis/[^/]+", request.path):
            _complete_binary_types(environ, request)
        if request.method == "POST" and re.fullmatch(r"/\d{4}-\d\d-\d\d/functions/[^/]+/policy", request.path):
            start_response = _as_created(start_response)
        if request.method == "POST" and request.path == "/":
            form = parse_qs(_read_body(environ, request).decode(errors="replace"))
            if form.get("Action") == ["DeleteStack"]:
                self._delete_apis(form["StackName"][0])
        answered: Iterable[bytes] = self._moto(environ, start_response)
        return answered

    def _note(self, environ: dict[str, Any], request: Request) -> None:
        """Write down who asks for what; only what the accounts under test ask."""
        if not re.search(f"Credential=({'|'.join(WATCHED)})/", request.headers.get("Authorization", "")):
            return
        if call := identify(
            request, b"" if "/s3/" in request.headers["Authorization"] else _read_body(environ, request)
        ):
            with self._calls.open("a") as file:
                print(json.dumps(dataclasses.asdict(call)), file=file)

    def _catch(self, answer: Answer, request: Request, name: str) -> Response:
        try:
            return answer(request, name)
        except UnknownFunctionException as error:
            headers = {"x-amzn-errortype": "ResourceNotFoundException"}
            return Response(json.dumps({"Message": str(error)}), 404, headers, content_type="application/json")

    def _invoke(self, request: Request, name: str) -> Response:
        """moto wants Docker; asynchronous invocations are run at once, too."""
        function = self._lambdas.get_function(name, request.args.get("Qualifier"))
        try:
            result = self._functions.invoke(function, function.function_arn, request.get_data(as_text=True) or "{}")
        except PayloadTooLarge:
            return Response("{}", 413, {"x-amzn-errortype": "RequestTooLargeException"})
        headers = {"X-Amz-Executed-Version": str(function.version)}
        if result.failed:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if request.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(result.log).decode()
        if request.headers.get("X-Amz-Invocation-Type") == "Event":
            return Response("", 202, headers)
        return Response(result.payload, 200, headers, content_type="application/json")

    def _get_function(self, request: Request, name: str) -> Response:
        """moto neither knows `function:NAME:VERSION` nor says where a version's code can be had."""
        function = self._lambdas.get_function(name.removeprefix("function:"), request.args.get("Qualifier"))
        answer = function.get_code()
        where = f"{function.function_name}:{function.version}"
        answer["Code"] = {"RepositoryType": "S3", "Location": f"{request.host_url}function-code/{where}"}
        return _json(answer)

    def _code(self, _request: Request, name: str) -> Response:
        return Response(self._lambdas.get_function(name).code_bytes, content_type="application/zip")

    def _delete_apis(self, stack: str) -> None:
        """moto deletes a stack and leaves its REST API."""
        for resource in self._stacks.get_stack(stack).resource_map.values():
            if isinstance(resource, RestAPI):
                self._apis.delete_rest_api(resource.id)

    def _list_urls(self, _request: Request, _name: str) -> Response:
        return _json({"FunctionUrlConfigs": []})

    def _provision(self, request: Request, name: str) -> Response:
        key = self._provisioned_key(request, name)
        self._provisioned[key] = json.loads(request.get_data())["ProvisionedConcurrentExecutions"]
        return _json(self._provisioned_config(key), 202)

    def _get_provisioned(self, request: Request, name: str) -> Response:
        key = self._provisioned_key(request, name)
        if key not in self._provisioned:
            headers = {"x-amzn-errortype": "ProvisionedConcurrencyConfigNotFoundException"}
            return Response("{}", 404, headers, content_type="application/json")
        return _json(self._provisioned_config(key))

    def _unprovision(self, request: Request, name: str) -> Response:
        self._provisioned.pop(self._provisioned_key(request, name), None)
        return Response("", 204)

    def _provisioned_key(self, request: Request, name: str) -> tuple[str, str]:
        function = self._lambdas.get_function(name, request.args["Qualifier"])
        return str(function.function_name), str(function.version)

    def _provisioned_config(self, key: tuple[str, str]) -> dict[str, Any]:
        wanted = self._provisioned[key]
        names = ("Requested", "Available", "Allocated")
        return {**{f"{each}ProvisionedConcurrentExecutions": wanted for each in names}, "Status": "READY"}


def _read_body(environ: dict[str, Any], request: Request) -> bytes:
    """The body, which moto can read once more."""
    body = request.get_data()
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _complete_binary_types(environ: dict[str, Any], request: Request) -> None:
    """The value of an `add` stands in its path; moto stores an empty one."""
    document = json.loads(request.get_data())
    for operation in document["patchOperations"]:
        prefix, _, kind = operation["path"].partition("/binaryMediaTypes/")
        if operation["op"] == "add" and not prefix:
            operation["value"] = kind.replace("~1", "/").replace("~0", "~")
    body = json.dumps(document).encode()
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))


def _as_created(start_response: Any) -> Any:
    """AddPermission answers 201; zappa takes moto's 200 for a failure."""
    return lambda status, *rest: start_response("201 CREATED" if status.startswith("200") else status, *rest)


def _json(data: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(data), status, content_type="application/json")
