"""Providers that people have added: a row of the table each, and a secret for the key of each that has one.

In: an entry and its key. Out: the provider as it is saved. Keys lie in Secrets Manager alone, under the stack's own
prefix, which its policies name; they are never read here, returned or logged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import ValidationError

from foundation import table
from foundation.consumer import logger
from foundation.records import Record
from providers import own_secrets
from providers.entry import Entry

MOST_PROVIDERS = 50


class SavedProvider(Record):
    """A provider that people have added; `id` is its name. `attempt` is the id of the request that added it."""

    KIND: ClassVar[str] = "PROVIDER"
    NAME: ClassVar[str] = "provider"

    object: Literal["provider"] = "provider"
    entry: Entry
    secret_id: str = ""
    attempt: str = ""
    updated_at: int

    def put_key(self, key: str, attempt: str) -> str:
        """Store a key, in the provider's secret or in a new one that the attempt names, and return the secret's id."""
        return own_secrets.put(key, self.secret_id, f"{self.id}-{attempt}", f"The key of the provider {self.id}.")

    def discard_key(self) -> None:
        """Delete the secret at once: a key that nobody uses must not be kept."""
        own_secrets.discard(self.secret_id)


def saved_providers() -> Iterator[SavedProvider]:
    """All of them, by name. One that this version cannot read is logged and left out: the others still answer."""
    for row in table.query(SavedProvider.KIND):
        try:
            yield SavedProvider.from_row(row)
        except ValidationError as error:
            kinds = [finding["type"] for finding in error.errors(include_url=False, include_input=False)]
            logger().error("a saved provider cannot be read", extra={"provider": row["sk"], "wrong": kinds})
