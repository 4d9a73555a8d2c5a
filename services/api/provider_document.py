"""A provider as the API shows it: without its key, and with where it comes from."""

from __future__ import annotations

from typing import Literal

from foundation.document import Document
from foundation.errors import NotFound
from foundation.settings import settings
from providers import registry, webhook_secrets
from providers.kinds import KINDS
from providers.own_prices import OwnPrices
from providers.registry import Known, Origin
from providers.saved import SavedProvider
from providers.terms import Trains


class ProviderDocument(Document):
    """A provider as it is shown: without its key."""

    id: str
    """Its name."""
    object: Literal["provider"] = "provider"
    created_at: int | None
    """Seconds UTC; null for one of the template."""
    updated_at: int | None
    """When it or its key was changed last; null for one of the template."""
    origin: Origin
    """`template` for the default provider, `secret` for those of ProvidersSecretArn, `api` for those added here."""
    kind: str
    base_url: str | None
    region: str | None
    has_key: bool
    """Whether there is a key for it."""
    has_webhook_secret: bool
    """Whether there is a secret that signs the webhooks which it sends here."""
    webhook_url: str | None
    """Where it may send its webhooks; null for one of AWS, which sends none."""
    models: list[str]
    responses: bool | None
    requests_per_second: float
    concurrency: int
    prices: OwnPrices | None
    trains_others: Trains
    """Whether its terms let its answers train another model."""
    trains_others_note: str | None


def every_provider() -> list[ProviderDocument]:
    """All providers as they are now, the default one first."""
    signed = webhook_secrets.providers_with_one()
    return [_document(known, signed) for known in registry.read_now()]


def provider_named(name: str) -> ProviderDocument:
    """The provider of this name as it is now. Raises NotFound."""
    for known in registry.read_now():
        if known.name == name:
            return _document(known, webhook_secrets.providers_with_one())
    raise NotFound(SavedProvider.NAME, name, param="name")


def _document(known: Known, signed: set[str]) -> ProviderDocument:
    return ProviderDocument(
        id=known.name,
        created_at=known.created_at,
        updated_at=known.updated_at,
        origin=known.origin,
        has_key=bool(known.key or known.secret_id),
        has_webhook_secret=known.name in signed,
        webhook_url=f"{settings().API_URL}/hooks/{known.name}" if KINDS[known.entry.kind].sends_webhooks else None,
        **{name: getattr(known.entry, name) for name in _SHOWN},
    )


_SHOWN = (
    "kind",
    "base_url",
    "region",
    "models",
    "responses",
    "requests_per_second",
    "concurrency",
    "prices",
    "trains_others",
    "trains_others_note",
)
