"""The command that applies the templates, against moto's CloudFormation and API Gateway."""

from typing import Any

import boto3
import pytest

from deploy import infrastructure
from tests.deploy.templates import REGION

pytestmark = [pytest.mark.usefixtures("aws"), pytest.mark.filterwarnings("ignore:Tried to parse AWS::")]
URI = "mongodb+srv://ticketing:secret@cluster.example/"


@pytest.fixture(autouse=True)
def _address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", URI)


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def stack(name: str) -> dict[str, Any]:
    found: dict[str, Any] = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return found


def parameters(name: str) -> dict[str, str]:
    return {each["ParameterKey"]: each["ParameterValue"] for each in stack(name)["Parameters"]}


def make_api(stage: str) -> str:
    """What zappa's first deployment leaves: a stack with an API that has the stage."""
    template = """{"Resources": {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "ticketing"}}}}"""
    client("cloudformation").create_stack(StackName=f"ticketing-{stage}", TemplateBody=template)
    api = infrastructure.find_api(client("cloudformation"), stage)
    assert api is not None
    gateway = client("apigateway")
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="ANY", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=root, httpMethod="ANY", type="MOCK")
    gateway.create_deployment(restApiId=api, stageName=stage)
    return api


def test_a_new_stage_gets_what_a_release_needs(capsys: pytest.CaptureFixture[str]) -> None:
    infrastructure.main(["staging", "--set", "LogDays=7", "Email=ops@tickets.example"])

    assert capsys.readouterr().out.splitlines() == [
        *(f"{name}: made" for name in ("storage", "secrets", "function", "monitoring")),
        "Release the stage now; then run this again for what belongs to its API.",
    ]
    assert parameters("ticketing-staging-function")["LogDays"] == "7"
    tags = {each["Key"]: each["Value"] for each in stack("ticketing-staging-storage")["Tags"]}
    assert tags == {"Application": "ticketing", "Stage": "staging"}
    assert client("iam").get_role(RoleName="ticketing-staging-function")["Role"]
    assert [each["Name"] for each in client("s3").list_buckets()["Buckets"]] == [
        "ticketing-staging-attachments",
        "ticketing-staging-deployments",
    ]
    (log,) = client("logs").describe_log_groups()["logGroups"]
    assert (log["logGroupName"], log["retentionInDays"]) == ("/aws/lambda/ticketing-staging", 7)


def test_it_can_be_run_again_and_keeps_what_is_not_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    infrastructure.main(["staging", "--set", "LogDays=7"])
    monkeypatch.delenv("MONGODB_URI")
    capsys.readouterr()

    infrastructure.main(["staging", "--set", "P95Milliseconds=500"])

    said = capsys.readouterr().out.splitlines()
    assert said[:4] == ["storage: as it was", "secrets: as it was", "function: as it was", "monitoring: updated"]
    assert parameters("ticketing-staging-function")["LogDays"] == "7"


def test_a_missing_value_is_named_and_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONGODB_URI")
    with pytest.raises(infrastructure.NotApplied, match=r"secrets\.yaml needs MongodbUri: set MONGODB_URI"):
        infrastructure.main(["staging", "--only", "secrets"])
    assert not infrastructure.exists(client("cloudformation"), "ticketing-staging-secrets")


def test_after_a_release_the_api_gets_its_firewall_and_its_limits(capsys: pytest.CaptureFixture[str]) -> None:
    api = make_api("staging")

    infrastructure.main(["staging", "--rate", "50", "--burst", "80", "--set", "Repository=example/ticketing"])

    said = capsys.readouterr().out.splitlines()
    assert said[4:] == ["gateway: made", "delivery: made", "throttling: 50 requests a second, 80 at once"]
    assert parameters("ticketing-staging-gateway")["RestApiId"] == api
    settings = client("apigateway").get_stage(restApiId=api, stageName="staging")["methodSettings"]["*/*"]
    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == (50.0, 80)
