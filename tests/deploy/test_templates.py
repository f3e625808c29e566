"""Each resource of the templates is taken by AWS as it stands, and says what the platform counts on."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from zappa.cli import ZappaCLI

from tests.deploy import templates
from tests.deploy.resources import APPLIERS, apply
from tests.deploy.templates import Resource, resolve
from ticketing.aws.secrets import NAMES
from ticketing.observability.metrics import Metric
from tickets.attachments.bucket import SHA256_HEADER
from tickets.attachments.files import INCOMING

SETTINGS = Path(__file__).resolve().parents[2] / "zappa_settings.json"
STAGES = ("dev", "staging", "production")
API = "0123456789"
# Every parameter that opens a condition has a value here, so that every resource is made.
GIVEN: dict[str, dict[str, Any]] = {
    "storage": {},
    "secrets": {"MongodbUri": "mongodb+srv://ticketing:p%40ss@cluster.example/?retryWrites=true"},
    "function": {"Tracing": "true", "VpcId": "vpc-0123456789abcdef0"},
    "monitoring": {"Email": "ops@tickets.example"},
    "gateway": {"RestApiId": API},
    "delivery": {"Repository": "example/ticketing", "RestApiId": API, "InVpc": "true", "MakeProvider": "true"},
}
OF_A_THIRD_PARTY = {"atlas"}  # moto knows nothing of Atlas


def resources_of(name: str, stage: str = "production") -> dict[str, Resource]:
    return resolve(name, Stage=stage, **GIVEN[name])


ALL = [(name, resource) for name in GIVEN for resource in resources_of(name).values()]


def zappa(stage: str) -> dict[str, Any]:
    """A stage's settings as zappa reads them, with those that it extends."""
    cli = ZappaCLI()
    cli.api_stage = stage
    cli.load_settings_file(str(SETTINGS))
    return dict(cli.stage_config)


def test_every_template_and_every_resource_is_looked_at() -> None:
    assert set(templates.names()) == GIVEN.keys() | OF_A_THIRD_PARTY
    for name in GIVEN:
        assert resources_of(name).keys() == templates.load(name)["Resources"].keys()
    assert {resource.type for _, resource in ALL} == APPLIERS.keys()


@pytest.mark.parametrize(("template", "resource"), ALL, ids=[f"{name}-{each.name}" for name, each in ALL])
@pytest.mark.usefixtures("aws")
def test_properties_are_applied_and_read_back(template: str, resource: Resource) -> None:
    assert apply(resource) == resource.properties


@pytest.mark.parametrize("template", sorted(GIVEN))
def test_no_stage_names_another(template: str) -> None:
    staging = [each.properties for each in resources_of(template, "staging").values()]
    assert "production" not in json.dumps(staging)


@pytest.mark.usefixtures("aws")
def test_the_function_finds_its_secrets_where_the_template_puts_them() -> None:
    resources = resources_of("secrets")
    values = {}
    for name in ("SecretKey", "JwtSigningKey"):
        apply(resources[name])
        values[name] = _secret_value(resources[name].properties["Name"])
    whole = resources["Secrets"].properties
    text = re.sub(
        r"\{\{resolve:secretsmanager:([^}]+)\}\}", lambda match: _secret_value(match[1]), whole["SecretString"]
    )
    apply(Resource("Secrets", resources["Secrets"].type, {**whole, "SecretString": text}, retained=True))

    kind, _, name = zappa("production")["aws_environment_variables"]["SECRETS"].partition(":")
    found = json.loads(_secret_value(name))
    assert kind == "secretsmanager"
    assert found.keys() <= set(NAMES)
    assert found["SECRET_KEY"] == values["SecretKey"]
    assert found["JWT_SIGNING_KEY"] == values["JwtSigningKey"] != values["SecretKey"]
    assert found["MONGODB_URI"] == GIVEN["secrets"]["MongodbUri"]


