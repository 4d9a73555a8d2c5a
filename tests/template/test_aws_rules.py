"""What AWS does and the emulator does not: rules that a deploy to the local stack cannot break."""

from __future__ import annotations

import json
from typing import Any

from infra.operate.preflight import LONGEST_STACK
from rollouts import clock
from tests.template.loading import ROOT, SERVICES, functions, listed, resources, statements, template

FUNCTIONS = functions()
VARIABLES = template()["Globals"]["Function"]["Environment"]["Variables"]
OWN = {name: function.get("Environment", {"Variables": {}})["Variables"] for name, function in FUNCTIONS.items()}
CONSUMERS = {
    mapping["FunctionName"]["Ref"]: mapping["EventSourceArn"]["GetAtt"]
    for mapping in resources("Lambda::EventSourceMapping").values()
}


def allowed(function: dict[str, Any], action: str) -> list[str]:
    """The resources on which a function may do something."""
    return [
        resource["GetAtt"]
        for statement in statements(function)
        if action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if "GetAtt" in resource
    ]


# ------------------------------------------------------------------ chains


def test_a_function_that_sends_to_its_own_queue_may_do_so_without_end() -> None:
    """Lambda ends a chain after about 16 calls of the same function: the pauses of a run would stop in silence."""
    senders = {name for name, queue in CONSUMERS.items() if queue in allowed(FUNCTIONS[name], "sqs:SendMessage")}
    assert {"PlanFunction", "GradeFunction", "TuningFunction"} <= senders
    # All others keep Lambda's guard: their chains are short, and a longer one is a mistake of ours.
    assert {name for name, function in FUNCTIONS.items() if function.get("RecursiveLoop") == "Allow"} == senders


# ------------------------------------------------------------------ parameters that AWS would refuse


def test_no_pair_of_parameters_makes_a_queue_that_lambda_refuses() -> None:
    """A mapping is refused whose queue hides a message for less time than its function may take."""
    assert not {"ConsumerTimeout", "ConsumerVisibility"} & template()["Parameters"].keys()
    choices = template()["Parameters"]["ConsumerTimes"]["AllowedValues"]
    assert set(choices) == set(template()["Mappings"]["ConsumerTimes"])
    for times in template()["Mappings"]["ConsumerTimes"].values():
        for kind in ("", "Long"):
            assert times[f"{kind}Timeout"] <= times[f"{kind}Visibility"] <= 43_200
            assert times[f"{kind}Timeout"] <= 900


def test_a_batch_of_more_than_ten_messages_has_a_window_of_a_second_at_least() -> None:
    for name, mapping in resources("Lambda::EventSourceMapping").items():
        if mapping["BatchSize"] > 10:
            parameter = template()["Parameters"][mapping["MaximumBatchingWindowInSeconds"]["Ref"]]
            assert (parameter["MinValue"], parameter["MaxValue"]) == (1, 300), name


def test_a_consumer_s_concurrency_is_what_sqs_mappings_take() -> None:
    parameter = template()["Parameters"]["ConsumerConcurrency"]
    assert (parameter["MinValue"], parameter["MaxValue"]) == (2, 1000)


# So long may the values be that are no parameters: names that AWS makes of the stack's, which preflight bounds.
LONGEST = {
    **{name: 55 + LONGEST_STACK + 30 for name in (*VARIABLES, "ROLLOUT_QUEUE_URL") if name.endswith("QUEUE_URL")},
    "TABLE": LONGEST_STACK + 20,
    "BUCKET": 63,
    "TOPIC_ARN": 55 + LONGEST_STACK + 20,
    "FIRST_KEY_SECRET_ARN": 110,
    "SANDBOX_FUNCTION": 64,
    "TRAINING_ROLE_ARN": 100,
    "WATCH_RULE": LONGEST_STACK + len("-watch"),
    "STACK_NAME": LONGEST_STACK,
    "API_URL": 256,
    "SAGEMAKER_SERVING": len("sleeping"),
}


