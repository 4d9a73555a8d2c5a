"""Puts the dead letters of a queue back: `make redrive QUEUE=Grade`.

In: the stack's name, and the queue as the template names it. Without a queue it says how many wait where. SQS moves the
messages itself, so they keep what they are; a message that still cannot be handled comes back after five deliveries.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import boto3

from infra.operate.stack import resources_or_exit

_SUFFIX = "DeadLetters"


def waiting(sqs: Any, known: dict[str, str]) -> dict[str, int]:
    """How many dead letters each queue has, by the template's name of the queue."""
    return {
        name.removesuffix(_SUFFIX): int(
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"][
                "ApproximateNumberOfMessages"
            ]
        )
        for name, url in sorted(known.items())
        if name.endswith(_SUFFIX)
    }


def put_back(sqs: Any, known: dict[str, str], queue: str) -> str:
    """Starts the move; says so. Raises KeyError where the stack has no such queue, or it is the clock's."""
    source = _arn(sqs, known[f"{queue}{_SUFFIX}"])
    sqs.start_message_move_task(SourceArn=source, DestinationArn=_arn(sqs, known[f"{queue}Queue"]))
    return f"{queue}: dead letters are on their way back"


def _arn(sqs: Any, url: str) -> str:
    attributes: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return attributes["QueueArn"]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stack", required=True)
    arguments.add_argument("--region")
    arguments.add_argument("queue", nargs="?")
    asked = arguments.parse_args()
    session = boto3.Session(region_name=asked.region)
    sqs, known = session.client("sqs"), resources_or_exit(session.client("cloudformation"), asked.stack)
    if not asked.queue:
        lines = [f"{count:8} {queue}" for queue, count in waiting(sqs, known).items()]
        sys.stdout.write("\n".join(["dead letters:", *lines, ""]))
        return
    try:
        sys.stdout.write(put_back(sqs, known, asked.queue) + "\n")
    except KeyError:
        names = ", ".join(name.removesuffix("Queue") for name in sorted(known) if name.endswith("Queue"))
        sys.exit(
            f"{asked.stack} has no queue {asked.queue}: {names}. What the clock called in vain it calls again itself."
        )


if __name__ == "__main__":
    main()
