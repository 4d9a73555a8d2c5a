"""What moto lacks of SQS: moving dead letters back, and the list of such moves."""

from __future__ import annotations

import time
from typing import Any

from moto.core.responses import ActionResult
from moto.sqs.responses import SQSResponse

_ARN = "SourceArn"


def install() -> None:
    """Let moto's SQS have both calls."""
    SQSResponse.start_message_move_task = _start
    SQSResponse.list_message_move_tasks = _list


def _start(response: Any) -> ActionResult:
    backend, source = response.sqs_backend, response._get_param(_ARN)
    dead = backend.get_queue(source.rpartition(":")[2])
    letters, dead._messages = list(dead._messages), []
    dead.deleted_messages.clear()
    for letter in letters:
        backend.send_message(response._get_param("DestinationArn").rpartition(":")[2], letter.body)
    task = {_ARN: source, "Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": len(letters)}
    # Tests of one process share the names of their queues: a move belongs to the queue's own life.
    dead.moved = [{**task, "StartedTimestamp": int(time.time() * 1000)}]
    return ActionResult({"TaskHandle": "move-1"})


def _list(response: Any) -> ActionResult:
    dead = response.sqs_backend.get_queue(response._get_param(_ARN).rpartition(":")[2])
    return ActionResult({"Results": getattr(dead, "moved", [])})
