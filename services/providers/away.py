"""What goes wrong between a provider and us, as ProviderAway: no answer in time, no connection, no HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from providers.unanswered import Unanswered

_BAD_GATEWAY = 502
_GATEWAY_TIMEOUT = 504


@contextmanager
def as_away() -> Iterator[None]:
    """Raise ProviderAway for what aiohttp raises within the block."""
    try:
        yield
    except (TimeoutError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
        raise Unanswered(_GATEWAY_TIMEOUT, f"did not answer: {type(error).__name__}") from error
    except (aiohttp.ClientError, ValueError) as error:
        # An address or a key that no request can have, or an answer that is no HTTP.
        final = isinstance(error, ValueError)
        raise Unanswered(_BAD_GATEWAY, f"could not be asked: {type(error).__name__}", final=final) from error
