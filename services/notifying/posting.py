"""POST to a URL that a caller gave, if it leads to a public address.

In: the URL, a body, headers. Out: nothing once the answer is 2xx, else NotTaken. Of an answer the status is looked at,
and the wait that a busy one asks for; no redirect is followed. Neither the URL nor the body is in an error: both may
hold a secret.
"""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from foundation import loop
from foundation.settings import settings
from notifying.addresses import ForbiddenAddress, PublicResolver, check_host
from notifying.channels.channel import NotTaken
from providers.patience import wanted_pause

_TIMEOUT_S = 10
_GONE = 410


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Raises NotTaken, for good where the answer is 410."""
    try:
        status, after_s = loop.run(_answered(url, body, headers))
    except Exception as error:  # a URL can be wrong in ways that nobody has listed
        # What a name leads to is refused by the resolver, whose error the client wraps.
        if any(isinstance(cause, ForbiddenAddress) for cause in (error, getattr(error, "os_error", None))):
            raise NotTaken("Its address is not public.") from error
        raise NotTaken(f"No answer: {type(error).__name__}.") from error
    if not 200 <= status < 300:  # noqa: PLR2004 - the range of success
        raise NotTaken(f"It answered {status}.", for_good=status == _GONE, after_s=after_s)


async def _answered(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, float]:
    """The status, and the seconds that a header asks to wait."""
    resolver = None
    if not settings().WEBHOOKS_TO_PRIVATE:
        check_host(url)
        resolver = PublicResolver()
    # Hosts are looked up anew for each notice: a cached address would outlive the check.
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
        session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status, wanted_pause(answer.headers) or 0.0
