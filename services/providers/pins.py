"""Where a run's models are asked, decided once: a name that moves must not replay what another model was paid for.

In: the names that a run asks. Out: a pin for each, which lies in the run: the provider, the model's name there, and the
identity by which paid answers are found. `Pinned` asks by pins; a name without one is resolved anew at each call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from foundation.document import Document
from providers.provider import Answer, Passed, ProviderRefused
from providers.routing import Providers


class Pin(Document):
    """Where one name is asked."""

    provider: str
    """The provider's name."""
    model: str
    """The model's name there."""
    identity: str
    """What tells it from every other model: the provider, a hash of its address, and the name there."""


def pins_of(names: Iterable[str], providers: Providers) -> dict[str, Pin]:
    """A pin for each name that has one provider. Others are refused row by row, where the refusal is told."""
    pins: dict[str, Pin] = {}
    for name in names:
        try:
            route = providers.resolve(name)
        except ProviderRefused:
            continue
        identity = f"{route.name}@{providers.place_of(route.name)}/{route.model}"
        pins[name] = Pin(provider=route.name, model=route.model, identity=identity)
    return pins


class Pinned:
    """The providers as a run asks them."""

    def __init__(self, providers: Providers, pins: Mapping[str, Pin]) -> None:
        self._providers = providers
        self._pins = pins

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        pin = self._pins.get(request["model"])
        if pin is None:
            return await self._providers.complete(request, deadline_s=deadline_s, retry_s=retry_s)
        provider = self._providers.at(pin.provider)
        return await provider.complete({**request, "model": pin.model}, deadline_s=deadline_s, retry_s=retry_s)

    async def embed(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        pin = self._pins.get(request["model"])
        if pin is None:
            return await self._providers.embed(request, deadline_s=deadline_s, retry_s=retry_s)
        provider = self._providers.at(pin.provider)
        return await provider.embed({**request, "model": pin.model}, deadline_s=deadline_s, retry_s=retry_s)

    async def respond(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        return await self._providers.respond(request, deadline_s=deadline_s, retry_s=retry_s)

    async def pass_on(self, path: str, body: bytes, content_type: str, *, deadline_s: float) -> Passed:
        return await self._providers.pass_on(path, body, content_type, deadline_s=deadline_s)

    async def find_model(self, name: str) -> dict[str, Any] | None:
        return await self._providers.find_model(name)

    async def list_models(self) -> list[dict[str, Any]]:
        return await self._providers.list_models()
