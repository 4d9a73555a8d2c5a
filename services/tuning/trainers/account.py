"""The account that a hosted trainer trains in: that of a provider that is configured, with its address and its key."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from distillations.trainers import kind_of, provider_of
from providers import ProviderRefused, providers
from providers.registry import key_at
from tuning.trainers.trainer import TrainerAway, TrainerRefused


class Account(NamedTuple):
    """A provider in whose account a trainer trains; without a name, where none is configured."""

    name: str = ""
    base_url: str = ""
    kind: str = "default"
    """Who trains there, by the name in the registry of trainers."""

    def key(self) -> str:
        """The key as it is now: it is asked for before each request, so that a rotated one is seen.

        Raises TrainerAway while AWS cannot be asked for it, and KeyUnusable as `key_at` does.
        """
        try:
            return key_at(self.name) or "none"
        except (ClientError, BotoCoreError) as error:
            raise TrainerAway(f"The provider's key could not be read: {error}") from error

    @property
    def origin(self) -> str:
        """The beginning of its URL, up to the path. Raises TrainerRefused where there is no provider."""
        if not self.base_url:
            raise TrainerRefused("No provider is configured for this trainer: POST /v1/providers.", "no_provider")
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"


def account_of(name: str) -> Account:
    """The account that the trainer of this name trains in."""
    known = provider_of(name)
    return Account(known.name, known.entry.base_url or "", kind_of(name)) if known else Account()


def name_there(model: str) -> str:
    """A model's name at its provider, whatever provider stands before it."""
    try:
        return providers().resolve(model).model
    except ProviderRefused:
        return model
