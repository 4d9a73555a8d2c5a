"""What callers are told where a provider is away, or refuses to say which models it has: whose fault it is, by name.

In: the provider's name, and what it said. Out: an error in OpenAI's shape with the remedy. 503 where the provider is
away, so that OpenAI's SDK asks again; 502 where it refuses to list its models.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from foundation.bounds import LONGEST_NAME, cut
from foundation.errors import ApiError
from providers.provider import ProviderAway, ProviderRefused

_RETRY_AFTER_S = 2.0


class ProviderNotAnswering(ApiError):
    """A provider that must be asked is away."""

    status = 503
    type = "server_error"

    def __init__(self, name: str, away: ProviderAway, *, param: str | None = None) -> None:
        wait = _RETRY_AFTER_S if away.retry_after is None else away.retry_after
        super().__init__(
            f"The provider '{name}' is away: {cut(away.message, LONGEST_NAME).rstrip('.')}. Ask again later; "
            f"POST /v1/providers/{name}/test says whether it answers. What its entry has in `models` is known without "
            "asking it.",
            code="provider_away",
            param=param,
            headers={"x-should-retry": "false"} if away.final else {"retry-after": str(ceil(wait))},
        )


class ListRefused(ApiError):
    """A provider refuses to say which models it has, mostly since its key is wrong."""

    status = 502

    def __init__(self, name: str, refusal: ProviderRefused) -> None:
        super().__init__(
            f"The provider '{name}' refuses to list its models: it answered {refusal.status}. "
            "Look whether its key is right and may list them.",
            code="provider_refused",
        )


def nothing_listed(missing: Mapping[str, ProviderRefused]) -> ApiError:
    """The error where there is nothing to list, since these providers gave no list: it is about the first of them."""
    name, refusal = next(iter(missing.items()))
    return ProviderNotAnswering(name, refusal) if isinstance(refusal, ProviderAway) else ListRefused(name, refusal)
