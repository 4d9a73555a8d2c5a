"""The edge of every queue consumer: messages in, `batchItemFailures` out.

A message that cannot be parsed is a failed record, as is one whose work raises: its neighbours are done, it alone is
delivered again and in the end lands in the dead-letter queue. The edge logs once, ids and error, never a body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from foundation import events
from foundation.errors import RetryLater
from foundation.events import Delivery

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

type Handle = Callable[[Delivery], None]
type HandleTogether = Callable[[list[Delivery]], dict[str, Exception]]
"""Takes messages, gives those that failed alone, by event id; what it raises is the failure of all."""


@cache
def logger() -> Logger:
    """Made for the first line: a function that has nothing to say starts without it."""
    from aws_lambda_powertools import Logger

    return Logger(service="stillhouse")


def consume(event: dict[str, Any], handle: Handle) -> dict[str, Any]:
    """Give each message of an SQS event to `handle`; answer with those that failed."""
    failed: list[str] = []
    for record in event["Records"]:
        try:
            about, delivery = _parsed(record)
        except ValueError:
            failed.append(record["messageId"])
            continue
        if isinstance(delivery, events.TestEvent):
            continue
        try:
            handle(delivery)
        except RetryLater as later:
            logger().warning("message delivered again later", extra={**about, "error": str(later)})
            failed.append(record["messageId"])
        except Exception:  # noqa: BLE001 - whatever it was, its neighbours are still to be done
            logger().exception("message failed", extra=about)
            failed.append(record["messageId"])
    return _failures(failed)


def consume_together(event: dict[str, Any], handle: HandleTogether) -> dict[str, Any]:
    """Give all messages of an SQS event to `handle` at once; answer with those that failed."""
    taken: dict[str, tuple[dict[str, Any], Delivery]] = {}
    failed: set[str] = set()
    for record in event["Records"]:
        try:
            taken[record["messageId"]] = _parsed(record)
        except ValueError:
            failed.add(record["messageId"])
    try:
        refused = handle([delivery for _, delivery in taken.values()])
    except RetryLater as later:
        logger().warning("messages delivered again later", extra={"messages": len(taken), "error": str(later)})
        failed |= taken.keys()
    except Exception:  # noqa: BLE001 - whatever it was, all of them come again
        logger().exception("messages failed", extra={"messages": len(taken)})
        failed |= taken.keys()
    else:
        for message_id, (about, delivery) in taken.items():
            error = refused.get(getattr(delivery, "event_id", ""))
            if error:
                logger().error("message failed", extra={**about, "error": type(error).__name__})
                failed.add(message_id)
    return _failures(failed)


def _failures(message_ids: Iterable[str]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}


def _parsed(record: dict[str, Any]) -> tuple[dict[str, Any], Delivery]:
    """What a log may say about a message, and the message. Raises ValueError where it is none of ours."""
    about: dict[str, Any] = {
        "message_id": record["messageId"],
        "receives": record["attributes"]["ApproximateReceiveCount"],
    }
    try:
        delivery = events.parse(record["body"])
    except ValueError as error:
        logger().error("message refused", extra={**about, "error": type(error).__name__})
        raise
    about |= {"type": type(delivery).__name__, "correlation_id": getattr(delivery, "correlation_id", "")}
    return about, delivery
