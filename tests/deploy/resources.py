"""Puts a resolved resource's properties through boto3 and reads them back in the template's own words."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3

from tests.deploy.templates import REGION, Resource

Properties = dict[str, Any]


def apply(resource: Resource) -> Properties:
    """What AWS (moto) has after the properties were put."""
    return APPLIERS[resource.type](resource.properties)


@cache
def _client(service: str) -> Any:
    """Kept over the tests: making one takes longer than all that it is asked."""
    return boto3.client(service, region_name=REGION)


def _bucket(wanted: Properties) -> Properties:
    s3, name = _client("s3"), wanted["BucketName"]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    rules = [
        {"ApplyServerSideEncryptionByDefault": each["ServerSideEncryptionByDefault"]}
        for each in wanted["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    ]
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    access = wanted["PublicAccessBlockConfiguration"]
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=access)
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=wanted["OwnershipControls"])
    lifecycle = [_lifecycle_rule(each) for each in wanted["LifecycleConfiguration"]["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": lifecycle})
    found = {
        "BucketName": next(each["Name"] for each in s3.list_buckets()["Buckets"] if each["Name"] == name),
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": each["ApplyServerSideEncryptionByDefault"]}
                for each in s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
            ]
        },
        "PublicAccessBlockConfiguration": s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
        "OwnershipControls": s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"],
        "LifecycleConfiguration": {
            "Rules": [_template_rule(each) for each in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]]
        },
    }
    if "VersioningConfiguration" in wanted:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=wanted["VersioningConfiguration"])
        found["VersioningConfiguration"] = {"Status": s3.get_bucket_versioning(Bucket=name)["Status"]}
    if "CorsConfiguration" in wanted:
        cors = [_renamed(each, CORS) for each in wanted["CorsConfiguration"]["CorsRules"]]
        s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": cors})
        back = {new: old for old, new in CORS.items()}
        rules = [_renamed(each, back) for each in s3.get_bucket_cors(Bucket=name)["CORSRules"]]
        found["CorsConfiguration"] = {"CorsRules": rules}
    return found


CORS = {"Id": "ID", "ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"}


def _renamed(values: Properties, names: dict[str, str]) -> Properties:
    return {names.get(key, key): value for key, value in values.items()}


def _lifecycle_rule(rule: Properties) -> Properties:
    """A template's rule as the API wants it."""
    same: Properties = {
        key: rule[key]
        for key in ("Status", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")
        if key in rule
    }
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    given = {key: value for key, value in expiration.items() if value is not None}
    return {
        "ID": rule["Id"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
        **same,
        **({"Expiration": given} if given else {}),
    }


def _template_rule(rule: Properties) -> Properties:
    found = {"Id": rule["ID"], "Status": rule["Status"]}
    for key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if key in rule:
            found[key] = rule[key]
    if prefix := rule["Filter"].get("Prefix"):
        found["Prefix"] = prefix
    expiration = rule.get("Expiration", {})
    if "Days" in expiration:
        found["ExpirationInDays"] = expiration["Days"]
    if expiration.get("ExpiredObjectDeleteMarker"):
        found["ExpiredObjectDeleteMarker"] = True
    return found


def _bucket_policy(wanted: Properties) -> Properties:
    s3 = _client("s3")
    s3.create_bucket(Bucket=wanted["Bucket"], CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_policy(Bucket=wanted["Bucket"], Policy=json.dumps(wanted["PolicyDocument"]))
    found = json.loads(s3.get_bucket_policy(Bucket=wanted["Bucket"])["Policy"])
    return {"Bucket": wanted["Bucket"], "PolicyDocument": found}


def _secret(wanted: Properties) -> Properties:
    """A generated one is generated by the service; references in a text are resolved as CloudFormation does."""
    secrets = _client("secretsmanager")
    if generate := wanted.get("GenerateSecretString"):
        text = secrets.get_random_password(**generate)["RandomPassword"]
    else:
        text = wanted["SecretString"]
    secrets.create_secret(Name=wanted["Name"], Description=wanted["Description"], SecretString=text)
    found = secrets.describe_secret(SecretId=wanted["Name"])
    value = secrets.get_secret_value(SecretId=wanted["Name"])["SecretString"]
    shape = {"GenerateSecretString": {"PasswordLength": len(value), "ExcludePunctuation": value.isalnum()}}
    return {
        "Name": found["Name"],
        "Description": found["Description"],
        **(shape if generate else {"SecretString": value}),
    }


def _role(wanted: Properties) -> Properties:
    iam, name = _client("iam"), wanted["RoleName"]
    given = {key: wanted[key] for key in ("Description", "MaxSessionDuration") if key in wanted}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(wanted["AssumeRolePolicyDocument"]), **given)
    for policy in wanted["Policies"]:
        _put_role_policy(name, policy)
    role = iam.get_role(RoleName=name)["Role"]
    return {
        "RoleName": role["RoleName"],
        "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
        "Policies": [_get_role_policy(name, each) for each in iam.list_role_policies(RoleName=name)["PolicyNames"]],
        **{key: role[key] for key in given},
    }


def _role_policy(wanted: Properties) -> Properties:
    name = wanted["RoleName"]
    _client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    _put_role_policy(name, wanted)
    return {"RoleName": name, **_get_role_policy(name, wanted["PolicyName"])}


def _put_role_policy(role: str, policy: Properties) -> None:
    document = json.dumps(policy["PolicyDocument"])
    _client("iam").put_role_policy(RoleName=role, PolicyName=policy["PolicyName"], PolicyDocument=document)


def _get_role_policy(role: str, name: str) -> Properties:
    found = _client("iam").get_role_policy(RoleName=role, PolicyName=name)
    return {"PolicyName": found["PolicyName"], "PolicyDocument": found["PolicyDocument"]}


def _provider(wanted: Properties) -> Properties:
    iam = _client("iam")
    arn = iam.create_open_id_connect_provider(Url=wanted["Url"], ClientIDList=wanted["ClientIdList"])
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn["OpenIDConnectProviderArn"])
    return {"Url": f"https://{found['Url'].removeprefix('https://')}", "ClientIdList": found["ClientIDList"]}


def _security_group(wanted: Properties) -> Properties:
    ec2 = _client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_security_group(GroupName=wanted["GroupName"], Description=wanted["GroupDescription"], VpcId=vpc)
    group = made["GroupId"]
    everything = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
    for rule in wanted["SecurityGroupEgress"]:
        network = {"CidrIp": rule["CidrIp"], "Description": rule["Description"]}
        ports = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort")}
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[{**ports, "IpRanges": [network]}])
    found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert not found["IpPermissions"]
    return {
        "GroupName": found["GroupName"],
        "GroupDescription": found["Description"],
        "VpcId": wanted["VpcId"] if found["VpcId"] == vpc else found["VpcId"],
        "SecurityGroupEgress": [
            {key: each[key] for key in ("IpProtocol", "FromPort", "ToPort")} | network
            for each in found["IpPermissionsEgress"]
            for network in each["IpRanges"]
        ],
    }


