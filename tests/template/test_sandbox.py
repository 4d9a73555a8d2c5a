"""The sandbox in template.yaml: no way out, no permission for code, nothing known of the rest, and who may call it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from graders import sandbox
from tests.template.loading import ROOT, functions, imported, listed, modules, resources, statements, template

FUNCTION = resources("Serverless::Function")["SandboxFunction"]
NAME = "SandboxFunction"


def test_it_is_a_bundle_of_its_own_that_shares_no_code() -> None:
    assert FUNCTION["CodeUri"] == "sandbox/"
    ours = {name.partition(".")[0] for path in modules(ROOT / "sandbox") for name in imported(path)}
    assert "foundation" not in ours
    for folder in ("services", "client", "local"):
        named = {name.partition(".")[0] for path in modules(ROOT / folder) for name in imported(path)}
        assert "isolation" not in named
        assert "sandbox" not in named


def test_it_is_told_nothing_of_the_rest() -> None:
    assert template()["Resources"][NAME]["IgnoreGlobals"] == ["Environment"]
    assert not {"Environment", "Events", "FunctionUrlConfig", "Layers", "Policies"} & set(FUNCTION)


def test_its_network_leads_nowhere() -> None:
    [network] = resources("EC2::VPC").values()
    assert network["EnableDnsSupport"] is False, "a name service would be a way out"
    subnets = resources("EC2::Subnet")
    assert len({str(subnet["AvailabilityZone"]) for subnet in subnets.values()}) == 2
    assert all(subnet["VpcId"] == {"Ref": "SandboxNetwork"} for subnet in subnets.values())
    assert FUNCTION["VpcConfig"]["SubnetIds"] == [{"Ref": name} for name in subnets]
    [(name, group)] = resources("EC2::SecurityGroup").items()
    assert FUNCTION["VpcConfig"]["SecurityGroupIds"] == [{"GetAtt": f"{name}.GroupId"}]
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["127.0.0.1/32"]
    assert "SecurityGroupIngress" not in group
    network_types = {
        resource["Type"] for resource in template()["Resources"].values() if resource["Type"].startswith("AWS::EC2::")
    }
    assert network_types == {"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup"}, "no gateway, no route"


def test_its_role_lets_lambda_place_it_and_its_code_do_nothing_but_log() -> None:
    assert FUNCTION["Role"] == {"GetAtt": "SandboxRole.Arn"}
    role = resources("IAM::Role")["SandboxRole"]
    assert "ManagedPolicyArns" not in role
    [policy] = role["Policies"]
    allowed = [statement for statement in policy["PolicyDocument"]["Statement"] if statement["Effect"] == "Allow"]
    actions = {action for permitted in allowed for action in listed(permitted["Action"])}
    assert all(
        re.fullmatch(r"ec2:\w*(NetworkInterfaces?|Subnets|PrivateIpAddresses)|logs:\w+", action) for action in actions
    )
    logging = {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert {action for action in actions if action.startswith("logs:")} == logging
    [denied] = [statement for statement in policy["PolicyDocument"]["Statement"] if statement["Effect"] == "Deny"]
    # Lambda's own calls for the network carry no such key, those of code do.
    assert denied["Condition"] == {"Null": {"lambda:SourceFunctionArn": "false"}}
    assert (set(denied["NotAction"]), denied["Resource"]) == (logging, "*")


def test_only_who_grades_may_call_it_and_calls_nothing_else() -> None:
    callers: dict[str, Any] = {
        name: statement["Resource"]
        for name, function in functions().items()
        for statement in statements(function)
        if any(action.startswith("lambda:") for action in listed(statement["Action"]))
    }
    assert callers == {name: {"GetAtt": f"{NAME}.Arn"} for name in ("GradeFunction", "ApiFunction")}
    assert NAME not in {str(permission["FunctionName"]) for permission in resources("Lambda::Permission").values()}


def test_it_has_time_and_memory_for_what_a_source_may_take() -> None:
    assert FUNCTION["Timeout"] > 120
    assert (FUNCTION["MemorySize"] - 256) << 20 >= 2 << 30
    consumers = template()["Mappings"]["ConsumerTimes"]["standard"]
    assert consumers["Timeout"] > sandbox.WALL_S * 5, "a worker ends a chunk of sources that do not end"


@pytest.mark.parametrize(("given", "taken"), [("", True), ("20", True), ("0", False), ("x", False), ("-1", False)])
def test_its_share_of_the_account_s_concurrency_is_a_choice(given: str, taken: bool) -> None:
    parameter = template()["Parameters"]["SandboxConcurrency"]
    assert parameter["Default"] == ""
    assert bool(re.fullmatch(parameter["AllowedPattern"], given)) is taken
    assert FUNCTION["ReservedConcurrentExecutions"] == {
        "If": ["HasSandboxConcurrency", {"Ref": "SandboxConcurrency"}, {"Ref": "AWS::NoValue"}]
    }
