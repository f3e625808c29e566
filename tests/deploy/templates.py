"""The CloudFormation templates as AWS would see them: parameters, references and conditions resolved."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cfn_flip  # type: ignore[import-untyped]

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "cloudformation"
ACCOUNT, REGION = "123456789012", "eu-central-1"
PSEUDO = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws"}
# What Ref and Fn::GetAtt give for the resources of a type, from its properties.
REFS = {
    "AWS::S3::Bucket": "{BucketName}",
    "AWS::IAM::Role": "{RoleName}",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{TopicName}}",
    "AWS::SecretsManager::Secret": "{Name}",
}
ATTRIBUTES = {
    ("AWS::S3::Bucket", "Arn"): "arn:aws:s3:::{BucketName}",
    ("AWS::IAM::Role", "Arn"): f"arn:aws:iam::{ACCOUNT}:role/{{RoleName}}",
    ("AWS::WAFv2::WebACL", "Arn"): f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/{{Name}}/1",
    ("AWS::EC2::SecurityGroup", "GroupId"): "sg-{GroupName}",
}


@dataclass(frozen=True)
class Resource:
    """One resource of a resolved template."""

    name: str
    type: str
    properties: dict[str, Any]
    retained: bool


@cache
def load(name: str) -> dict[str, Any]:
    """A template with the functions in their long form."""
    template: dict[str, Any] = json.loads(cfn_flip.to_json((FOLDER / f"{name}.yaml").read_text()))
    return template


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def resolve(name: str, **parameters: Any) -> dict[str, Resource]:
    """The resources whose conditions hold, by name."""
    template = _Template(load(name), parameters)
    return {key: template.resource(key) for key in template.resources if template.is_made(key)}


class _Template:
    def __init__(self, template: dict[str, Any], given: dict[str, Any]) -> None:
        declared = template["Parameters"]
        assert given.keys() <= declared.keys(), given.keys() - declared.keys()
        values = {key: given.get(key, each.get("Default")) for key, each in declared.items()}
        missing = [key for key, value in values.items() if value is None]
        assert not missing, f"without a value: {missing}"
        for key, each in declared.items():
            if pattern := each.get("AllowedPattern"):
                assert re.fullmatch(pattern, str(values[key])), (key, values[key])
            if each["Type"] == "CommaDelimitedList" and isinstance(values[key], str):
                values[key] = values[key].split(",")
        self.values = {**PSEUDO, **values}
        self.resources: dict[str, Any] = template["Resources"]
        self.conditions: dict[str, Any] = template.get("Conditions", {})

    def is_made(self, name: str) -> bool:
        condition = self.resources[name].get("Condition")
        return condition is None or bool(self._value(self.conditions[condition]))

    def resource(self, name: str) -> Resource:
        raw = self.resources[name]
        retained = raw.get("DeletionPolicy") == "Retain"
        return Resource(name, raw["Type"], self._value(raw.get("Properties", {})), retained)

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._value(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (function, argument), *_ = value.items()
            if function == "Ref":
                return self._ref(argument)
            if function.startswith("Fn::"):
                return getattr(self, "_" + function.removeprefix("Fn::").lower())(argument)
        return {key: self._value(each) for key, each in value.items()}

    def _ref(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        raw = self.resources[name]
        return REFS[raw["Type"]].format(**self._value(raw["Properties"]))

    def _getatt(self, argument: list[str] | str) -> str:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        raw = self.resources[name]
        return ATTRIBUTES[raw["Type"], attribute].format(**self._value(raw["Properties"]))

    def _sub(self, text: str) -> str:
        def replace(match: re.Match[str]) -> str:
            return str(self._getatt(match[1]) if "." in match[1] else self._ref(match[1]))

        return re.sub(r"\$\{([^}]+)\}", replace, text)

    def _equals(self, argument: list[Any]) -> bool:
        left, right = self._value(argument)
        return bool(left == right)

    def _not(self, argument: list[Any]) -> bool:
        return not self._value(argument)[0]
