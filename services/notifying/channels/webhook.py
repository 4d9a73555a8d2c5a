"""Signed webhooks: an event in OpenAI's shape, by POST to the URL of an endpoint, which has taken it with a 2xx."""

from __future__ import annotations

from typing import Any

import orjson

from notifications.channels import Channel
from notifications.notices import Notice
from notifying.posting import post


class Webhooks:
    """Posts the event, signed as the Standard Webhooks specification says."""

    def send(self, notice: Notice, channel: Channel) -> None:
        body = orjson.dumps(_event(notice))
        post(channel.url, body, channel.headers(notice.id, body))


def _event(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "object": "event",
        "type": notice.type,
        "created_at": notice.at,
        "data": {"id": notice.object_id},
    }
