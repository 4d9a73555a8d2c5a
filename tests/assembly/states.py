"""Runs the state machine of the template in process: each state as the definition has it, functions and queue for real.

It knows what the definition uses: maps over a list in S3, calls of the function, a choice by a boolean, a message.
"""

from __future__ import annotations

from typing import Any

import orjson
from botocore.exceptions import ClientError

import assembly.handler
from foundation import blobs
from foundation.errors import StillhouseError
from tests.cloud import aws_client
from tests.flow.system import FakeContext, System
from tests.permissions import permitted
from tests.template.loading import resources

MAKE_PART = permitted(assembly.handler.part_entry)
MACHINE = resources("StepFunctions::StateMachine")["AssemblyMachine"]
DEFINITION: dict[str, Any] = MACHINE["Definition"]


class States:
    """Stands in for the client of Step Functions. `pieces` are the calls of the function."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.started: list[str] = []
        self.pieces: list[dict[str, Any]] = []
        self.fails: set[int] = set()

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803 - AWS's names
        assert stateMachineArn == "arn:aws:states:us-east-1:123456789012:stateMachine:stillhouse-assembly"
        if name in self.started:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution")
        self.started.append(name)
        self._run(orjson.loads(input))

    def _run(self, given: dict[str, Any]) -> None:
        name: str | None = DEFINITION["StartAt"]
        while name:
            state = DEFINITION["States"][name]
            try:
                name = self._through(state, given)
            except (RuntimeError, StillhouseError):
                [caught] = state["Catch"]
                name = caught["Next"]

    def _through(self, state: dict[str, Any], given: dict[str, Any]) -> str | None:
        """Run a state. Returns the next one; its own result goes nowhere."""
        match state["Type"]:
            case "Choice":
                [choice] = state["Choices"]
                met = _at(choice["Variable"], given, None) is choice["BooleanEquals"]
                return str(choice["Next"] if met else state["Default"])
            case "Map":
                for item in orjson.loads(blobs.get(_filled(state["ItemReader"]["Parameters"], given)["Key"])):
                    [inner] = state["ItemProcessor"]["States"].values()
                    self._call(inner, _filled(state["ItemSelector"], given, item))
            case "Task":
                self._call(state, given)
        assert state["ResultPath"] is None if "ResultPath" in state else state["End"]
        return state.get("Next")

    def _call(self, task: dict[str, Any], given: dict[str, Any]) -> None:
        asked = _filled(task["Parameters"], given)
        service = MACHINE["DefinitionSubstitutions"][task["Resource"].strip("${}")]["Sub"]
        if service == "arn:${AWS::Partition}:states:::sqs:sendMessage":
            aws_client("sqs").send_message(QueueUrl=self._system.queues["ASSEMBLY"], MessageBody=asked["MessageBody"])
            return
        assert service == "arn:${AWS::Partition}:states:::lambda:invoke"
        self.pieces.append(asked["Payload"])
        if len(self.pieces) in self.fails:
            raise RuntimeError("the function failed, every time")
        MAKE_PART(orjson.loads(orjson.dumps(asked["Payload"])), FakeContext())


def _filled(template: Any, given: Any, item: Any = None) -> Any:
    """The parameters with what their paths point at."""
    if not isinstance(template, dict):
        return template
    return {
        name.removesuffix(".$"): _at(value, given, item) if name.endswith(".$") else _filled(value, given, item)
        for name, value in template.items()
    }


def _at(path: str, given: Any, item: Any) -> Any:
    if path == "$$.Map.Item.Value":
        return item
    for step in path.split(".")[1:]:
        given = given[step]
    return given
