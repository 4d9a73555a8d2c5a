"""Signed webhooks: an event in OpenAI's shape, by POST to every endpoint that asks for its type.

An endpoint has taken a notice once it has answered 2xx. Only the status of an answer is looked at, and no redirect is
followed. A failure of one endpoint, of any kind, does not affect the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp
import orjson

from foundation import loop
from foundation.consumer import logger
from foundation.settings import settings
from notifications.endpoints import MOST_ENDPOINTS, Endpoint
from notifying.addresses import PublicResolver, check_host
from notifying.channels.channel import Notice

_TIMEOUT_S = 10


class Webhooks:
    """Sends to the endpoints that callers have made, all at once."""

    def recipients(self, notice: Notice) -> list[Endpoint]:
        endpoints = Endpoint.page(limit=MOST_ENDPOINTS).data
        return [endpoint for endpoint in endpoints if notice.type in endpoint.event_types]

    def send(self, notice: Notice, recipients: Sequence[Endpoint]) -> list[Endpoint]:
        taken = loop.run(_post_all(recipients, notice.id, orjson.dumps(_event(notice))))
        return [endpoint for endpoint, took in zip(recipients, taken, strict=True) if took]


def _event(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "object": "event",
        "type": notice.type,
        "created_at": notice.at,
        "data": {"id": notice.object_id},
    }


async def _post_all(endpoints: Sequence[Endpoint], notice_id: str, body: bytes) -> list[bool]:
    """Which of them took it, in their order."""
    resolver = None if settings().WEBHOOKS_TO_PRIVATE else PublicResolver()
    # Hosts are looked up anew for each notice: a cached address would outlive the check.
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        return await asyncio.gather(*(_took(session, endpoint, notice_id, body) for endpoint in endpoints))


async def _took(session: aiohttp.ClientSession, endpoint: Endpoint, notice_id: str, body: bytes) -> bool:
    """Whether it was taken. The log names the endpoint, not its URL, which may hold a secret of its owner."""
    about = {"endpoint_id": endpoint.id, "event_id": notice_id}
    try:
        status = await _post(session, endpoint, notice_id, body)
    except Exception as error:  # noqa: BLE001 - a URL can be wrong in ways that nobody has listed
        logger().warning("webhook not delivered", extra={**about, "error": type(error).__name__})
        return False
    if not 200 <= status < 300:  # noqa: PLR2004 - the range of success
        logger().warning("webhook refused", extra={**about, "status": status})
        return False
    return True


async def _post(session: aiohttp.ClientSession, endpoint: Endpoint, notice_id: str, body: bytes) -> int:
    """The status of the answer."""
    if not settings().WEBHOOKS_TO_PRIVATE:
        check_host(endpoint.url)
    headers = endpoint.headers(notice_id, body)
    async with session.post(endpoint.url, data=body, headers=headers, allow_redirects=False) as answer:
        return answer.status
