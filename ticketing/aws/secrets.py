"""Secrets by reference: ``SECRETS`` names where they are, so that no setting of the function holds one.

``ssm:/ticketing/production/`` are parameters below that path in the Systems Manager's Parameter Store, one for each
name; ``secretsmanager:ticketing/production`` is one secret, a JSON object of names and values.

They come through the AWS parameters and secrets extension where its layer is installed, else from the services
themselves. https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
"""

import json
from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import quote

NAMES = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "JWT_SIGNING_KEY", "JWT_FALLBACK_KEYS", "MONGODB_URI", "METRICS_TOKEN")
REQUIRED = ("SECRET_KEY", "MONGODB_URI")
SECONDS = 5

Environment = MutableMapping[str, str]
Values = dict[str, str]


class SecretMissing(Exception):
    """A secret cannot be had. The text names the variable and where it was looked for, never a value."""


class _ExtensionAbsent(Exception):
    """No extension answers, or not yet: it serves nothing while the function is being initialised."""


def load_secrets(reference: str, environment: Environment) -> None:
    """Set the variables that the reference in ``SECRETS`` holds; one that is set already stays as it is.

    Nothing is asked, nor imported, where the reference is empty. Raises SecretMissing.
    """
    if not reference:
        return
    kind, _, where = reference.partition(":")
    if kind not in _SOURCES or not where:
        raise SecretMissing(f"SECRETS must be ssm:/path/ or secretsmanager:name, not {reference!r}")
    from_extension, from_service = _SOURCES[kind]
    try:
        found = from_extension(where, environment)
    except _ExtensionAbsent:
        found = _asked(from_service, where, reference)
    for name in NAMES:
        if name in found:
            environment.setdefault(name, found[name])
    for name in REQUIRED:
        if not environment.get(name):
            raise SecretMissing(f"{name} is neither set nor at the reference SECRETS={reference}")


def _asked(read: Callable[[str], Values], where: str, reference: str) -> Values:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return read(where)
    except ClientError as error:
        problem = error.response["Error"]["Code"]
    except BotoCoreError as error:
        problem = type(error).__name__
    raise SecretMissing(f"{', '.join(REQUIRED)}: the reference SECRETS={reference} cannot be read ({problem})")


def _parameters(path: str) -> Values:
    names = {_below(path, name): name for name in NAMES}
    answer = _client("ssm").get_parameters(Names=list(names), WithDecryption=True)
    return {names[each["Name"]]: each["Value"] for each in answer["Parameters"]}


def _secret(name: str) -> Values:
    return _parsed(_client("secretsmanager").get_secret_value(SecretId=name)["SecretString"], name)


def _client(service: str) -> Any:
    """Botocore alone: boto3 takes longer to import and adds nothing here."""
    from botocore.config import Config
    from botocore.session import get_session

    limits = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 3})
    return get_session().create_client(service, config=limits)


def _extension_parameters(path: str, environment: Environment) -> Values:
    found = {}
    for name in NAMES:
        query = f"/systemsmanager/parameters/get?name={quote(_below(path, name), safe='')}&withDecryption=true"
        answer = _extension(query, environment)
        if answer is not None:
            found[name] = answer["Parameter"]["Value"]
    return found


def _extension_secret(name: str, environment: Environment) -> Values:
    answer = _extension(f"/secretsmanager/get?secretId={quote(name, safe='')}", environment)
    return {} if answer is None else _parsed(answer["SecretString"], name)


def _extension(path: str, environment: Environment) -> dict[str, Any] | None:
    """The extension's answer; None when it knows no such thing. Raises _ExtensionAbsent."""
    from http.client import HTTPConnection, HTTPException

    if "AWS_SESSION_TOKEN" not in environment:
        raise _ExtensionAbsent
    port = int(environment.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773"))
    connection = HTTPConnection("localhost", port, timeout=SECONDS)
    try:
        connection.request("GET", path, headers={"X-Aws-Parameters-Secrets-Token": environment["AWS_SESSION_TOKEN"]})
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, HTTPException):
        raise _ExtensionAbsent from None
    finally:
        connection.close()
    if answer.status == 200:
        found: dict[str, Any] = json.loads(content)
        return found
    if b"NotFound" in content:
        return None
    raise _ExtensionAbsent


def _below(path: str, name: str) -> str:
    return f"{path.rstrip('/')}/{name}"


def _parsed(text: str, name: str) -> Values:
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
        raise SecretMissing(f"the secret {name} must be a JSON object of names and texts")
    return values


_SOURCES: dict[str, tuple[Callable[[str, Environment], Values], Callable[[str], Values]]] = {
    "ssm": (_extension_parameters, _parameters),
    "secretsmanager": (_extension_secret, _secret),
}
