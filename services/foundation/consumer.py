"""The frame around every queue consumer: an SQS event goes in, `batchItemFailures` comes out.

A message fails if it cannot be parsed or if its handler raises. The other messages of the event are still handled; SQS
delivers only the failed ones again and moves them to the dead-letter queue in the end. Each failure is logged once,
with its ids and its error. Bodies are never logged.

A message that fails on its last delivery leaves the queue for good. What it worked on must not stay open for ever:
`give_up` ends that as failed. A function that is stopped, for its time or its memory, raises nothing: the delivery
after the last one finds that it never came back, and gives up without trying. Why it failed is noted by the message's
id, which SQS keeps among the dead letters (`reason_of`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from foundation import bus, events, table
from foundation.errors import AtWork, RetryLater, StillhouseError
from foundation.events import Delivery
from foundation.ids import now
from foundation.landed import TestEvent

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

type Handle = Callable[[Delivery], None]
type GiveUp = Callable[[Delivery, str], None]
"""Ends as failed what a message worked on. In: the message, and why it failed, in words."""
type HandleTogether = Callable[[list[Delivery]], dict[str, Exception]]
"""Handles all messages of an event at once. Returns the errors of single messages by event id; raises if all failed."""

LAST_DELIVERY = 5
"""The delivery on which a message that fails is given up. SQS delivers it once more, then moves it to the dead letters:
`maxReceiveCount` in the template is higher by one."""
_LONGEST_REASON = 500
_AFTER_THE_END_S = 10
"""Longer than a lease outlives its holder."""
_REMEMBERED_S = 14 * 86_400
_STOPPED = (
    f"it was tried {LAST_DELIVERY} times, and its function was stopped, for its time or its memory, before an end"
)


@cache
def logger() -> Logger:
    """The logger. It is imported at the first line that is logged, so that other cold starts do not pay for it."""
    from aws_lambda_powertools import Logger

    return Logger(service="stillhouse")


def consume(event: dict[str, Any], handle: Handle, give_up: GiveUp | None = None) -> dict[str, Any]:
    """Give each message of an SQS event to `handle`. Returns Lambda's `batchItemFailures` with the failed messages.

    A message that fails on its last delivery is given to `give_up` too, unless another delivery is at work on the same.
    """
    failed: list[str] = []
    for record in event["Records"]:
        try:
            about, delivery = _parsed(record)
        except ValueError:
            failed.append(record["messageId"])
            continue
        if isinstance(delivery, TestEvent):
            continue
        try:
            if give_up and _was_stopped(about):
                logger().error("message never handled to its end", extra=about)
                failed.append(record["messageId"])
                give_up(delivery, _STOPPED)
                continue
            handle(delivery)
        except RetryLater as later:
            logger().warning("message delivered again later", extra={**about, "error": str(later)})
            failed.append(record["messageId"])
            _end(about, delivery, later, give_up)
        except Exception as error:  # noqa: BLE001 - one message's failure must not stop the others
            logger().exception("message failed", extra=about)
            failed.append(record["messageId"])
            _end(about, delivery, error, give_up)
        else:
            _came_to_its_end(about, give_up)
    return _failures(failed)


def come_again_soon(event: dict[str, Any], queue: str, context: Any) -> None:
    """Have the messages delivered again soon after this invocation must have ended, should it be killed.

    The queue's own time is six times what the function may take, as AWS asks for. Nobody holds a lease by then.
    """
    after_s = context.get_remaining_time_in_millis() // 1000 + _AFTER_THE_END_S
    for record in event["Records"]:
        try:
            bus.come_again(queue, record["receiptHandle"], after_s=after_s)
        except ClientError as error:
            # It then comes again at the queue's time.
            logger().warning("delivered again later", extra={"error": error.response["Error"]["Code"]})


def _was_stopped(about: dict[str, Any]) -> bool:
    """Whether the last delivery of a message began and never came back. Notes the beginning of that delivery."""
    if not _is_last(about):
        return False
    begun = table.get(*_place(about))
    if begun is None:
        _note(about, came_back=False)
    return begun is not None and not begun["came_back"]


def _is_last(about: dict[str, Any]) -> bool:
    return int(about["receives"]) >= LAST_DELIVERY


def reason_of(message_id: str) -> str | None:
    """Why a message failed on its last delivery, in words; None where nobody noted it."""
    note = table.get(*_place({"message_id": message_id}))
    return None if note is None else note.get("reason") or (None if note["came_back"] else _STOPPED)


def _note(about: dict[str, Any], *, came_back: bool, reason: str = "") -> None:
    table.put(_noted(about, came_back=came_back, reason=reason))


def _noted(about: dict[str, Any], *, came_back: bool, reason: str = "") -> table.Row:
    pk, sk = _place(about)
    return {"pk": pk, "sk": sk, "came_back": came_back, "reason": reason, "expires": now() + _REMEMBERED_S}


def _place(about: dict[str, Any]) -> tuple[str, str]:
    return f"TRIED#{about['message_id']}", "LAST"


def _came_to_its_end(about: dict[str, Any], give_up: GiveUp | None) -> None:
    """Note that a last delivery was handled, since SQS may deliver it once more. Its work is done whether or not."""
    if give_up is None or not _is_last(about):
        return
    try:
        _note(about, came_back=True)
    except Exception:  # noqa: BLE001 - what was handled has not failed
        logger().exception("the end of a message not noted", extra=about)


def _end(about: dict[str, Any], delivery: Delivery, error: Exception, give_up: GiveUp | None) -> None:
    """Give up on a message that was delivered for the last time."""
    if give_up is None or not _is_last(about):
        return
    try:
        _note(about, came_back=True, reason=_reason(error))
        if not isinstance(error, AtWork):
            give_up(delivery, _reason(error))
    except Exception:  # noqa: BLE001 - the message is lost either way, and the others are still to be handled
        logger().exception("giving up failed", extra=about)


def _reason(error: Exception) -> str:
    """Why a message failed, for people. Only our own errors are quoted: others may repeat a caller's text or a key."""
    words = f": {' '.join(str(error).split())}"[:_LONGEST_REASON] if isinstance(error, StillhouseError) else ""
    return f"it was tried {LAST_DELIVERY} times, and the last time ended in {type(error).__name__}{words}"


