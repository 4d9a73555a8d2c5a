"""Where webhooks may go: to public addresses alone, so that an endpoint's URL gives no access to a private network.

In: a host. Out: its addresses, all of them public, or ForbiddenAddress. The connection itself looks names up through
`PublicResolver`, so that it goes to the very address that was checked.
"""

from __future__ import annotations

import socket

from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from foundation.errors import StillhouseError
from notifications.hosts import host_of, may_be_public


class ForbiddenAddress(StillhouseError, OSError):
    """The host is, or has, an address that is not public."""


class PublicResolver(ThreadedResolver):
    """Looks names up as usual and refuses those with an address that is not public."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = await super().resolve(host, port, family)
        if not all(may_be_public(address["host"]) for address in addresses):
            raise ForbiddenAddress(f"{host} has an address that is not public")
        return addresses


def check_host(url: str) -> None:
    """Raises ForbiddenAddress where the URL names an address that is not public, ValueError where it names no host.

    `PublicResolver` checks what a name leads to.
    """
    host = host_of(url)
    if not may_be_public(host):
        raise ForbiddenAddress(f"{host} is not public")
