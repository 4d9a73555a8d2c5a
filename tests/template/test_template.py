"""template.yaml: what design and code ask of it, and what no linter knows."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from completions import frames
from distillations.learning_curve import LearningCurve
from foundation.consumer import LAST_DELIVERY
from foundation.events import Work, parse
from foundation.rollout_messages import LookAtRollouts
from foundation.settings import Settings
from rollouts import clock
from tests.template.loading import (
    ROOT,
    SERVICES,
    actions,
    functions,
    handler_module,
    listed,
    may,
    parsed,
    resources,
    standing_on,
    statements,
    template,
    within,
)

QUEUES = resources("SQS::Queue")
FUNCTIONS = functions()
VARIABLES = template()["Globals"]["Function"]["Environment"]["Variables"]
# Read by Powertools itself.
FOREIGN = {"AWS_LAMBDA_EXEC_WRAPPER", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}


def dead_letters_of(queue: dict[str, Any]) -> str:
    name, _, attribute = queue["RedrivePolicy"]["deadLetterTargetArn"]["GetAtt"].partition(".")
    assert attribute == "Arn"
    return str(name)


WORKING = {name: queue for name, queue in QUEUES.items() if "RedrivePolicy" in queue}


MAPPINGS = {
    mapping["EventSourceArn"]["GetAtt"].removesuffix(".Arn"): mapping
    for mapping in resources("Lambda::EventSourceMapping").values()
}


QUEUE_OF = {kind.__name__: kind.QUEUE for kind in Work.__value__.__args__}
CONSUMERS = {queue: mapping["FunctionName"]["Ref"] for queue, mapping in MAPPINGS.items()}

# ------------------------------------------------------------------ queues


def test_every_queue_has_dead_letters_of_its_own() -> None:
    dead = [dead_letters_of(queue) for queue in WORKING.values()]
    assert len(dead) == len(set(dead))
    assert set(QUEUES) == {*WORKING, *dead, "ClockDeadLetters"}
    assert len(WORKING) == 9
    assert {int(queue["RedrivePolicy"]["maxReceiveCount"]) for queue in WORKING.values()} == {LAST_DELIVERY + 1}


def test_every_dead_letter_queue_keeps_longest_and_has_an_alarm_that_tells_people() -> None:
    watched = {}
    for alarm in resources("CloudWatch::Alarm").values():
        [dimension] = alarm["Dimensions"]
        if (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible"):
            watched[dimension["Value"]["GetAtt"].removesuffix(".QueueName")] = alarm
    for queue in WORKING.values():
        name = dead_letters_of(queue)
        alarm = watched[name]
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
        assert alarm["AlarmActions"] == [{"Ref": "Topic"}]
        assert QUEUES[name]["MessageRetentionPeriod"] == 1_209_600


def test_every_queue_is_encrypted_and_has_one_consumer() -> None:
    assert all(queue["SqsManagedSseEnabled"] for queue in QUEUES.values())
    assert set(CONSUMERS) == set(WORKING)
    assert len(resources("Lambda::EventSourceMapping")) == len(WORKING)
    assert len(set(CONSUMERS.values())) == len(WORKING)


def test_a_consumer_may_take_messages_of_its_own_queue_and_of_no_other() -> None:
    taking = {
        name: [
            statement["Resource"]
            for statement in statements(function)
            if "sqs:ReceiveMessage" in listed(statement["Action"])
        ]
        for name, function in FUNCTIONS.items()
    }
    # Dead letters are looked at, and put back.
    [looked_at] = taking.pop("ApiFunction")
    assert {resource["GetAtt"] for resource in looked_at} == {
        f"{dead_letters_of(queue)}.Arn" for queue in WORKING.values()
    }
    assert {name: queues for name, queues in taking.items() if queues} == {
        consumer: [{"GetAtt": f"{queue}.Arn"}] for queue, consumer in CONSUMERS.items()
    }
    # SAM gives a function with such an event a managed policy that reads every queue of the account.
    assert not [name for name, function in FUNCTIONS.items() if "Events" in function]


def test_every_consumer_reports_failures_message_by_message() -> None:
    for queue, mapping in MAPPINGS.items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], queue
        assert mapping["ScalingConfig"]["MaximumConcurrency"] == {"Ref": "ConsumerConcurrency"}, queue


def test_a_message_is_hidden_at_least_six_times_as_long_as_its_function_may_take() -> None:
    chosen = {"Ref": "ConsumerTimes"}
    for name, times in template()["Mappings"]["ConsumerTimes"].items():
        factor = 1 if name == "local" else 6
        assert times["Visibility"] >= times["Timeout"] * factor
        assert times["LongVisibility"] >= times["LongTimeout"] * factor
    assert template()["Globals"]["Function"]["Timeout"] == {"FindInMap": ["ConsumerTimes", chosen, "Timeout"]}
    for queue, name in CONSUMERS.items():
        kind = "Long" if name == "AssemblyFunction" else ""
        hidden = {"FindInMap": ["ConsumerTimes", chosen, f"{kind}Visibility"]}
        assert QUEUES[queue]["VisibilityTimeout"] == hidden
        timeout = {"FindInMap": ["ConsumerTimes", chosen, "LongTimeout"]} if kind else None
        assert FUNCTIONS[name].get("Timeout") == timeout, name


# ------------------------------------------------------------------ functions


MODULES = sorted({handler_module(function) for function in FUNCTIONS.values()})
ENTRIES = {
    module: [
        function["Handler"].rpartition(".")[2] for function in FUNCTIONS.values() if handler_module(function) == module
    ]
    for module in MODULES
}
IMPORTING = """
import gc, importlib, json, os, sys
import aiohttp, boto3, botocore.config, orjson  # Most of a start, and none of ours.
from pydantic import BaseModel
gc.disable()
sys.path.insert(0, sys.argv[1])
for module, entries in json.loads(sys.argv[2]).items():
    child = os.fork()
    if not child:
        imported = importlib.import_module(module)
        assert all(callable(getattr(imported, entry)) for entry in entries)
        os._exit(0)
    print(module, os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture(scope="module")
def started() -> tuple[dict[str, str], str]:
    """How the import of each handler's module has ended, each in a process without the others; what was said of them.

    A bare process forks these, since it would take a second for each to begin anew.
    """
    command = [sys.executable, "-I", "-W", "error", "-c", IMPORTING, str(SERVICES), json.dumps(ENTRIES)]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False, timeout=60)
    ended = dict(line.split() for line in done.stdout.splitlines())
    return ended, done.stderr


