"""What signs the webhooks of each provider: a secret in Secrets Manager, and a row of the table that names it.

Any provider may have one: the template's default one, those of its secret, and those that people have added. Only who
receives webhooks reads them. A secret that was rotated is seen within a minute.
"""

from __future__ import annotations

from functools import cache

from foundation import table
from providers import own_secrets
from providers.key import SecretKey

_PK = "WEBHOOK_SECRET"


def secrets_of(provider: str) -> list[str]:
    """The secrets of a provider: two while one follows the other, none where it may send no webhooks.

    Raises KeyUnusable if what holds them cannot be read.
    """
    row = table.get(_PK, provider)
    return _held(row["secret_id"]).text().split() if row else []


def providers_with_one() -> set[str]:
    """The names of the providers that have a secret."""
    return {row["sk"] for row in table.query(_PK)}


def put(provider: str, secret: str, attempt: str) -> None:
    """Give a provider a secret, in place of the one that it has; `attempt` names a new one in Secrets Manager."""
    row = table.get(_PK, provider) or {}
    about = f"What signs the webhooks of the provider {provider}."
    secret_id = own_secrets.put(secret, row.get("secret_id", ""), f"{provider}-{attempt}-webhooks", about)
    table.put({"pk": _PK, "sk": provider, "secret_id": secret_id})


def discard(provider: str) -> None:
    """Take a provider's secret away, if it has one."""
    row = table.get(_PK, provider)
    if row:
        own_secrets.discard(row["secret_id"])
        table.delete(_PK, provider)


def forget() -> None:
    """Read every secret anew at the next webhook."""
    _held.cache_clear()


@cache
def _held(secret_id: str) -> SecretKey:
    return SecretKey(secret_id)
