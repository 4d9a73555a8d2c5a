"""Pass each call to the provider that the model's name selects.

A name is, in this order, a model that exactly one of the further providers lists, `provider/model`, or a model of the
default provider. A name that several providers list raises ModelAmbiguous.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import orjson

from foundation.errors import ApiError
from providers.batch_api import BatchAPI
from providers.provider import Answer, Passed, ProviderAway, ProviderRefused
from providers.single_provider import SingleProvider

_NO_LIST = frozenset({404, 405})
DEFAULT = "default"
"""The name of the provider that the template's parameters describe; no other can have it."""


class ModelAmbiguous(ProviderRefused):
    """Several providers list this model, so none of them is called."""

    def __init__(self, model: str, names: list[str]) -> None:
        message = (
            f"The model '{model}' is listed by several providers: {', '.join(names)}. "
            f"Name the one that is meant: '{names[0]}/{model}'."
        )
        body = ApiError(message, code="model_not_found", param="model").body()
        super().__init__(404, orjson.dumps(body), {})


class Named(NamedTuple):
    """A further provider, and the models that are listed for it."""

    provider: SingleProvider
    models: frozenset[str]


class Route(NamedTuple):
    """The provider of a model, its name, and the model's name there."""

    provider: SingleProvider
    name: str
    model: str


class Providers:
    """The default provider and the further ones by name, behind the interface of a single provider."""

    def __init__(self, default: SingleProvider, named: dict[str, Named]) -> None:
        self._default = default
        self._named = named
        self._listing: dict[str, list[str]] = {}
        for name, further in named.items():
            for model in sorted(further.models):
                self._listing.setdefault(model, []).append(name)

    def resolve(self, model: str) -> Route:
        """Return the provider of a model and the model's name there. Raises ModelAmbiguous."""
        names = self._listing.get(model, [])
        if len(names) > 1:
            raise ModelAmbiguous(model, names)
        if names:
            return Route(self._named[names[0]].provider, names[0], model)
        prefix, _, rest = model.partition("/")
        if rest and prefix in self._named:
            return Route(self._named[prefix].provider, prefix, rest)
        return Route(self._default, DEFAULT, model)

    def batch_api(self, model: str, *, timeout_s: float) -> BatchAPI | None:
        """Return the Batch API of the model's provider; None if it has none. Raises ModelAmbiguous."""
        return self.resolve(model).provider.batch_api(timeout_s=timeout_s)

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        provider, _, model = self.resolve(request["model"])
        return await provider.complete({**request, "model": model}, deadline_s=deadline_s, retry_s=retry_s)

    async def respond(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        provider, _, model = self.resolve(request["model"])
        return await provider.respond({**request, "model": model}, deadline_s=deadline_s, retry_s=retry_s)

    async def embed(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        provider, _, model = self.resolve(request["model"])
        return await provider.embed({**request, "model": model}, deadline_s=deadline_s, retry_s=retry_s)

    async def pass_on(self, path: str, body: bytes, content_type: str, *, deadline_s: float) -> Passed:
        """Ask the default provider; who knows the model asks the provider that `resolve` names."""
        return await self._default.pass_on(path, body, content_type, deadline_s=deadline_s)

    async def find_model(self, name: str) -> dict[str, Any] | None:
        provider, _, model = self.resolve(name)
        if name in self._listing:
            return listed_model(name, self._listing[name][0])
        listing = await provider.find_model(model)
        return {**listing, "id": name} if listing else None

    async def list_models(self) -> list[dict[str, Any]]:
        """List all models by the names that select them. Providers whose models are listed here are not asked."""
        asked = [("", self._default)]
        asked += [(f"{name}/", further.provider) for name, further in self._named.items() if not further.models]
        lists = await asyncio.gather(*(_models_of(prefix, provider) for prefix, provider in asked))
        by_name = {model["id"]: model for models in lists for model in models}
        for model, names in self._listing.items():
            by_name.pop(model, None)
            for name in names:
                shown = model if len(names) == 1 else f"{name}/{model}"
                by_name[shown] = listed_model(shown, name)
        return list(by_name.values())

    def all(self) -> list[SingleProvider]:
        return [self._default, *(further.provider for further in self._named.values())]


async def _models_of(prefix: str, provider: SingleProvider) -> list[dict[str, Any]]:
    try:
        return [{**model, "id": prefix + model["id"]} for model in await provider.list_models()]
    except ProviderAway:
        raise
    except ProviderRefused as refusal:
        if refusal.status in _NO_LIST:
            return []
        raise


def listed_model(model: str, owner: str) -> dict[str, Any]:
    """Return the object of a model that is listed here. `created` is 0, since the provider is not asked."""
    return {"id": model, "object": "model", "created": 0, "owned_by": owner}