@pytest.mark.parametrize("module", MODULES)
def test_a_handler_imports_in_a_bare_process_and_is_short(module: str, started: tuple[dict[str, str], str]) -> None:
    source = SERVICES.joinpath(*module.split(".")).with_suffix(".py")
    assert len(source.read_text(encoding="utf-8").splitlines()) <= 60
    ended, said = started
    assert (ended.get(module), said) == ("0", "")


def test_every_service_has_its_function() -> None:
    folders = {path.parent.name for path in SERVICES.glob("*/handler.py")}
    assert {handler_module(function).partition(".")[0] for function in FUNCTIONS.values()} == folders


def test_the_environment_is_what_settings_know() -> None:
    own = {
        name: set(function["Environment"]["Variables"])
        for name, function in FUNCTIONS.items()
        if "Environment" in function
    }
    assert set(VARIABLES).union(*own.values()) - FOREIGN == {field.name for field in fields(Settings)}
    assert own == {
        **{name: {"TRAINING_ROLE_ARN", "SAGEMAKER_SERVING"} for name in ("TuningFunction", "TuningWatchFunction")},
        **{f"{name}Function": {"ROLLOUT_QUEUE_URL"} for name in ("Api", "Distilling", "Sweep", "Rollout")},
        "GatewayFunction": {"AWS_LAMBDA_EXEC_WRAPPER"},
    }


