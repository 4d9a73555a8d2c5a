"""What AWS does and the emulator does not: rules that a deploy to the local stack cannot break."""

from __future__ import annotations

from typing import Any

from tests.template.loading import functions, listed, resources, statements, template

FUNCTIONS = functions()
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
    assert {"PlanFunction", "GradeFunction"} <= senders
    # All others keep Lambda's guard: their chains are short, and a longer one is a mistake of ours.
    assert {name for name, one in FUNCTIONS.items() if one.get("RecursiveLoop") == "Allow"} == senders


# ------------------------------------------------------------------ parameters that AWS would refuse


def test_no_pair_of_parameters_makes_a_queue_that_lambda_refuses() -> None:
    """A mapping is refused whose queue hides a message for less time than its function may take."""
    assert not {"ConsumerTimeout", "ConsumerVisibility"} & template()["Parameters"].keys()
    choices = template()["Parameters"]["ConsumerTimes"]["AllowedValues"]
    assert set(choices) == set(template()["Mappings"]["ConsumerTimes"])
    for times in template()["Mappings"]["ConsumerTimes"].values():
        assert times["Timeout"] <= times["Visibility"] <= 43_200
        assert times["Timeout"] <= 900


def test_a_batch_of_more_than_ten_messages_has_a_window_of_a_second_at_least() -> None:
    for name, mapping in resources("Lambda::EventSourceMapping").items():
        if mapping["BatchSize"] > 10:
            parameter = template()["Parameters"][mapping["MaximumBatchingWindowInSeconds"]["Ref"]]
            assert (parameter["MinValue"], parameter["MaxValue"]) == (1, 300), name


def test_a_consumer_s_concurrency_is_what_sqs_mappings_take() -> None:
    parameter = template()["Parameters"]["ConsumerConcurrency"]
    assert (parameter["MinValue"], parameter["MaxValue"]) == (2, 1000)


# ------------------------------------------------------------------ permissions


def test_no_function_has_a_managed_policy_of_every_queue() -> None:
    """SAM gives AWSLambdaSQSQueueExecutionRole, which reads every queue of the account, for an event of its own."""
    for name, function in FUNCTIONS.items():
        assert set(function["Policies"]) == {"Version", "Statement"}, name
        assert "Events" not in function, name


def test_who_reads_a_provider_s_secret_may_use_the_key_under_which_it_lies() -> None:
    for name, function in FUNCTIONS.items():
        read = [one["Resource"] for one in statements(function) if one["Action"] == "secretsmanager:GetSecretValue"]
        used = [one["Resource"] for one in statements(function) if one["Action"] == "kms:Decrypt"]
        assert used == [{"Ref": "SecretsKeyArn"}] * ({"Ref": "ProviderSecretArn"} in read), name