def _secret_value(name: str) -> str:
    import boto3

    return str(boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def test_what_holds_data_outlives_its_stack() -> None:
    kept = {resource.name for _, resource in ALL if resource.retained}
    assert {"Attachments", "SecretKey", "JwtSigningKey", "Secrets", "Log"} <= kept


def test_the_stages_are_these() -> None:
    assert json.loads(SETTINGS.read_text()).keys() == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_shows_or_holds_what_it_must_not(stage: str) -> None:
    settings = zappa(stage)
    variables = settings["aws_environment_variables"]
    assert (settings["debug"], variables["DEBUG"], variables["HTTPS"]) == (False, "false", "true")
    assert settings["manage_roles"] is False
    assert not variables.keys() & set(NAMES)
    assert not settings.get("environment_variables")
    assert settings["tags"] == {"Application": "ticketing", "Stage": stage}


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_has_its_limits_and_runs_the_jobs(stage: str) -> None:
    settings = zappa(stage)
    assert settings["lambda_concurrency"] > 0
    assert bool(settings["provisioned_concurrency"]) == (stage == "production")
    assert settings["keep_warm"] is False
    assert settings["timeout_seconds"] == 900  # what AWS allows, for the jobs; requests end with the gateway's 29 s
    assert [event["expression"] for event in settings["events"]] == ["rate(1 minute)"]


@pytest.mark.parametrize("stage", STAGES)
def test_zappa_uses_what_the_templates_make(stage: str) -> None:
    settings = zappa(stage)
    variables = settings["aws_environment_variables"]
    storage, function = resources_of("storage", stage), resources_of("function", stage)
    assert settings["role_name"] == function["Role"].properties["RoleName"]
    assert settings["s3_bucket"] == storage["Deployments"].properties["BucketName"]
    assert variables["ATTACHMENTS_BUCKET"] == storage["Attachments"].properties["BucketName"]
    assert variables["SECRETS"] == f"secretsmanager:{resources_of('secrets', stage)['Secrets'].properties['Name']}"
    assert variables["STAGE"] == stage
    assert function["Log"].properties["LogGroupName"] == f"/aws/lambda/{settings['project_name']}-{stage}"


def test_browsers_may_send_what_a_presigned_upload_asks_for() -> None:
    (rule,) = resources_of("storage")["Attachments"].properties["CorsConfiguration"]["CorsRules"]
    assert "PUT" in rule["AllowedMethods"]
    assert {"content-type", SHA256_HEADER} <= {each.lower() for each in rule["AllowedHeaders"]}
    assert "*" not in rule["AllowedOrigins"]


def test_only_what_never_became_an_attachment_expires() -> None:
    rules = resources_of("storage")["Attachments"].properties["LifecycleConfiguration"]["Rules"]
    expiring = [rule for rule in rules if "ExpirationInDays" in rule]
    assert [rule["Prefix"] for rule in expiring] == [f"{INCOMING}/"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_buckets_refuse_plain_http() -> None:
    for bucket in ("Attachments", "Deployments"):
        document = resources_of("storage")[f"{bucket}Policy"].properties["PolicyDocument"]
        denied = next(each for each in document["Statement"] if each["Sid"] == "TlsOnly")
        assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        assert len(denied["Resource"]) == 2


def _alarms() -> list[dict[str, Any]]:
    return [each.properties for each in resources_of("monitoring").values() if each.type == "AWS::CloudWatch::Alarm"]


def test_alarms_watch_metrics_that_the_platform_records() -> None:
    own = [each for each in _alarms() if each["Namespace"] == "Ticketing"]
    watched = {each["MetricName"] for each in own}
    assert watched <= {str(metric) for metric in Metric}
    assert watched == {"Errors", "Milliseconds", "Throttled", "DatabaseUnreachable", "JobFailed", "JobsLate"}
    assert all(each["Dimensions"] == [{"Name": "Stage", "Value": "production"}] for each in own)


def test_every_alarm_tells_somebody_and_that_it_is_over() -> None:
    topic = "arn:aws:sns:eu-central-1:123456789012:ticketing-production-alarms"
    assert len(_alarms()) >= 10
    assert all(each["AlarmActions"] == each["OKActions"] == [topic] for each in _alarms())
    assert all(each["AlarmName"].startswith("ticketing-production-") for each in _alarms())


def test_the_dashboard_shows_every_metric() -> None:
    text = resources_of("monitoring")["Dashboard"].properties["DashboardBody"]
    body = json.loads(text)
    assert all(f'"{metric}"' in text for metric in Metric)
    assert all(widget["properties"]["region"] == "eu-central-1" for widget in body["widgets"])


def test_the_firewall_blocks_floods_and_lets_tickets_quote_anything() -> None:
    rate, common = resources_of("gateway")["Firewall"].properties["Rules"]
    assert "Block" in rate["Action"]
    assert rate["Statement"]["RateBasedStatement"]["AggregateKeyType"] == "IP"
    group = common["Statement"]["ManagedRuleGroupStatement"]
    assert (group["VendorName"], group["Name"]) == ("AWS", "AWSManagedRulesCommonRuleSet")
    counted = {each["Name"] for each in group["RuleActionOverrides"] if each["ActionToUse"] == {"Count": {}}}
    assert {"SizeRestrictions_BODY", "CrossSiteScripting_BODY"} <= counted