def test_who_may_send_to_a_queue_knows_where_it_is() -> None:
    for name, function in FUNCTIONS.items():
        known = VARIABLES | function.get("Environment", {"Variables": {}})["Variables"]
        assert queues_allowed(function) <= {
            value["Ref"] for key, value in known.items() if key.endswith("_QUEUE_URL")
        }, name


def test_required_settings_are_never_empty() -> None:
    required = {field.name for field in fields(Settings) if field.default is MISSING}
    assert required == {"TABLE", "BUCKET", "PROVIDER_BASE_URL"}
    assert all(VARIABLES[name] for name in required)


# ------------------------------------------------------------------ policies


OF_NO_RESOURCE = {"sagemaker:CallWithBearerToken", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_policy_names_actions_and_resources(name: str) -> None:
    for statement in statements(FUNCTIONS[name]):
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource"} & set(statement)
        assert all("*" not in action for action in listed(statement["Action"])), statement
        # Calls that AWS restricts to no resource; what the first opens, InvokeEndpoint restricts.
        if not set(listed(statement["Action"])) <= OF_NO_RESOURCE:
            assert "*" not in listed(statement["Resource"]), statement
        for resource in listed(statement["Resource"]):
            if "s3:GetObject" in listed(statement["Action"]) or "s3:PutObject" in listed(statement["Action"]):
                assert resource["Sub"].startswith("${Bucket.Arn}/")
                assert resource["Sub"] != "${Bucket.Arn}/*"


def queues_used(module: str) -> set[str]:
    """The queues of the messages that a handler's modules, or those they stand on, make: their classes name them.

    To have SQS put dead letters back takes the right to send to every queue.
    """
    paths = standing_on(module.partition(".")[0])
    if any("start_message_move_task(" in path.read_text(encoding="utf-8") for path in paths):
        return {field.name for field in fields(Settings) if field.name.endswith("_QUEUE_URL")}
    made = frozenset().union(*map(called, paths))
    return {queue for kind, queue in QUEUE_OF.items() if made & {kind, f"_{kind}"}}


@cache
def called(path: Path) -> frozenset[str]:
    """The names of what a module calls."""
    calls = (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call))
    return frozenset(call.func.id for call in calls if isinstance(call.func, ast.Name))


