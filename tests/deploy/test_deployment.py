"""A stage's life on AWS as far as moto goes: made, released, used, updated, taken back, taken down.

`make deployment-test`. The stage is production with its settings as they stand in zappa_settings.json, but for one:
zappa does not try the address after deploying, because it would look for it on the Internet. The tests build on each
other.
"""

import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pymongo import MongoClient
from pymongo.database import Database

from tests.deploy.aws.cloud import ROOT, Cloud, start_cloud
from tests.deploy.aws.packages import make_variant
from tests.deploy.policies import allows, statements_of
from tests.deploy.templates import REGION, resolve

STAGE = "production"
FUNCTION = f"ticketing-{STAGE}"
PACKAGE = ROOT / "build" / "ticketing.zip"
SETTINGS: dict[str, Any] = json.loads((ROOT / "zappa_settings.json").read_text())[STAGE]
VARIABLES: dict[str, str] = SETTINGS["aws_environment_variables"]
KEYS = {name: secrets.token_urlsafe(48) for name in ("SECRET_KEY", "JWT_SIGNING_KEY")}
PASSWORD = secrets.token_urlsafe(16)
ACME = {"tenant": "acme", "email": "ada@acme.example", "password": PASSWORD}
GLOBEX = {"tenant": "globex", "email": "gus@globex.example", "password": PASSWORD}
SMOKE = {
    "SMOKE_TENANT": ACME["tenant"],
    "SMOKE_EMAIL": ACME["email"],
    "SMOKE_PASSWORD": PASSWORD,
    "SMOKE_OTHER_TENANT": GLOBEX["tenant"],
    "SMOKE_OTHER_EMAIL": GLOBEX["email"],
    "SMOKE_OTHER_PASSWORD": PASSWORD,
}
DELIVERY = {"AWS_ACCESS_KEY_ID": "delivery"}  # GitHub's role; all else is done by an operator of the account
HEALTH = "ticketing/api/health.py"
SECOND = {HEALTH: ('{"status": "ok"}', '{"status": "ok", "release": "second"}')}
# It starts, is healthy and ready, and fails at what people want of it.
BROKEN = {
    HEALTH: ('{"status": "ok"}', '{"status": "ok", "release": "broken"}'),
    "tickets/services.py": ("def open_ticket(\n", "def open_ticket(\n    broken,\n"),
}


@pytest.fixture(scope="module")
def database() -> Iterator[Database[Any]]:
    """Production's, on the real mongod of this run."""
    with MongoClient[Any](os.environ["MONGODB_URI"]) as client:
        client.drop_database(VARIABLES["MONGODB_DATABASE"])
        yield client[VARIABLES["MONGODB_DATABASE"]]
        client.drop_database(VARIABLES["MONGODB_DATABASE"])


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An account with the infrastructure of the stage, and its secret, which moto's CloudFormation leaves out."""
    assert PACKAGE.is_file(), "run `make package` first, or `make deployment-test`"
    with start_cloud(tmp_path_factory.mktemp("aws")) as cloud:
        settings = {STAGE: {**SETTINGS, "touch": False}}
        (cloud.folder / "zappa_settings.json").write_text(json.dumps(settings))
        assert infrastructure(cloud).returncode == 0
        kind, _, name = VARIABLES["SECRETS"].partition(":")
        assert kind == "secretsmanager"
        value = json.dumps({**KEYS, "MONGODB_URI": os.environ["MONGODB_URI"]})
        cloud.client("secretsmanager").create_secret(Name=name, SecretString=value)
        yield cloud


def infrastructure(cloud: Cloud) -> subprocess.CompletedProcess[str]:
    return cloud.run("-m", "deploy.infrastructure", STAGE, MONGODB_URI="mongodb+srv://u:p@cluster.example/")