def consume_together(event: dict[str, Any], handle: HandleTogether) -> dict[str, Any]:
    """Give all messages of an SQS event to `handle` at once. Returns `batchItemFailures` like `consume`."""
    parsed: dict[str, tuple[dict[str, Any], Delivery]] = {}
    failed: set[str] = set()
    for record in event["Records"]:
        try:
            parsed[record["messageId"]] = _parsed(record)
        except ValueError:
            failed.add(record["messageId"])
    try:
        errors = handle([delivery for _, delivery in parsed.values()])
    except RetryLater as later:
        logger().warning("messages delivered again later", extra={"messages": len(parsed), "error": str(later)})
        failed |= parsed.keys()
        _note_all((about, later) for about, _ in parsed.values())
    except Exception as error:  # noqa: BLE001 - SQS delivers all of them again
        logger().exception("messages failed", extra={"messages": len(parsed)})
        failed |= parsed.keys()
        _note_all((about, error) for about, _ in parsed.values())
    else:
        for message_id, (about, delivery) in parsed.items():
            failure = errors.get(getattr(delivery, "event_id", ""))
            if failure:
                logger().error("message failed", extra={**about, "error": type(failure).__name__})
                failed.add(message_id)
                _note_all([(about, failure)])
    return _failures(failed)


def _note_all(ended: Iterable[tuple[dict[str, Any], Exception]]) -> None:
    """Note why messages failed, of those that were delivered for the last time."""
    try:
        table.write_all(
            _noted(about, came_back=True, reason=_reason(error)) for about, error in ended if _is_last(about)
        )
    except Exception:  # noqa: BLE001 - they failed either way, and the log has said why
        logger().exception("the reason of a failure not noted")


def _failures(message_ids: Iterable[str]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}


def _parsed(record: dict[str, Any]) -> tuple[dict[str, Any], Delivery]:
    """The fields that a log may show of a record, and its message. Logs and raises ValueError if it has none."""
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
