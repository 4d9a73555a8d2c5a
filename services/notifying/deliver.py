"""Deliver one notice to one channel, once it has taken it; else put it back, until it is given up.

In: a `DeliverNotice`. Out: the row of the delivery says how it stands. Channels are apart: one that fails for an hour
holds no other up. A crash between sending and writing the row sends a notice twice, under the same id: at least once.
"""

from __future__ import annotations

import math

from foundation import later
from foundation.bus import LONGEST_DELAY_S
from foundation.consumer import logger
from foundation.ids import now
from foundation.notice_messages import DeliverNotice
from notifications.channels import Channel, find_channel
from notifications.notices import Delivery, Notice, claimed
from notifying.channels import CHANNELS, NotTaken

PATIENCE_S = 24 * 3600
"""A channel that has taken nothing of a notice for so long is given up."""
_WAITS_S = (10, 60, 300, 900, 1800, 3600, 7200, 14_400)
"""How long after the first attempt, the second and so on the next one comes; the last one stands for all others.

Who is busy and asks for a longer wait, as Slack does with 429, gets it."""


def deliver(message: DeliverNotice) -> None:
    """Deliver it if that is due. Raises AtWork where another delivery of the message is at it."""
    notice = Notice.find(message.notice_id)
    if notice is None:
        return
    if message.not_before > now():
        later.put_back(message, message.not_before - now())
        return
    with claimed(message.channel_id, notice) as delivery:
        if delivery is None or delivery.status != "pending":
            return
        tried = delivery
        if delivery.attempts <= message.attempt:
            tried = _tried(delivery, notice, find_channel(message.channel_id))
        tried.save(message.channel_id)
    _follow(message, tried)


def give_up(message: DeliverNotice, reason: str) -> None:
    """End as given up what a message that failed for good was to deliver."""
    notice = Notice.find(message.notice_id)
    delivery = notice and Delivery.find(message.channel_id, notice)
    if delivery and delivery.status == "pending":
        _given_up(delivery, reason).save(message.channel_id)


def _tried(delivery: Delivery, notice: Notice, channel: Channel | None) -> Delivery:
    """The delivery after an attempt."""
    if channel is None:
        return _given_up(delivery, "The channel was deleted.")
    at, attempts = now(), delivery.attempts + 1
    begun = delivery.model_copy(update={"attempts": attempts, "first_attempt_at": delivery.first_attempt_at or at})
    failure = _failure(notice, channel)
    if failure is None:
        return begun.model_copy(update={"status": "delivered", "next_attempt_at": None, "ended_at": at})
    wait = max(_WAITS_S[min(attempts, len(_WAITS_S)) - 1], math.ceil(failure.after_s))
    if failure.for_good or at + wait - (begun.first_attempt_at or at) > PATIENCE_S:
        return _given_up(begun, str(failure))
    return begun.model_copy(update={"last_error": str(failure), "next_attempt_at": at + wait})


def _failure(notice: Notice, channel: Channel) -> NotTaken | None:
    """Why the channel did not take it; None where it did. The log names the channel, not its URL."""
    about = {"channel_id": channel.id, "event_id": notice.id}
    try:
        CHANNELS[channel.type].send(notice, channel)
    except NotTaken as failure:
        logger().warning("notice not taken", extra={**about, "error": str(failure)})
        return failure
    except Exception as error:  # noqa: BLE001 - whatever a channel raises, it is tried again
        logger().warning("channel failed", extra={**about, "error": type(error).__name__})
        return NotTaken(f"It failed: {type(error).__name__}.")
    return None


def _given_up(delivery: Delivery, reason: str) -> Delivery:
    logger().error("notice given up", extra={"event_id": delivery.id, "error": reason})
    ending = {"status": "given_up", "last_error": reason, "next_attempt_at": None, "ended_at": now()}
    return Delivery.model_validate({**delivery.model_dump(), **ending})


def _follow(message: DeliverNotice, tried: Delivery) -> None:
    """Put it back for its next attempt, where there is one."""
    if tried.next_attempt_at is None:
        return
    wait = tried.next_attempt_at - now()
    not_before = tried.next_attempt_at if wait > LONGEST_DELAY_S else 0
    later.put_back(message, max(0, wait), attempt=tried.attempts, not_before=not_before)