def release(cloud: Cloud, package: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    settings = str(cloud.folder / "zappa_settings.json")
    return cloud.run(
        "-m", "deploy.release", STAGE, "--package", str(package), "--settings", settings, *arguments, **variables
    )


def root_of(cloud: Cloud) -> str:
    """The API's own address; with http, because a proxy stands in for the Internet."""
    found = cloud.client("cloudformation").describe_stack_resource(StackName=FUNCTION, LogicalResourceId="Api")
    api = found["StackResourceDetail"]["PhysicalResourceId"]
    return f"http://{api}.execute-api.{REGION}.amazonaws.com/{STAGE}"


def call(cloud: Cloud, method: str, path: str, **sent: Any) -> requests.Response:
    return cloud.request(method, root_of(cloud) + path, **sent)


def token_of(cloud: Cloud, account: dict[str, str]) -> dict[str, str]:
    answer = call(cloud, "POST", "/api/v1/auth/login", json=account)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access']}"}


def release_of(cloud: Cloud) -> str:
    """Which version is served, by its own word."""
    answer = call(cloud, "GET", "/healthz")
    assert answer.status_code == 200, answer.text
    return str(answer.json().get("release", "first"))


def test_the_first_release_serves_and_migrates(cloud: Cloud, database: Database[Any]) -> None:
    done = release(cloud, PACKAGE, "--without-smoke")
    assert done.returncode == 0, done.stderr
    assert release_of(cloud) == "first"
    ready = call(cloud, "GET", "/readyz")
    assert (ready.status_code, ready.json()["checks"]["migrations"]) == (200, "ok"), ready.text
    assert database["django_migrations"].count_documents({}) > 0


def test_the_function_is_what_the_settings_say(cloud: Cloud) -> None:
    functions = cloud.client("lambda")
    found = functions.get_function(FunctionName=FUNCTION)
    configuration = found["Configuration"]
    assert configuration["Role"].endswith(f":role/{SETTINGS['role_name']}")
    assert configuration["MemorySize"] == SETTINGS["memory_size"]
    assert configuration["Timeout"] == SETTINGS["timeout_seconds"]
    assert configuration["Environment"]["Variables"] == VARIABLES
    assert not any(secret in json.dumps(found["Configuration"]) for secret in (*KEYS.values(), PASSWORD))
    concurrency = functions.get_function_concurrency(FunctionName=FUNCTION)
    assert concurrency["ReservedConcurrentExecutions"] == SETTINGS["lambda_concurrency"]
    (alias,) = functions.list_aliases(FunctionName=FUNCTION)["Aliases"]
    provisioned = functions.get_provisioned_concurrency_config(FunctionName=FUNCTION, Qualifier=alias["Name"])
    assert provisioned["RequestedProvisionedConcurrentExecutions"] == SETTINGS["provisioned_concurrency"]


def test_the_api_gets_its_limits_after_the_first_release(cloud: Cloud) -> None:
    done = infrastructure(cloud)
    assert done.returncode == 0, done.stderr
    assert limits_of(cloud) == (200.0, 400)


def limits_of(cloud: Cloud) -> tuple[float, int]:
    api = root_of(cloud).removeprefix("http://").partition(".")[0]
    settings = cloud.client("apigateway").get_stage(restApiId=api, stageName=STAGE)["methodSettings"]["*/*"]
    return settings["throttlingRateLimit"], settings["throttlingBurstLimit"]


def test_commands_run_in_the_function(cloud: Cloud, database: Database[Any]) -> None:
    for account in (ACME, GLOBEX):
        tenant, email = account["tenant"], account["email"]
        done = cloud.zappa("manage", STAGE, f"create_tenant --slug {tenant} --name {tenant.title()}")
        assert done.returncode == 0, done.stdout
        # A password is not for a command line, nor for the function's log.
        done = cloud.run(
            *(str(ROOT / "manage.py"), "create_user", "--password-stdin"),
            *("--tenant", tenant, "--email", email, "--name", email.partition("@")[0], "--role", "agent"),
            text=PASSWORD + "\n",
            SECRET_KEY="unused",
            MONGODB_URI=os.environ["MONGODB_URI"],
            MONGODB_DATABASE=database.name,
        )
        assert done.returncode == 0, done.stderr
    assert cloud.zappa("manage", STAGE, "no_such_command").returncode != 0


def test_json_and_authorization_arrive(cloud: Cloud) -> None:
    headers = token_of(cloud, ACME)
    made = call(cloud, "POST", "/api/v1/tickets", json={"title": "Grüße 🚚", "description": "x"}, headers=headers)
    assert made.status_code == 201, made.text
    listed = call(cloud, "GET", "/api/v1/tickets", headers=headers)
    assert [each["title"] for each in listed.json()["data"]] == ["Grüße 🚚"]
    assert call(cloud, "GET", "/api/v1/tickets").status_code == 401
    elsewhere = call(cloud, "GET", f"/api/v1/tickets/{made.json()['id']}", headers=token_of(cloud, GLOBEX))
    assert elsewhere.status_code == 404


def test_a_file_goes_through_the_function_to_the_bucket_and_back(cloud: Cloud) -> None:
    headers, content = token_of(cloud, ACME), secrets.token_bytes(100_000)
    ticket = call(cloud, "POST", "/api/v1/tickets", json={"title": "File", "description": "x"}, headers=headers).json()
    path = f"/api/v1/tickets/{ticket['id']}/attachments"
    sent = call(cloud, "POST", path, files={"file": ("noise.bin", content)}, headers=headers)
    assert (sent.status_code, sent.json()["size"]) == (201, len(content)), sent.text

    s3 = cloud.client("s3")
    (stored,) = s3.list_objects_v2(Bucket=VARIABLES["ATTACHMENTS_BUCKET"])["Contents"]
    assert s3.get_object(Bucket=VARIABLES["ATTACHMENTS_BUCKET"], Key=stored["Key"])["Body"].read() == content
    redirect = call(cloud, "GET", f"/api/v1/attachments/{sent.json()['id']}", headers=headers)
    assert redirect.status_code in {302, 303, 307}, redirect.text
    assert cloud.request("GET", redirect.headers["Location"]).content == content


def test_a_file_too_large_for_lambda_goes_to_the_bucket_past_it(cloud: Cloud) -> None:
    headers, content = token_of(cloud, ACME), secrets.token_bytes(7 * 2**20)
    ticket = call(cloud, "POST", "/api/v1/tickets", json={"title": "Large", "description": "x"}, headers=headers).json()
    path = f"/api/v1/tickets/{ticket['id']}"
    announced = {"name": "large.bin", "size": len(content), "content_type": "application/octet-stream"}
    upload = call(cloud, "POST", f"{path}/uploads", json=announced, headers=headers).json()
    sent = cloud.request(upload["method"], upload["url"], data=content, headers=upload["headers"])
    assert sent.status_code == 200, sent.text
    made = call(cloud, "POST", f"{path}/attachments", json={"upload_id": upload["id"]}, headers=headers)
    assert (made.status_code, made.json()["size"]) == (201, len(content)), made.text
    redirect = call(cloud, "GET", f"/api/v1/attachments/{made.json()['id']}", headers=headers)
    assert cloud.request("GET", redirect.headers["Location"]).content == content


def test_redirects_and_pages_keep_the_stage(cloud: Cloud) -> None:
    away = call(cloud, "GET", "/console/")
    assert away.status_code == 302
    assert away.headers["Location"].startswith(f"/{STAGE}/console/"), away.headers["Location"]
    page = cloud.request("GET", root_of(cloud).removesuffix(f"/{STAGE}") + away.headers["Location"])
    assert page.status_code == 200
    (style, *_) = re.findall(r'href="([^"]+\.css)"', page.text)
    served = cloud.request("GET", root_of(cloud).removesuffix(f"/{STAGE}") + style)
    assert (served.status_code, served.headers["Content-Type"].partition(";")[0]) == (200, "text/css")


def test_a_clients_own_word_about_its_address_is_not_believed(cloud: Cloud, database: Database[Any]) -> None:
    database["sign_in_attempts"].delete_many({})
    for number in (1, 2):
        wrong = {**ACME, "email": f"nobody{number}@acme.example", "password": "wrong"}
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        assert call(cloud, "POST", "/api/v1/auth/login", json=wrong, headers=headers).status_code == 401
    assert database["sign_in_attempts"].count_documents({}) == 3  # two accounts, one address


def test_more_than_the_gateway_or_lambda_take_is_refused(cloud: Cloud) -> None:
    headers = token_of(cloud, ACME)
    for size in (5 * 2**20, 11 * 2**20):  # as base64 more than 6 MiB; more than 10 MB
        assert call(cloud, "POST", "/api/v1/tickets", data=bytes(size), headers=headers).status_code == 413


def test_the_schedule_runs_the_jobs(cloud: Cloud, database: Database[Any]) -> None:
    (rule,) = cloud.client("events").list_rules()["Rules"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    assert rule["Name"].startswith(f"{FUNCTION}-")
    assert database["jobs"].count_documents({"last_outcome": {"$ne": None}}) == 0
    assert cloud.fire(rule) == 1
    ran = list(database["jobs"].find({"last_outcome": {"$ne": None}}))
    assert ran
    assert {each["last_outcome"] for each in ran} == {"done"}, ran
    assert all(each["holder"] is None for each in ran)
    assert call(cloud, "GET", "/readyz").json()["checks"]["jobs"] == "running"


def test_the_log_is_json_without_secrets_and_the_memory_suffices(cloud: Cloud) -> None:
    log = cloud.log_of(FUNCTION)
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert any(line.get("route") for line in lines), log[:2000]
    assert any("_aws" in line for line in lines)  # metrics, in CloudWatch's embedded format
    for secret in (*KEYS.values(), PASSWORD, os.environ["MONGODB_URI"], ACME["email"]):
        assert secret not in log
    peaks = [int(peak) for peak in re.findall(r"Max Memory Used: (\d+) MB", log)]
    assert 0 < max(peaks) < SETTINGS["memory_size"]


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_variant(PACKAGE, tmp_path_factory.mktemp("second") / "second.zip", SECOND)


def test_an_update_is_smoke_tested_and_served(cloud: Cloud, second: Path) -> None:
    done = release(cloud, second, SMOKE_URL=root_of(cloud), **SMOKE, **DELIVERY)
    assert done.returncode == 0, done.stderr
    assert "The smoke test passed." in done.stdout
    assert release_of(cloud) == "second"
    assert limits_of(cloud) == (200.0, 400)
    assert len(cloud.client("events").list_rules()["Rules"]) == 1


def test_a_release_that_fails_early_leaves_the_stage_alone(cloud: Cloud, tmp_path: Path) -> None:
    forgotten = {**SMOKE, "SMOKE_OTHER_PASSWORD": ""}
    done = release(cloud, PACKAGE, SMOKE_URL=root_of(cloud), **forgotten, **DELIVERY)
    assert "set SMOKE_OTHER_PASSWORD" in done.stderr  # and not after the update, when the smoke test would need it
    assert release_of(cloud) == "second"

    nowhere = str(tmp_path / "zappa_settings.json")
    done = release(cloud, PACKAGE, "--settings", nowhere, SMOKE_URL=root_of(cloud), **SMOKE, **DELIVERY)
    assert done.returncode == 1
    assert "Not released: zappa update failed; the version before is served again" in done.stderr
    assert release_of(cloud) == "second"


def test_a_version_that_fails_its_smoke_test_is_taken_back(cloud: Cloud, tmp_path: Path) -> None:
    changed = {STAGE: {**SETTINGS, "touch": False, "memory_size": 256}}
    settings = tmp_path / "zappa_settings.json"
    settings.write_text(json.dumps(changed))
    broken = make_variant(PACKAGE, tmp_path / "broken.zip", BROKEN)

    done = release(cloud, broken, "--settings", str(settings), SMOKE_URL=root_of(cloud), **SMOKE, **DELIVERY)

    assert done.returncode == 1
    assert "Not released: the smoke test failed; the version before is served again" in done.stderr
    assert release_of(cloud) == "second"
    headers = token_of(cloud, ACME)
    again = call(cloud, "POST", "/api/v1/tickets", json={"title": "Again", "description": "x"}, headers=headers)
    assert again.status_code == 201, again.text
    configuration = cloud.client("lambda").get_function_configuration(FunctionName=FUNCTION)
    assert configuration["MemorySize"] == SETTINGS["memory_size"]
    # What the schedule calls is taken back, too.
    (rule,) = cloud.client("events").list_rules()["Rules"]
    assert cloud.fire(rule) == 1
    answer = cloud.client("lambda").invoke(FunctionName=FUNCTION, Payload=json.dumps({"manage": "no_such_command"}))
    assert answer["FunctionError"]


def test_nobody_asked_for_more_than_his_role_allows(cloud: Cloud) -> None:
    """What zappa and the function really asked, against the policies of the templates."""
    api = root_of(cloud).removeprefix("http://").partition(".")[0]
    roles = {
        "function": resolve("function", Stage=STAGE),
        "delivery": resolve("delivery", Stage=STAGE, Repository="example/ticketing", RestApiId=api),
    }
    for name, resources in roles.items():
        calls, statements = cloud.calls_of(name), statements_of(resources)
        assert len(calls) >= 3
        wanting = [
            f"{call.action} {call.resource}"
            for call in calls
            if call.action != "sts:GetCallerIdentity" and not allows(statements, call.action, call.resource)
        ]
        assert not wanting, f"{name} is not allowed: {sorted(wanting)}"


def test_zappas_own_rollback_serves_the_version_that_it_is_told(cloud: Cloud) -> None:
    functions = cloud.client("lambda")
    versions = functions.list_versions_by_function(FunctionName=FUNCTION)["Versions"]
    codes = [each["CodeSha256"] for each in versions if each["Version"] != "$LATEST"][::-1]
    first = functions.get_function_configuration(FunctionName=FUNCTION, Qualifier="1")["CodeSha256"]
    done = cloud.zappa("rollback", STAGE, "--num-rollback", str(codes.index(first)))
    assert done.returncode == 0
    assert release_of(cloud) == "first"


def test_undeployed_nothing_is_served_and_the_data_is_there(cloud: Cloud, database: Database[Any]) -> None:
    root = root_of(cloud)
    assert cloud.zappa("undeploy", STAGE, "--yes").returncode == 0
    assert cloud.request("GET", f"{root}/healthz").status_code == 403
    assert cloud.client("events").list_rules()["Rules"] == []
    assert cloud.client("lambda").list_functions()["Functions"] == []
    assert database["tickets"].count_documents({}) > 0
    assert cloud.client("s3").list_objects_v2(Bucket=VARIABLES["ATTACHMENTS_BUCKET"])["KeyCount"] > 0
