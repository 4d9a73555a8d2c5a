import pytest

from local.stack.clock import Clock


class Events:
    """EventBridge with one rule on one target."""

    def __init__(self, state):
        self.state = state

    def list_rule_names_by_target(self, *, TargetArn):  # noqa: N803, boto3's names
        return {"RuleNames": ["watch"] if TargetArn == "arn:watcher" else []}

    def describe_rule(self, *, Name):  # noqa: N803
        return {"Name": Name, "State": self.state}


class Functions:
    """Lambda that counts its invocations."""

    def __init__(self):
        self.invoked = []

    def get_function_configuration(self, *, FunctionName):  # noqa: N803
        return {"FunctionArn": f"arn:{FunctionName}"}

    def invoke(self, *, FunctionName, Payload):  # noqa: N803
        self.invoked.append((FunctionName, Payload))


@pytest.mark.parametrize(("state", "ticks"), [("ENABLED", 1), ("DISABLED", 0)])
def test_the_rule_is_the_switch(state, ticks):
    functions = Functions()
    Clock(Events(state), functions, "watcher").tick()
    assert len(functions.invoked) == ticks


def test_a_function_without_a_rule_is_left_alone():
    functions = Functions()
    Clock(Events("ENABLED"), functions, "other").tick()
    assert functions.invoked == []