def queues_allowed(function: dict[str, Any]) -> set[str]:
    return {
        resource["GetAtt"].removesuffix(".Arn")
        for statement in statements(function)
        if "sqs:SendMessage" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def of_service(module: str) -> list[dict[str, Any]]:
    return [function for function in FUNCTIONS.values() if handler_module(function) == module]


KEYS_OF_PROVIDERS = {
    "Sub": (
        "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/providers/*"
    )
}


@pytest.mark.parametrize("module", MODULES)
def test_a_service_may_send_to_the_queues_its_code_names_and_to_no_others(module: str) -> None:
    used = {f"{name.removesuffix('_QUEUE_URL').title()}Queue" for name in queues_used(module)}
    assert set().union(*(queues_allowed(function) for function in of_service(module))) == used


def test_the_queues_of_each_function_by_what_it_does() -> None:
    assert {name.removesuffix("Function"): queues_allowed(function) for name, function in FUNCTIONS.items()} == {
        "Capture": {"RecordQueue"},
        "Record": set(),
        "Sweep": {"AssemblyQueue", "DistillingQueue", "PlanQueue", "RolloutQueue", "TuningQueue"},
        "Gateway": {"RecordQueue"},
        "Api": set(WORKING),
        "Plan": {"GradeQueue", "PlanQueue", "NotifyQueue"},
        "Grade": {"GradeQueue", "NotifyQueue"},
        "Distilling": {"PlanQueue", "AssemblyQueue", "TuningQueue", "VerdictQueue", "NotifyQueue", "RolloutQueue"},
        "Assembly": {"AssemblyQueue", "DistillingQueue", "PlanQueue", "NotifyQueue"},
        "Part": set(),
        "Tuning": {"DistillingQueue", "NotifyQueue", "TuningQueue"},
        "TuningWatch": {"AssemblyQueue", "DistillingQueue", "NotifyQueue", "TuningQueue"},
        "Verdict": {"DistillingQueue", "NotifyQueue"},
        "Notify": {"DistillingQueue", "NotifyQueue"},
        "Rollout": {"NotifyQueue", "PlanQueue"},
        "Dashboard": set(),
    }


# What a call in a service's own modules needs, as far as its text tells.
NEEDS = {
    "blobs.put(": "s3:PutObject",
    "blobs.put_new(": "s3:PutObject",
    "links.to_copy(": "s3:PutObject",
    "blobs.get(": "s3:GetObject",
    "blobs.lines(": "s3:GetObject",
    "index.read(": "s3:GetObject",
    "blobs.delete(": "s3:DeleteObject",
    "blobs.keys(": "s3:ListBucket",
    "blobs.find(": "s3:ListBucket",  # without it S3 says 403 where an object is missing
    "table.put(": "dynamodb:PutItem",
    ".create()": "dynamodb:PutItem",
    "lease.held(": "dynamodb:UpdateItem",
    ".change(": "dynamodb:UpdateItem",
    "table.delete(": "dynamodb:DeleteItem",
    ".remove()": "dynamodb:DeleteItem",
    "frames.finish(": "dynamodb:DeleteItem",
    "index.completions(": "s3:GetObject",
    "table.write_all(": "dynamodb:BatchWriteItem",
    "lineage.link": "dynamodb:BatchWriteItem",
    "aws.sns().publish(": "sns:Publish",
    "enable_rule(": "events:EnableRule",
    "disable_rule(": "events:DisableRule",
    "providers()": "secretsmanager:GetSecretValue",
    "trainer_named(": "secretsmanager:GetSecretValue",
    "hand_over(": "s3:PutObject",
    "stored import captured": "s3:GetObject",
    "recent.keep": "dynamodb:PutItem",
}


@pytest.mark.parametrize("module", MODULES)
def test_a_service_may_do_what_its_code_calls(module: str) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in within(module.partition(".")[0]))
    needed = {action for call, action in NEEDS.items() if call in text}
    assert needed <= set().union(*(actions(function) for function in of_service(module)))


@pytest.mark.parametrize("module", MODULES)
def test_who_asks_models_may_read_the_secrets_of_all_providers(module: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in within(module.partition(".")[0])]
    asks = any("providers()" in text or "require_model(" in text for text in texts)
    for function in of_service(module):
        secrets = [
            statement["Resource"]
            for statement in statements(function)
            if "secretsmanager:GetSecretValue" in listed(statement["Action"])
        ]
        wanted = [{"Ref": "ProviderSecretArn"}, {"Ref": "ProvidersSecretArn"}, KEYS_OF_PROVIDERS]
        assert all(secret in secrets for secret in wanted) is asks, function["Handler"]
        runtimes = {"bedrock:InvokeModel", "sagemaker:InvokeEndpoint", "sagemaker:CallWithBearerToken"}
        assert (runtimes <= actions(function)) is asks, function["Handler"]


@pytest.mark.parametrize("name", ["PlanFunction", "GradeFunction"])
def test_who_grades_reads_the_rows_that_a_learning_curve_has_written(name: str) -> None:
    curve = LearningCurve.model_construct(id="curve_1", dataset_id="dataset_1")
    assert may(FUNCTIONS[name], "s3:GetObject", curve.key("validation.jsonl"))


def test_who_reads_captured_completions_is_told_where_an_object_is_gone() -> None:
    """S3 says 403 for a missing object to whoever may not list it; without one of its objects a list goes on."""
    for name, function in FUNCTIONS.items():
        listing = [one["Condition"] for one in statements(function) if "s3:ListBucket" in listed(one["Action"])]
        prefixes = [prefix for condition in listing for prefix in listed(condition["StringLike"]["s3:prefix"])]
        assert ("completions/*" in prefixes) is may(function, "s3:GetObject", "completions/x"), name