def longest(name: str, value: Any) -> int:
    match value:
        case str():
            return len(value)
        case {"Ref": str(parameter)} if parameter in template()["Parameters"]:
            declared = template()["Parameters"][parameter]
            choices = [len(choice) for choice in declared.get("AllowedValues", [])]
            number = 12 if declared["Type"] == "Number" else 0
            return int(declared.get("MaxLength") or max([*choices, number]))
        case {"If": [_, str(one), {"Ref": "AWS::NoValue"}]}:
            return len(one)
        case _:
            return LONGEST[name]


def test_no_parameter_makes_an_environment_that_lambda_refuses() -> None:
    """All variables of a function together have at most 4 KB, names included."""
    for function, own in OWN.items():
        lengths = {name: longest(name, value) for name, value in {**VARIABLES, **own}.items()}
        assert all(lengths.values()), lengths
        assert sum(len(name) + length for name, length in lengths.items()) <= 4096, function
    # And no longer than a rule's name, 64 letters.
    assert LONGEST["WATCH_RULE"] <= 64
    assert all(LONGEST_STACK + len(f"-{name}") <= 64 for name in clock.RULES)


# ------------------------------------------------------------------ permissions


def test_no_function_has_a_managed_policy_of_every_queue() -> None:
    """SAM gives AWSLambdaSQSQueueExecutionRole, which reads every queue of the account, for an event of its own."""
    for name, function in FUNCTIONS.items():
        assert set(function["Policies"]) == {"Version", "Statement"}, name
        assert "Events" not in function, name


def test_who_reads_a_provider_s_secret_may_use_the_key_under_which_it_lies() -> None:
    for name, function in FUNCTIONS.items():
        read = [
            statement["Resource"]
            for statement in statements(function)
            if statement["Action"] == "secretsmanager:GetSecretValue"
        ]
        used = [statement["Resource"] for statement in statements(function) if statement["Action"] == "kms:Decrypt"]
        assert used == [{"Ref": "SecretsKeyArn"}] * ({"Ref": "ProviderSecretArn"} in read), name


# ------------------------------------------------------------------ what runs for a bill, and what nobody would see


def test_every_function_logs_to_a_group_that_forgets_and_goes_with_the_stack() -> None:
    """A group that Lambda makes itself has no retention and outlives the stack."""
    assert template()["Globals"]["Function"]["LoggingConfig"] == {"LogGroup": {"Ref": "Logs"}}
    for name, function in resources("Serverless::Function").items():
        group = function.get("LoggingConfig", {}).get("LogGroup", {"Ref": "Logs"})["Ref"]
        assert resources("Logs::LogGroup")[group]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
        assert template()["Resources"][group]["DeletionPolicy"] == "Delete"


def test_a_public_url_has_a_limit_or_can_be_left_out() -> None:
    [stage] = resources("ApiGatewayV2::Stage").values()
    assert set(stage["DefaultRouteSettings"]) == {"ThrottlingRateLimit", "ThrottlingBurstLimit"}
    assert all(limit == {"Ref": "ApiRequestsPerSecond"} for limit in stage["DefaultRouteSettings"].values())
    assert not [function for function in FUNCTIONS.values() if "FunctionUrlConfig" in function]
    urls = [name for name, resource in template()["Resources"].items() if resource["Type"] == "AWS::Lambda::Url"]
    public = [name for name, permission in resources("Lambda::Permission").items() if permission["Principal"] == "*"]
    assert len(urls) == 2
    # AWS wants two permissions for a URL.
    assert len(public) == 2 * len(urls)
    assert {template()["Resources"][name]["Condition"] for name in (*urls, *public)} == {"HasFunctionUrls"}
    conditions = {template()["Outputs"][name]["Condition"] for name in ("GatewayUrl", "CaptureUrl")}
    assert conditions == {"HasFunctionUrls"}


