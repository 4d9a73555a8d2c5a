"""Deliver one event to every endpoint that asks for its type, each until it has answered 2xx once.

In: `DeliverEvent`. Out: a signed POST to each endpoint that has not had it, and a row that says so. Where one fails,
the message comes again and finds the rest; in the end it lies among the dead letters. At least once, therefore: the
event's id is in the header `webhook-id`. Only the status of an answer is looked at, and no redirect is followed.
"""

from __future__ import annotations

import asyncio

import aiohttp
import orjson

from foundation import loop, table
from foundation.consumer import logger
from foundation.errors import RetryLater
from foundation.events import DeliverEvent
from foundation.ids import now
from foundation.settings import settings
from notifications.endpoints import MOST_ENDPOINTS, Endpoint, event_id
from notifying.addresses import ForbiddenAddress, PublicResolver, check_host

_TIMEOUT_S = 10
_KEPT_S = 30 * 24 * 3600


def deliver(message: DeliverEvent) -> None:
    """Raises RetryLater while an endpoint has not taken it."""
    name = event_id(message.event_type, message.object_id)
    wanting = [one for one in Endpoint.page(limit=MOST_ENDPOINTS).data if message.event_type in one.event_types]
    waiting = [one for one in wanting if table.get(_deliveries(name), one.id) is None]
    if not waiting:
        return
    document = {
        "id": name,
        "object": "event",
        "type": message.event_type,
        "created_at": message.at // 1000,
        "data": {"id": message.object_id},
    }
    failed = loop.run(_post_all(waiting, name, orjson.dumps(document)))
    if failed:
        raise RetryLater(f"{name} is not delivered to {', '.join(failed)}")


def _deliveries(name: str) -> str:
    return f"EVENT#{name}"


async def _post_all(endpoints: list[Endpoint], name: str, body: bytes) -> list[str]:
    """The ids of those that did not take it."""
    resolver = None if settings().WEBHOOKS_TO_PRIVATE else PublicResolver()
    # Every event looks its hosts up again: a cached address would outlive the check.
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        taken = await asyncio.gather(*(_post(session, one, name, body) for one in endpoints))
    for one in (one for one, done in zip(endpoints, taken, strict=True) if done):
        table.put({"pk": _deliveries(name), "sk": one.id, "at": now(), "expires": now() + _KEPT_S})
    return [one.id for one, done in zip(endpoints, taken, strict=True) if not done]


async def _post(session: aiohttp.ClientSession, endpoint: Endpoint, name: str, body: bytes) -> bool:
    """Whether it was taken. The log names the endpoint, not its URL, which may hold a secret of its owner."""
    about = {"endpoint_id": endpoint.id, "event_id": name}
    try:
        if not settings().WEBHOOKS_TO_PRIVATE:
            check_host(endpoint.url)
        headers = endpoint.headers(name, body)
        async with session.post(endpoint.url, data=body, headers=headers, allow_redirects=False) as answer:
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, ForbiddenAddress) as error:
        logger().warning("webhook not delivered", extra={**about, "error": type(error).__name__})
        return False
    if not 200 <= status < 300:  # noqa: PLR2004 - the range of success
        logger().warning("webhook refused", extra={**about, "status": status})
        return False
    return True
