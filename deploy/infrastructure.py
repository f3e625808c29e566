"""`python -m deploy.infrastructure STAGE`: applies the CloudFormation templates of a stage, as often as one likes.

Before a stage's first release it makes the buckets, the secrets, the role and the alarms; after it, run once more, also
what belongs to the REST API that zappa has made: the firewall, the throttling and, with --set Repository=owner/name,
GitHub's role. A parameter that is not given keeps its value. The database's address is read from the environment,
MONGODB_URI, so that no shell remembers it.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

TEMPLATES = Path(__file__).with_name("cloudformation")
BEFORE_THE_API = ("storage", "secrets", "function", "monitoring")
ON_REQUEST = ("atlas",)
REQUESTS_PER_SECOND, BURST = 200, 400  # of a stage; AWS allows an account 10,000 and 5,000
POLL = {"Delay": 5, "MaxAttempts": 720}

Values = dict[str, str]


class NotApplied(Exception):
    """A stack could not be brought to what its template says; the text says which and why."""


def main(arguments: list[str]) -> None:
    options = _parse(arguments)
    values = {"Stage": options.stage, **dict(each.split("=", 1) for each in options.set)}
    if uri := os.environ.get("MONGODB_URI"):
        values["MongodbUri"] = uri
    stacks = boto3.client("cloudformation")
    api = find_api(stacks, options.stage)
    for name in options.only or BEFORE_THE_API:
        _tell(name, apply(stacks, options.stage, name, values))
    if options.only:
        return
    if api is None:
        print("Release the stage now; then run this again for what belongs to its API.")  # noqa: T201
        return
    values["RestApiId"] = api
    _tell("gateway", apply(stacks, options.stage, "gateway", values))
    if "Repository" in values or exists(stacks, f"ticketing-{options.stage}-delivery"):
        _tell("delivery", apply(stacks, options.stage, "delivery", values))
    throttle(boto3.client("apigateway"), api, options.stage, options.rate, options.burst)
    _tell("throttling", f"{options.rate} requests a second, {options.burst} at once")


def apply(stacks: Any, stage: str, name: str, values: Values) -> str:
    """Make or update the stack of a template; what was done. Raises NotApplied."""
    stack, template = f"ticketing-{stage}-{name}", (TEMPLATES / f"{name}.yaml").read_text()
    there = exists(stacks, stack)
    declared = stacks.get_template_summary(TemplateBody=template)["Parameters"]
    request = {
        "StackName": stack,
        "TemplateBody": template,
        "Parameters": _parameters(declared, _kept(stacks, stack) if there else set(), values, name),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": [{"Key": "Application", "Value": "ticketing"}, {"Key": "Stage", "Value": stage}],
    }
    try:
        (stacks.update_stack if there else stacks.create_stack)(**request)
        waiter = stacks.get_waiter("stack_update_complete" if there else "stack_create_complete")
        waiter.wait(StackName=stack, WaiterConfig=POLL)
    except WaiterError:
        raise NotApplied(f"{stack}: {_reason(stacks, stack)}") from None
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise NotApplied(f"{stack}: {error}") from None
        return "as it was"
    return "updated" if there else "made"


def throttle(gateway: Any, api: str, stage: str, rate: float, burst: int) -> None:
    """How many requests the API takes. The stage is zappa's, so no template can say it; zappa leaves it alone."""
    limits = {"rateLimit": rate, "burstLimit": burst}
    operations = [{"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(limits[name])} for name in limits]
    gateway.update_stage(restApiId=api, stageName=stage, patchOperations=operations)


def find_api(stacks: Any, stage: str) -> str | None:
    """The id of the REST API that zappa made for the stage, or None before the first release."""
    try:
        found = stacks.describe_stack_resource(StackName=f"ticketing-{stage}", LogicalResourceId="Api")
    except ClientError as error:
        if not _says_that_it_is_missing(error):
            raise
        return None
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def exists(stacks: Any, stack: str) -> bool:
    try:
        stacks.describe_stacks(StackName=stack)
    except ClientError as error:
        if not _says_that_it_is_missing(error):
            raise
        return False
    return True


def _says_that_it_is_missing(error: ClientError) -> bool:
    """CloudFormation's code for a stack or resource that is not there; not the refusal of somebody who may not look."""
    return error.response["Error"]["Code"] == "ValidationError"


def _kept(stacks: Any, stack: str) -> set[str]:
    return {each["ParameterKey"] for each in stacks.describe_stacks(StackName=stack)["Stacks"][0].get("Parameters", ())}


def _parameters(declared: list[dict[str, Any]], kept: set[str], values: Values, name: str) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    for each in declared:
        key = each["ParameterKey"]
        if key in values:
            parameters.append({"ParameterKey": key, "ParameterValue": values[key]})
        elif key in kept:
            parameters.append({"ParameterKey": key, "UsePreviousValue": True})
        elif "DefaultValue" in each:
            parameters.append({"ParameterKey": key, "ParameterValue": each["DefaultValue"]})
        else:
            how = "set MONGODB_URI in the environment" if key == "MongodbUri" else f"give --set {key}=..."
            raise NotApplied(f"{name}.yaml needs {key}: {how}")
    return parameters


def _reason(stacks: Any, stack: str) -> str:
    events = stacks.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [each for each in events if each["ResourceStatus"].endswith("FAILED")]
    return "; ".join(f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason')}" for each in failed[:5])


def _tell(what: str, done: str) -> None:
    print(f"{what}: {done}", flush=True)  # noqa: T201


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy.infrastructure", description=__doc__)
    parser.add_argument("stage")
    parser.add_argument("--only", nargs="+", choices=(*BEFORE_THE_API, *ON_REQUEST), help="these templates only")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="parameters of the templates")
    parser.add_argument("--rate", type=int, default=REQUESTS_PER_SECOND, help="requests a second (%(default)s)")
    parser.add_argument("--burst", type=int, default=BURST, help="requests at once (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (NotApplied, ClientError) as error:
        sys.exit(str(error))
