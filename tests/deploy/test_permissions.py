"""What the function and GitHub may do on AWS, and above all what they may not."""

from itertools import product

import pytest

from tests.deploy.policies import allows, as_list, statements_of
from tests.deploy.templates import ACCOUNT, REGION
from tests.deploy.test_templates import API, GIVEN, resources_of

# AWS has no resource to name for these.
OF_EVERYTHING = {"Traces", "NetworkInterfaces", "NotFromTheCode", "Networks", "ScheduleNames"}
ROLES = ("function", "delivery")
STAGES = ("dev", "staging", "production")


def arn(service: str, what: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{what}"


def function_arn(stage: str, qualifier: str = "") -> str:
    return arn("lambda", f"function:ticketing-{stage}{qualifier}")


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


@pytest.mark.parametrize("name", ROLES)
def test_every_action_is_named_and_every_resource_that_can_be(name: str) -> None:
    statements = statements_of(resources_of(name))
    assert statements
    for statement in statements:
        assert all("*" not in action for action in as_list(statement["Action"])), statement["Sid"]
        assert ("*" in as_list(statement["Resource"])) == (statement["Sid"] in OF_EVERYTHING), statement["Sid"]
        assert "NotAction" not in statement
        assert "NotResource" not in statement


FUNCTION_MAY = [
    ("s3:GetObject", "arn:aws:s3:::ticketing-{}-attachments/65f/abc"),
    ("s3:PutObject", "arn:aws:s3:::ticketing-{}-attachments/incoming/65f/abc"),
    ("s3:DeleteObject", "arn:aws:s3:::ticketing-{}-attachments/65f/abc"),
    ("s3:ListBucket", "arn:aws:s3:::ticketing-{}-attachments"),
    ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:ticketing/{}-a1B2c3")),
    ("ssm:GetParameters", arn("ssm", "parameter/ticketing/{}/SECRET_KEY")),
    ("logs:PutLogEvents", arn("logs", "log-group:/aws/lambda/ticketing-{}:log-stream:x")),
    ("lambda:InvokeFunction", function_arn("{}", ":current")),
]


@pytest.mark.parametrize(("action", "resource"), FUNCTION_MAY, ids=[action for action, _ in FUNCTION_MAY])
def test_the_function_reaches_its_own_stage_and_no_other(action: str, resource: str) -> None:
    for own, other in product(STAGES, STAGES):
        statements = statements_of(resources_of("function", own))
        assert allows(statements, action, resource.format(other)) == (own == other), (own, other)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        (
            "secretsmanager:GetSecretValue",
            arn("secretsmanager", "secret:ticketing/production/generated/secret-key-a1B2c3"),
        ),
        ("secretsmanager:PutSecretValue", arn("secretsmanager", "secret:ticketing/production-a1B2c3")),
        ("s3:DeleteBucket", "arn:aws:s3:::ticketing-production-attachments"),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::ticketing-production-attachments/65f/abc"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::ticketing-production-attachments"),
        ("s3:GetObject", "arn:aws:s3:::ticketing-production-deployments/ticketing.zip"),
        ("lambda:UpdateFunctionCode", function_arn("production")),
        ("iam:PassRole", role_arn("ticketing-production-function")),
        ("logs:DeleteLogGroup", arn("logs", "log-group:/aws/lambda/ticketing-production")),
    ],
)
def test_the_function_cannot_do_what_it_never_does(action: str, resource: str) -> None:
    assert not allows(statements_of(resources_of("function")), action, resource)


def test_network_interfaces_are_for_lambda_and_not_for_the_code() -> None:
    statements = statements_of(resources_of("function"))
    assert allows(statements, "ec2:CreateNetworkInterface", "*")
    own = function_arn("production")
    assert not allows(statements, "ec2:CreateNetworkInterface", "*", lambda__SourceFunctionArn=own)


def test_without_vpc_and_tracing_nothing_is_allowed_everywhere() -> None:
    from tests.deploy.templates import resolve

    resources = resolve("function", Stage="production")
    assert {"VpcPolicy", "TracingPolicy", "SecurityGroup"}.isdisjoint(resources)
    assert all("*" not in as_list(each["Resource"]) for each in statements_of(resources))


DELIVERY_MAY = [
    ("lambda:UpdateFunctionCode", function_arn("{}")),
    ("lambda:UpdateAlias", function_arn("{}", ":current")),
    ("lambda:InvokeFunction", function_arn("{}")),
    ("lambda:DeleteFunction", function_arn("{}", ":7")),
    ("s3:PutObject", "arn:aws:s3:::ticketing-{}-deployments/ticketing-template.json"),
    ("s3:ListBucket", "arn:aws:s3:::ticketing-{}-deployments"),
    ("cloudformation:UpdateStack", arn("cloudformation", "stack/ticketing-{}/1234")),
    ("events:PutRule", arn("events", "rule/ticketing-{}-jobs")),
    ("iam:GetRole", role_arn("ticketing-{}-function")),
]


@pytest.mark.parametrize(("action", "resource"), DELIVERY_MAY, ids=[action for action, _ in DELIVERY_MAY])
def test_delivery_reaches_its_own_stage_and_no_other(action: str, resource: str) -> None:
    for own, other in product(STAGES, STAGES):
        statements = statements_of(resources_of("delivery", own))
        assert allows(statements, action, resource.format(other)) == (own == other), (own, other)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:DeleteFunction", function_arn("production")),
        ("cloudformation:DeleteStack", arn("cloudformation", "stack/ticketing-production/1234")),
        ("cloudformation:UpdateStack", arn("cloudformation", "stack/ticketing-production-secrets/1234")),
        ("cloudformation:UpdateStack", arn("cloudformation", "stack/ticketing-production-delivery/1234")),
        ("apigateway:DELETE", f"arn:aws:apigateway:{REGION}::/restapis/{API}"),
        ("apigateway:PATCH", f"arn:aws:apigateway:{REGION}::/restapis/another012"),
        ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:ticketing/production-a1B2c3")),
        ("s3:GetObject", "arn:aws:s3:::ticketing-production-attachments/65f/abc"),
        ("iam:PutRolePolicy", role_arn("ticketing-production-function")),
        ("iam:PutRolePolicy", role_arn("ticketing-production-delivery")),
        ("iam:CreateRole", role_arn("x")),
        ("wafv2:DeleteWebACL", arn("wafv2", "regional/webacl/ticketing-production/1")),
    ],
)
def test_delivery_cannot_destroy_read_data_or_raise_itself(action: str, resource: str) -> None:
    assert not allows(statements_of(resources_of("delivery")), action, resource)


def test_delivery_hands_over_the_functions_role_to_those_who_need_it_alone() -> None:
    statements = statements_of(resources_of("delivery"))
    own = role_arn("ticketing-production-function")
    assert allows(statements, "iam:PassRole", own, iam__PassedToService="lambda.amazonaws.com")
    assert not allows(statements, "iam:PassRole", own, iam__PassedToService="ec2.amazonaws.com")
    assert not allows(statements, "iam:PassRole", own)
    admin = role_arn("admin")
    assert not allows(statements, "iam:PassRole", admin, iam__PassedToService="lambda.amazonaws.com")


def test_only_the_stages_own_github_environment_may_deliver() -> None:
    (statement,) = resources_of("delivery")["Role"].properties["AssumeRolePolicyDocument"]["Statement"]
    claims = statement["Condition"]["StringEquals"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert claims["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    wanted = f"repo:{GIVEN['delivery']['Repository']}:environment:production"
    assert claims["token.actions.githubusercontent.com:sub"] == wanted