def test_keys_of_providers_lie_under_the_stack_s_own_prefix_and_one_function_writes_them() -> None:
    assert VARIABLES["STACK_NAME"] == {"Ref": "AWS::StackName"}
    writing = {"secretsmanager:CreateSecret", "secretsmanager:PutSecretValue", "secretsmanager:DeleteSecret"}
    for name, function in FUNCTIONS.items():
        resources_written = [one["Resource"] for one in statements(function) if writing & set(listed(one["Action"]))]
        assert resources_written == ([KEYS_OF_PROVIDERS] if name == "ApiFunction" else [])
    assert writing <= actions(FUNCTIONS["ApiFunction"])


def test_models_of_aws_are_asked_where_the_stack_s_owner_names_them() -> None:
    for function in FUNCTIONS.values():
        for statement in statements(function):
            if statement["Action"] == "bedrock:InvokeModel":
                assert statement["Resource"] == {"Ref": "BedrockModelArns"}
            if statement["Action"] == "sagemaker:InvokeEndpoint":
                assert statement["Resource"] == {"Ref": "SageMakerEndpointArns"}
    assert all(
        template()["Parameters"][name]["Default"] == "" for name in ("BedrockModelArns", "SageMakerEndpointArns")
    )


def test_a_failed_capture_raises_an_alarm() -> None:
    alarm = resources("CloudWatch::Alarm")["CaptureFailedAlarm"]
    assert alarm["Namespace"] == VARIABLES["STACK_NAME"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": VARIABLES["POWERTOOLS_SERVICE_NAME"]}]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("CaptureFailed", "Sum", 0)
    assert alarm["AlarmActions"] == [{"Ref": "Topic"}]


def test_the_pages_tell_what_the_stack_costs_when_nothing_happens() -> None:
    pages = ROOT / "docs" / "how-to"
    table = (pages / "operate.md").read_text(encoding="utf-8").partition("## What it costs when nothing happens")[2]
    rows = re.findall(r"^\| .+ \| \$([\d.]+)(?: to \$([\d.]+))? \|$", table, re.MULTILINE)
    least, most = (sum(map(float, column)) for column in zip(*((low, high or low) for low, high in rows), strict=True))
    assert f"About ${least:.1f}0 a month where the account's free tiers are left, ${most:.1f}0 where" in table
    assert f"About ${least:.1f}0 to ${most:.1f}0 a month" in (pages / "deploy.md").read_text(encoding="utf-8")
    assert f"{len(resources('CloudWatch::Alarm'))} alarms at $0.10" in table


def test_who_makes_a_set_may_delete_all_that_lies_there_of_it() -> None:
    """S3 says no for each object that it may not delete, and the message of a set that is made would fail for ever."""
    deletable = [
        resource["Sub"]
        for statement in statements(FUNCTIONS["AssemblyFunction"])
        if "s3:DeleteObject" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]
    assert deletable == ["${Bucket.Arn}/datasets/*"]


def test_few_functions_delete_rows_and_one_deletes_what_users_may_delete() -> None:
    stored = {name: {action for action in actions(of) if "sqs:" not in action} for name, of in FUNCTIONS.items()}
    deleting = {name: allowed for name, allowed in stored.items() if any("Delete" in action for action in allowed)}
    assert set(deleting) == {
        "ApiFunction",
        "AssemblyFunction",
        "DashboardFunction",
        "DistillingFunction",
        "GatewayFunction",
        "RecordFunction",
        "RolloutFunction",
        "SweepFunction",
        "TuningFunction",
        "TuningWatchFunction",
    }
    assert {name for name, done in deleting.items() if "s3:DeleteObject" in done} == {
        "ApiFunction",
        "AssemblyFunction",
        "RecordFunction",
        "SweepFunction",
        "TuningFunction",
        "TuningWatchFunction",
    }
    for name in ("TuningFunction", "TuningWatchFunction"):
        copies = [
            rule["Resource"] for rule in statements(FUNCTIONS[name]) if "s3:DeleteObject" in listed(rule["Action"])
        ]
        assert copies == [{"Sub": "${Bucket.Arn}/tuning/*"}]
    doomed = [rule["Resource"] for rule in statements(FUNCTIONS["ApiFunction"]) if rule["Action"] == "s3:DeleteObject"]
    assert doomed == [[{"Sub": f"${{Bucket.Arn}}/{folder}/*"} for folder in ("files", "runs", "datasets")]]


# ------------------------------------------------------------------ stores


def test_the_bucket_is_private_encrypted_and_speaks_tls_only() -> None:
    [(name, bucket)] = resources("S3::Bucket").items()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}
    [policy] = resources("S3::BucketPolicy").values()
    assert policy["Bucket"] == {"Ref": name}
    [denied] = [statement for statement in policy["PolicyDocument"]["Statement"] if statement["Effect"] == "Deny"]
    assert (denied["Principal"], denied["Action"]) == ("*", "s3:*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert denied["Resource"] == [{"GetAtt": "Bucket.Arn"}, {"Sub": "${Bucket.Arn}/*"}]
    assert not [statement for statement in policy["PolicyDocument"]["Statement"] if statement["Effect"] == "Allow"]


def test_what_lands_in_the_bucket_is_told_to_whom_it_concerns() -> None:
    [bucket] = resources("S3::Bucket").values()
    watched = {}
    for configuration in bucket["NotificationConfiguration"]["QueueConfigurations"]:
        assert configuration["Event"] == "s3:ObjectCreated:*"
        rules = {rule["Name"]: rule["Value"] for rule in configuration["Filter"]["S3Key"]["Rules"]}
        watched[configuration["Queue"]["GetAtt"]] = (rules["prefix"], rules["suffix"])
    assert watched == {
        "TuningQueue.Arn": ("datasets/", "/card.json"),
        "DistillingQueue.Arn": ("runs/", "/summary.json"),
    }


def test_bucket_and_queues_do_not_wait_for_each_other() -> None:
    bucket = template()["Resources"]["Bucket"]
    assert "BucketName" not in bucket["Properties"]
    of_rules = {"NotifyQueuePolicy", "RolloutQueuePolicy"}
    policies = {name: policy for name, policy in resources("SQS::QueuePolicy").items() if name not in of_rules}
    assert set(bucket["DependsOn"]) == set(policies)
    for policy in policies.values():
        [queue] = policy["Queues"]
        [statement] = policy["PolicyDocument"]["Statement"]
        assert (statement["Principal"], statement["Action"]) == ({"Service": "s3.amazonaws.com"}, "sqs:SendMessage")
        assert statement["Resource"] == {"GetAtt": f"{queue['Ref']}.Arn"}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert "Bucket" not in str(statement["Condition"])


def test_a_raised_alarm_of_this_stack_is_told_to_notifying_and_nobody_else_may_send_there() -> None:
    rule = resources("Events::Rule")["AlarmRule"]
    detail = {"alarmName": [{"prefix": {"Sub": "${AWS::StackName}-"}}], "state": {"value": ["ALARM"]}}
    assert rule["EventPattern"]["detail"] == detail
    assert [target["Arn"] for target in rule["Targets"]] == [{"GetAtt": "NotifyQueue.Arn"}]
    policy = resources("SQS::QueuePolicy")["NotifyQueuePolicy"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"GetAtt": "AlarmRule.Arn"}}}


def test_data_outlives_the_stack_and_the_table_is_the_one_that_code_expects() -> None:
    for name in ("Table", "Bucket"):
        resource = template()["Resources"][name]
        # A first deploy that fails leaves none behind.
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    [table] = resources("DynamoDB::Table").values()
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    assert keys == {"HASH": "pk", "RANGE": "sk"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"]["SSEEnabled"]


# ------------------------------------------------------------------ clock and routes


def test_the_clock_is_off_until_a_job_starts_and_wakes_the_watcher() -> None:
    rule = resources("Events::Rule")["WatchRule"]
    assert (rule["State"], rule["ScheduleExpression"]) == ("DISABLED", "rate(1 minute)")
    assert rule["Name"] == VARIABLES["WATCH_RULE"]
    assert [target["Arn"] for target in rule["Targets"]] == [{"GetAtt": "TuningWatchFunction.Arn"}]
    for name, wanted in {
        "TuningFunction": {"events:EnableRule", "events:DisableRule"},
        "TuningWatchFunction": {"events:EnableRule", "events:DisableRule"},
    }.items():
        assert {action for action in actions(FUNCTIONS[name]) if action.startswith("events:")} == wanted


def test_what_rollouts_look_at_is_off_until_one_starts_and_goes_to_their_queue() -> None:
    rules = {name: resources("Events::Rule")[name] for name in ("CapturedRule", "RolloutsRule")}
    assert {rule["State"] for rule in rules.values()} == {"DISABLED"}
    assert [rule["Name"]["Sub"] for rule in rules.values()] == [f"${{AWS::StackName}}-{name}" for name in clock.RULES]
    for rule in rules.values():
        [target] = rule["Targets"]
        assert target["Arn"] == {"GetAtt": "RolloutQueue.Arn"}
    assert type(parse(rules["RolloutsRule"]["Targets"][0]["Input"])) is LookAtRollouts
    pattern = rules["CapturedRule"]["EventPattern"]
    assert pattern["detail"] == {
        "bucket": {"name": [{"Ref": "Bucket"}]},
        "object": {"key": [{"prefix": "completions/"}]},
    }
    assert frames.key_of("2026/11/29/1").startswith("completions/")
    [bucket] = resources("S3::Bucket").values()
    assert bucket["NotificationConfiguration"]["EventBridgeConfiguration"] == {"EventBridgeEnabled": True}
    named = [
        {"Sub": f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/${{AWS::StackName}}-{name}"}
        for name in clock.RULES
    ]
    [switching] = [one for one in statements(FUNCTIONS["RolloutFunction"]) if "events:EnableRule" in one["Action"]]
    assert switching["Action"] == ["events:EnableRule", "events:DisableRule"]
    assert switching["Resource"] == named


def test_the_sweep_runs_every_hour() -> None:
    rule = resources("Events::Rule")["SweepRule"]
    assert (rule.get("State", "ENABLED"), rule["ScheduleExpression"]) == ("ENABLED", "rate(1 hour)")
    assert [target["Arn"] for target in rule["Targets"]] == [{"GetAtt": "SweepFunction.Arn"}]


def test_every_route_ends_at_a_function_that_the_api_may_call() -> None:
    integrations = {
        name: integration["IntegrationUri"]["GetAtt"]
        for name, integration in resources("ApiGatewayV2::Integration").items()
    }
    routes = {}
    for route in resources("ApiGatewayV2::Route").values():
        target = route["Target"]["Sub"].removeprefix("integrations/${").removesuffix("}")
        routes[route["RouteKey"]] = integrations[target].removesuffix(".Arn")
    assert routes == {
        "ANY /": "DashboardFunction",
        "ANY /{proxy+}": "DashboardFunction",
        "ANY /v1/{proxy+}": "ApiFunction",
        "POST /v1/captures": "CaptureFunction",
        "GET /v1/captures/{batch_id}": "CaptureFunction",
        "POST /v1/chat/completions": "GatewayFunction",
        "POST /v1/models": "ApiFunction",
        "POST /v1/models/{proxy+}": "ApiFunction",
        "DELETE /v1/models/{proxy+}": "ApiFunction",
        "ANY /v1/models": "GatewayFunction",
        "ANY /v1/models/{proxy+}": "GatewayFunction",
        "ANY /v1/embeddings": "GatewayFunction",
        "ANY /v1/moderations": "GatewayFunction",
        "ANY /v1/completions": "GatewayFunction",
        "ANY /v1/images/{proxy+}": "GatewayFunction",
        "ANY /v1/audio/{proxy+}": "GatewayFunction",
        "ANY /v1/responses": "GatewayFunction",
        "ANY /v1/responses/{proxy+}": "GatewayFunction",
    }
    callable_by_api = {
        permission["FunctionName"]["Ref"]
        for permission in resources("Lambda::Permission").values()
        if permission["Principal"] == "apigateway.amazonaws.com"
    }
    assert callable_by_api == set(routes.values())