def _log_group(wanted: Properties) -> Properties:
    logs, name = _client("logs"), wanted["LogGroupName"]
    logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=int(wanted["RetentionInDays"]))
    found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
    return {"LogGroupName": found["logGroupName"], "RetentionInDays": found["retentionInDays"]}


def _topic(wanted: Properties) -> Properties:
    sns = _client("sns")
    arn = sns.create_topic(Name=wanted["TopicName"], Attributes={"DisplayName": wanted["DisplayName"]})["TopicArn"]
    found = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    return {"TopicName": found["TopicArn"].rpartition(":")[2], "DisplayName": found["DisplayName"]}


def _topic_policy(wanted: Properties) -> Properties:
    sns, (topic,) = _client("sns"), wanted["Topics"]
    sns.create_topic(Name=topic.rpartition(":")[2])
    document = json.dumps(wanted["PolicyDocument"])
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    return {"Topics": [topic], "PolicyDocument": json.loads(found)}


def _subscription(wanted: Properties) -> Properties:
    sns = _client("sns")
    sns.create_topic(Name=wanted["TopicArn"].rpartition(":")[2])
    sns.subscribe(TopicArn=wanted["TopicArn"], Protocol=wanted["Protocol"], Endpoint=wanted["Endpoint"])
    found = sns.list_subscriptions_by_topic(TopicArn=wanted["TopicArn"])["Subscriptions"][0]
    return {key: found[key] for key in wanted}


def _alarm(wanted: Properties) -> Properties:
    cloudwatch = _client("cloudwatch")
    cloudwatch.put_metric_alarm(**wanted)
    found = cloudwatch.describe_alarms(AlarmNames=[wanted["AlarmName"]])["MetricAlarms"][0]
    return {key: found.get(key) for key in wanted}


def _dashboard(wanted: Properties) -> Properties:
    cloudwatch = _client("cloudwatch")
    cloudwatch.put_dashboard(**wanted)
    found = cloudwatch.get_dashboard(DashboardName=wanted["DashboardName"])
    return {key: found[key] for key in wanted}


def _web_acl(wanted: Properties) -> Properties:
    waf = _client("wafv2")
    made = waf.create_web_acl(**wanted)["Summary"]
    found = waf.get_web_acl(Name=made["Name"], Id=made["Id"], Scope="REGIONAL")["WebACL"]
    return {"Scope": "REGIONAL", **{key: found[key] for key in wanted if key != "Scope"}}


def _web_acl_association(wanted: Properties) -> Properties:
    """On a real API and a firewall, whose ids AWS chooses."""
    gateway, waf = _client("apigateway"), _client("wafv2")
    stage = wanted["ResourceArn"].rpartition("/")[2]
    api = gateway.create_rest_api(name=f"ticketing-{stage}")
    root = gateway.get_resources(restApiId=api["id"])["items"][0]["id"]
    gateway.put_method(restApiId=api["id"], resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api["id"], resourceId=root, httpMethod="GET", type="MOCK")
    gateway.create_deployment(restApiId=api["id"], stageName=stage)
    visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "x"}
    allow: Properties = {"Allow": {}}
    acl = waf.create_web_acl(
        Name=wanted["WebACLArn"].split("/")[2], Scope="REGIONAL", DefaultAction=allow, VisibilityConfig=visible
    )["Summary"]
    resource = wanted["ResourceArn"].replace("0123456789", api["id"])
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=resource)
    found = waf.get_web_acl_for_resource(ResourceArn=resource)["WebACL"]
    return {**wanted, "WebACLArn": wanted["WebACLArn"] if found["ARN"] == acl["ARN"] else found["ARN"]}


APPLIERS: dict[str, Callable[[Properties], Properties]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::EC2::SecurityGroup": _security_group,
    "AWS::IAM::OIDCProvider": _provider,
    "AWS::IAM::Role": _role,
    "AWS::IAM::RolePolicy": _role_policy,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::WAFv2::WebACL": _web_acl,
    "AWS::WAFv2::WebACLAssociation": _web_acl_association,
}
