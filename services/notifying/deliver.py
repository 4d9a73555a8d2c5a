"""Deliver one notice through every channel, to each recipient until it has taken it once.

In: a notice. Out: a row for each recipient that took it, written once, and the recipients that did not. The caller has
the message delivered again for the latter; recipients with a row are skipped then. A crash between sending and writing
the row makes the notice be sent twice, under the same id: delivery is at least once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from foundation import table
from foundation.consumer import logger
from foundation.errors import RetryLater
from foundation.ids import now
from notifying.channels import CHANNELS, Channel, Notice

_KEPT_S = 30 * 24 * 3600


class Deliveries(NamedTuple):
    """Who has a notice and who lacks it, as `<channel>#<recipient>`; a failed channel lacks it for all recipients."""

    done: list[str]
    missing: list[str]

    def require_all(self) -> None:
        """Raises RetryLater while somebody lacks it."""
        if self.missing:
            raise RetryLater(f"not delivered to {', '.join(self.missing)}")


def deliver(notice: Notice) -> Deliveries:
    """Send it to all who lack it."""
    done: list[str] = []
    missing: list[str] = []
    for name, channel in CHANNELS.items():
        try:
            sent = _through(name, channel, notice)
        except Exception:  # noqa: BLE001 - whatever a channel raises, the others are still to be told
            logger().exception("channel failed", extra={"channel": name, "notice_id": notice.id})
            missing.append(name)
        else:
            done += sent.done
            missing += sent.missing
    return Deliveries(done, missing)


def _through(name: str, channel: Channel[Any], notice: Notice) -> Deliveries:
    """Send it through one channel to the recipients that have no row yet."""
    recipients = {f"{name}#{recipient.id}": recipient for recipient in channel.recipients(notice)}
    waiting = {key: recipient for key, recipient in recipients.items() if table.get(_rows(notice), key) is None}
    taken = {recipient.id for recipient in channel.send(notice, list(waiting.values()))} if waiting else set()
    for key, recipient in waiting.items():
        if recipient.id in taken:
            at = now()
            table.put_new({"pk": _rows(notice), "sk": key, "at": at, "expires": at + _KEPT_S})
    missing = [key for key, recipient in waiting.items() if recipient.id not in taken]
    return Deliveries([key for key in recipients if key not in missing], missing)


def _rows(notice: Notice) -> str:
    return f"EVENT#{notice.id}"
