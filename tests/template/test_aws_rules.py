"""What AWS does and the emulator does not: rules that a deploy to the local stack cannot break."""

from __future__ import annotations

from typing import Any

from tests.template.loading import functions, listed, resources, statements

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
