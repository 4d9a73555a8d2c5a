"""The state machine that makes the parts of a very large dataset, many at once, with the functions of this service.

In: the parts that are left. Out: an execution of the state machine `<stack>-assembly`, whose last step puts the message
of the dataset back into the queue: what the execution did not come to is then made one part after the other.
"""

from __future__ import annotations

from typing import Any

import orjson
from botocore.exceptions import ClientError

from assembly.making import Making
from assembly.parts import work_of
from completions.selection import Part
from foundation import aws, blobs
from foundation.events import AssembleDataset
from foundation.ids import derived_id
from foundation.settings import settings

LEAST_PARTS = 20
"""From how many parts on, of 5,000 completions each, many are made at once."""
_LEFT_ALONE = {"ExecutionAlreadyExists", "StateMachineDoesNotExist"}


def hand_over(making: Making, left: list[Part], context: Any, *, signed: bool) -> bool:
    """Have the state machine make the parts that are left. False where it has ended already, or there is none.

    While it is at work, another call with the same parts changes nothing.
    """
    if len(left) < LEAST_PARTS:
        return False
    listed = f"{work_of(making.dataset_id)}parts.json"
    blobs.put(listed, orjson.dumps([part._asdict() for part in left]), content_type="application/json")
    about = {"dataset_id": making.dataset_id, "distillation_id": making.distillation_id}
    correlated = making.distillation_id or making.dataset_id
    # Everything in it follows from the dataset: with another input AWS would take it for another execution.
    event_id = derived_id("evt_", making.dataset_id, str(len(left)))
    message = AssembleDataset(**about, at=making.at, event_id=event_id, correlation_id=correlated)
    results = f"{work_of(making.dataset_id)}results"
    asked = {**about, "parts": listed, "results": results, "signed": signed, "message": message.to_json()}
    try:
        aws.stepfunctions().start_execution(
            stateMachineArn=_arn(context), name=making.dataset_id, input=orjson.dumps(asked).decode()
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _LEFT_ALONE:
            return False
        raise
    return True


def _arn(context: Any) -> str:
    """The state machine's, in the account and the region of this function."""
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    return f"arn:{partition}:states:{region}:{account}:stateMachine:{settings().STACK_NAME}-assembly"
