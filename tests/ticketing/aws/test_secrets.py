"""Secrets by reference, from a stand-in of the AWS services and one of the extension that keeps them near."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from tests.aws import aws_server, use_aws
from ticketing.aws.secrets import SecretMissing, load_secrets

SSM, MANAGER = "ssm:/ticketing/test/", "secretsmanager:ticketing/test"
VALUES = {"SECRET_KEY": "key of the test", "MONGODB_URI": "mongodb://user:password@db.example/"}
GONE = "ResourceNotFoundException"
TOKEN = "the session's token"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with aws_server() as address:
        yield address


@pytest.fixture
def services(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS's services with the secrets in both places."""
    use_aws(monkeypatch, aws)
    ssm, manager = boto3.client("ssm"), boto3.client("secretsmanager")
    for name, value in VALUES.items():
        ssm.put_parameter(Name=f"/ticketing/test/{name}", Value=value, Type="SecureString")
    manager.create_secret(Name="ticketing/test", SecretString=json.dumps(VALUES))
    yield
    ssm.delete_parameters(Names=[f"/ticketing/test/{name}" for name in VALUES])
    manager.delete_secret(SecretId="ticketing/test", ForceDeleteWithoutRecovery=True)


class Extension(BaseHTTPRequestHandler):
    """The parameters and secrets extension: the service's own answers, for who shows the session's token."""

    ready = True
    asked: list[str] = []

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.asked.append(query.get("name") or query["secretId"])
        name = query.get("name", "").rpartition("/")[2]
        if not self.ready:
            self._say(400, "not ready to serve traffic, please wait")
        elif self.headers["X-Aws-Parameters-Secrets-Token"] != TOKEN:
            self._say(401, "unauthorized")
        elif address.path == "/secretsmanager/get" and query["secretId"] == "ticketing/test":
            self._say(200, json.dumps({"SecretString": json.dumps(VALUES)}))
        elif address.path == "/systemsmanager/parameters/get" and query["withDecryption"] == "true" and name in VALUES:
            self._say(200, json.dumps({"Parameter": {"Name": query["name"], "Value": VALUES[name]}}))
        else:
            self._say(400, "an unexpected error occurred while executing request: ParameterNotFound")

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The environment of a function whose layer holds the extension."""
    monkeypatch.setattr(Extension, "asked", [])
    server = ThreadingHTTPServer(("localhost", 0), Extension)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"AWS_SESSION_TOKEN": TOKEN, "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(server.server_port)}
    server.shutdown()
    server.server_close()


def loaded(reference: str, **environment: str) -> dict[str, str]:
    load_secrets(reference, environment)
    return {name: environment[name] for name in VALUES if name in environment}


@pytest.mark.parametrize("reference", [SSM, SSM.rstrip("/"), MANAGER])
def test_secrets_come_from_the_services(services: None, reference: str) -> None:
    assert loaded(reference) == VALUES


@pytest.mark.parametrize("reference", [SSM, MANAGER])
def test_secrets_come_from_the_extension_where_it_is(extension: dict[str, str], reference: str) -> None:
    assert loaded(reference, **extension) == VALUES
    assert Extension.asked


def test_an_extension_that_is_not_ready_is_passed_by(
    services: None, extension: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Extension, "ready", False)
    assert loaded(SSM, **extension) == VALUES
    assert len(Extension.asked) == 1


def test_what_is_set_stays(services: None) -> None:
    assert loaded(SSM, SECRET_KEY="my own") == {**VALUES, "SECRET_KEY": "my own"}


def test_a_missing_secret_is_named_with_its_reference_and_no_value_is_shown(services: None) -> None:
    boto3.client("ssm").delete_parameters(Names=["/ticketing/test/MONGODB_URI"])
    with pytest.raises(SecretMissing) as missing:
        loaded(SSM)
    assert str(missing.value) == f"MONGODB_URI is neither set nor at the reference SECRETS={SSM}"


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("vault:ticketing", "SECRETS must be ssm:/path/ or secretsmanager:name, not 'vault:ticketing'"),
        ("ssm:", "SECRETS must be ssm:/path/ or secretsmanager:name, not 'ssm:'"),
        (
            "secretsmanager:other",
            f"{', '.join(VALUES)}: the reference SECRETS=secretsmanager:other cannot be read ({GONE})",
        ),
    ],
)
def test_a_reference_to_nothing_is_an_error(services: None, reference: str, text: str) -> None:
    with pytest.raises(SecretMissing) as missing:
        loaded(reference)
    assert str(missing.value) == text


@pytest.mark.parametrize("content", ["just a text", '["a"]', '{"SECRET_KEY": 5}'])
def test_a_secret_of_another_shape_is_an_error_that_does_not_show_it(services: None, content: str) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId="ticketing/test", SecretString=content)
    with pytest.raises(SecretMissing) as missing:
        loaded(MANAGER)
    assert str(missing.value) == "the secret ticketing/test must be a JSON object of names and texts"


def test_nothing_is_imported_without_a_reference() -> None:
    code = "import sys; from ticketing.aws.secrets import load_secrets; load_secrets('', {}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
    assert not {"botocore", "boto3", "http.client", "django"} & set(done.stdout.split())
