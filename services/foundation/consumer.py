"""The edge of every queue consumer: messages in, `batchItemFailures` out.

A message that cannot be parsed is a failed record, as is one whose work raises: its neighbours are done, it alone is
delivered again and in the end lands in the dead-letter queue. The edge logs once, ids and error, never a body.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from foundation import events
from foundation.errors import RetryLater
from foundation.events import Delivery

type Handle = Callable[[Delivery], None]


@cache
def logger() -> Logger:
    return Logger(service="stillhouse")


def consume(event: dict[str, Any], context: Any, handle: Handle) -> dict[str, Any]:
    """Give each message of an SQS event to `handle`; answer with those that failed."""

    def one(record: SQSRecord) -> None:
        about = {"message_id": record.message_id, "receives": record.attributes.approximate_receive_count}
        try:
            delivery = events.parse(record.body)
        except ValueError as error:
            logger().error("message refused", extra={**about, "error": type(error).__name__})
            raise
        if isinstance(delivery, events.TestEvent):
            return
        about |= {
            "type": type(delivery).__name__,
            "correlation_id": getattr(delivery, "correlation_id", ""),
        }
        try:
            handle(delivery)
        except RetryLater as later:
            logger().warning("message delivered again later", extra={**about, "error": str(later)})
            raise
        except Exception:
            logger().exception("message failed", extra=about)
            raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response(event, one, processor, context))