def test_the_gateway_streams_by_its_own_url_alone_and_only_where_the_parameter_says_so() -> None:
    parameter = template()["Parameters"]["GatewayStreaming"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("false", ["true", "false"])
    streams = {"And": [{"Condition": "HasFunctionUrls"}, {"Equals": [{"Ref": "GatewayStreaming"}, "true"]}]}
    assert template()["Conditions"]["GatewayStreams"] == streams
    urls = resources("Lambda::Url")
    assert urls["GatewayFunctionUrl"]["InvokeMode"] == {"If": ["GatewayStreams", "RESPONSE_STREAM", "BUFFERED"]}
    assert "InvokeMode" not in urls["CaptureFunctionUrl"]
    started = {name: own["AWS_LAMBDA_EXEC_WRAPPER"] for name, own in OWN.items() if "AWS_LAMBDA_EXEC_WRAPPER" in own}
    [_, script, otherwise] = started.pop("GatewayFunction")["If"]
    assert (started, otherwise) == ({}, {"Ref": "AWS::NoValue"})
    # Lambda refuses a script that it may not execute; SAM packs files with their mode.
    file = SERVICES / script.removeprefix("/var/task/")
    assert file.stat().st_mode & 0o111 == 0o111
    assert file.read_text(encoding="utf-8").startswith("#!/bin/bash\n")


def test_what_a_rule_calls_in_vain_is_kept_and_tells_people() -> None:
    """A function gets dead letters of its own for it; a message to a queue goes the way of all messages there."""
    dead_letters = set()
    for rule in resources("Events::Rule").values():
        for target in rule["Targets"]:
            name = target["Arn"]["GetAtt"].removesuffix(".Arn")
            if name in FUNCTIONS:
                assert FUNCTIONS[name]["DeadLetterQueue"]["Type"] == "SQS", name
                dead_letters.add(FUNCTIONS[name]["DeadLetterQueue"]["TargetArn"]["GetAtt"])
            else:
                dead_letters.add(resources("SQS::Queue")[name]["RedrivePolicy"]["deadLetterTargetArn"]["GetAtt"])
    assert dead_letters == {"ClockDeadLetters.Arn", "NotifyDeadLetters.Arn", "RolloutDeadLetters.Arn"}
    watched_queues = watched("ApproximateNumberOfMessagesVisible")
    assert watched_queues >= {name.replace(".Arn", ".QueueName") for name in dead_letters}


def test_a_rule_may_send_to_its_queue_and_no_other_rule_may() -> None:
    """Without the queue's own leave EventBridge drops what it has, and tells nobody."""
    allowed_rules = {
        (statement["Resource"]["GetAtt"], statement["Condition"]["ArnEquals"]["aws:SourceArn"]["GetAtt"])
        for policy in resources("SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "events.amazonaws.com"}
    }
    assert allowed_rules == {
        (target["Arn"]["GetAtt"], f"{name}.Arn")
        for name, rule in resources("Events::Rule").items()
        for target in rule["Targets"]
        if target["Arn"]["GetAtt"].removesuffix(".Arn") not in FUNCTIONS
    }


def watched(metric: str) -> set[str]:
    """Of what an alarm watches this metric and tells people."""
    return {
        str(next(iter(alarm["Dimensions"][0]["Value"].values())))
        for alarm in resources("CloudWatch::Alarm").values()
        if alarm["MetricName"] == metric and alarm["AlarmActions"] == [{"Ref": "Topic"}]
    }


def test_what_hurts_people_raises_an_alarm() -> None:
    assert watched("5xx") == {"Api"}
    # A call by a function's own URL passes no API.
    assert watched("Url5xxCount") == {f"{name}Function" for name in ("Capture", "Gateway")}
    assert watched("Throttles") == {"CaptureFunction", "GatewayFunction", "ApiFunction", "SandboxFunction"}
    assert watched("Errors") == {"SandboxFunction"}
    assert watched("ApproximateAgeOfOldestMessage") == {
        f"{queue.removesuffix('.Arn')}.QueueName" for queue in CONSUMERS.values()
    }


def test_the_documented_cost_of_idleness_counts_the_alarms_that_there_are() -> None:
    page = (ROOT / "docs" / "how-to" / "operate.md").read_text(encoding="utf-8")
    assert f"| {len(resources('CloudWatch::Alarm'))} alarms at" in page


def test_the_dashboard_is_json_and_shows_this_stack() -> None:
    [dashboard] = resources("CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"]["Sub"])["widgets"]
    assert all("${Api}" in str(widget) or "${AWS::StackName}" in str(widget) for widget in widgets)
    # Twenty-four columns, no two widgets in one place.
    places = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(set(places)) == len(places)
    assert all(widget["x"] + widget["width"] <= 24 for widget in widgets)
