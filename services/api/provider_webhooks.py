"""Say what signs a provider's webhooks, or that it sends none: any with OpenAI's API, the template's too.

Raises ApiError for a kind that sends none, and NotFound where there is no such provider.
"""

from __future__ import annotations

from api.provider_document import provider_named
from foundation.errors import ApiError
from providers import webhook_secrets
from providers.kinds import KINDS


def refuse_misfit(kind: str) -> None:
    """Raises ApiError where providers of a kind send no webhooks."""
    if not KINDS[kind].sends_webhooks:
        raise ApiError(
            f"Invalid 'webhook_secret': a provider of the kind '{kind}' sends no webhooks.",
            code="invalid_value",
            param="webhook_secret",
        )


def change(name: str, secret: str | None, *, attempt: str) -> None:
    """Give a provider this secret, or with None take it away."""
    refuse_misfit(provider_named(name).kind)
    if secret is None:
        webhook_secrets.discard(name)
    else:
        webhook_secrets.put(name, secret, attempt)
