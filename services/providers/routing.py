"""Pass each call to the provider that the model's name selects.

A name is, in this order, a model that was trained here (its version says where it is served), a model that exactly one
of the further providers lists, `provider/model`, or a model of the default provider. A name that several providers list
raises ModelAmbiguous, and that of a retired model ModelRetired.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from foundation.errors import ApiError
from providers.batch_api import BatchAPI
from providers.model_version import ModelVersion
from providers.provider import Answer, EventStream, Passed, ProviderRefused
from providers.single_provider import SingleProvider
from providers.unanswered import as_of

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


class ModelRetired(ProviderRefused):
    """The model was trained here and is retired: it answers no more."""

    def __init__(self, version: ModelVersion) -> None:
        message = (
            f"The model '{version.id}' is retired: it answers no more. Ask another one, such as its base "
            f"'{version.base}', or train it anew: POST /v1/distillations/{{id}}/repeat."
        )
        body = ApiError(message, code="model_retired", param="model").body()
        super().__init__(404, orjson.dumps(body), {})


class ProviderGone(ProviderRefused):
    """What is asked for is served by a provider that is not configured any more."""

    def __init__(self, name: str) -> None:
        message = f"The provider '{name}' is not configured. Add it again: POST /v1/providers."
        super().__init__(404, orjson.dumps(ApiError(message, code="provider_gone", param="model").body()), {})


class Named(NamedTuple):
    """A provider, the models that are listed for it, and a hash of its kind and address."""

    provider: SingleProvider
    models: frozenset[str] = frozenset()
    place: str = ""


class Route(NamedTuple):
    """The provider of a model, its name, and the model's name there."""

    provider: SingleProvider
    name: str
    model: str


class Listing(NamedTuple):
    """The models of all providers that say which they have, and by name what each of the others said instead."""

    models: list[dict[str, Any]]
    missing: dict[str, ProviderRefused]


class Providers:
    """The default provider and the further ones by name, behind the interface of a single provider.

    `version_of` gives the version of a model that was trained here, by its name. `implied` gives a provider that needs
    no configuration, by its name; a model version may name one. `note` is told the name of a version that is asked.
    """

    def __init__(
        self,
        default: Named,
        named: dict[str, Named],
        *,
        version_of: Callable[[str], ModelVersion | None] = lambda _: None,
        implied: Callable[[str], Named | None] = lambda _: None,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._note = note
        self._implied = implied
        self._default = default.provider
        self._all = {**named, DEFAULT: default}
        self._named = named
        self._version_of = version_of
        self._listing: dict[str, list[str]] = {}
        for name, further in named.items():
            for model in sorted(further.models):
                self._listing.setdefault(model, []).append(name)

    def resolve(self, model: str) -> Route:
        """Return the provider of a model and the model's name there.

        Raises ModelAmbiguous, ModelRetired, and ProviderGone.
        """
        version = self._version_of(model)
        if version:
            return self._route_of(version)
        names = self._listing.get(model, [])
        if len(names) > 1:
            raise ModelAmbiguous(model, names)
        if names:
            return Route(self._named[names[0]].provider, names[0], model)
        prefix, _, rest = model.partition("/")
        if rest and prefix in self._named:
            return Route(self._named[prefix].provider, prefix, rest)
        return Route(self._default, DEFAULT, model)

    def _asked(self, model: str) -> Route:
        """Return what `resolve` does of a model that is asked now; of one that was trained here that is noted."""
        route = self.resolve(model)
        if self._version_of(model):
            self._note(model)
        return route

    def _route_of(self, version: ModelVersion) -> Route:
        if version.retired_at is not None:
            raise ModelRetired(version)
        name = version.provider or DEFAULT
        return Route(self.at(name), name, version.name_there)

    def at(self, name: str) -> SingleProvider:
        """Return the provider of this name. Raises ProviderGone."""
        return self._known_as(name).provider

    def place_of(self, name: str) -> str:
        """Return a hash of the kind and the address of the provider of this name. Raises ProviderGone."""
        return self._known_as(name).place

    def _known_as(self, name: str) -> Named:
        known = self._all.get(name) or self._implied(name)
        if known is None:
            raise ProviderGone(name)
        return known

    def batch_api(self, model: str, *, timeout_s: float) -> BatchAPI | None:
        """Return the Batch API of the model's provider; None if it has none. Raises as `resolve` does."""
        return self.resolve(model).provider.batch_api(timeout_s=timeout_s)

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        provider, name, model = self._asked(request["model"])
        with as_of(name):
            return await provider.complete({**request, "model": model}, deadline_s=deadline_s, retry_s=retry_s)

    async def respond(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        provider, name, model = self._asked(request["model"])
        with as_of(name):
            return await provider.respond({**request, "model": model}, deadline_s=deadline_s, retry_s=retry_s)

    async def stream(
        self, request: dict[str, Any], *, deadline_s: float, ends: float, retry_s: float | None = None
    ) -> EventStream | Answer:
        provider, name, model = self._asked(request["model"])
        with as_of(name):
            return await provider.stream({**request, "model": model}, deadline_s=deadline_s, ends=ends, retry_s=retry_s)

    async def stream_response(
        self, request: dict[str, Any], *, deadline_s: float, ends: float, retry_s: float | None = None
    ) -> EventStream | Answer:
        provider, name, model = self._asked(request["model"])
        request = {**request, "model": model}
        with as_of(name):
            return await provider.stream_response(request, deadline_s=deadline_s, ends=ends, retry_s=retry_s)

    async def embed(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        provider, name, model = self.resolve(request["model"])
        with as_of(name):
            return await provider.embed({**request, "model": model}, deadline_s=deadline_s, retry_s=retry_s)

    async def pass_on(self, path: str, body: bytes, content_type: str, *, deadline_s: float) -> Passed:
        """Ask the default provider; who knows the model asks the provider that `resolve` names."""
        with as_of(DEFAULT):
            return await self._default.pass_on(path, body, content_type, deadline_s=deadline_s)

    async def find_model(self, name: str) -> dict[str, Any] | None:
        provider, owner, model = self.resolve(name)
        version = self._version_of(name)
        if version and owner != DEFAULT:
            return {**listed_model(name, owner), "created": version.created_at}
        if not version and model in self._all[owner].models:
            return listed_model(name, owner)
        listing = await provider.find_model(model)
        return {**listing, "id": name} if listing else None

    async def list_models(self) -> list[dict[str, Any]]:
        return (await self.listing()).models

    async def listing(self) -> Listing:
        """List all models by the names that select them. Providers whose models are listed here are not asked."""
        asked = {DEFAULT: self._default}
        asked |= {name: further.provider for name, further in self._named.items() if not further.models}
        said = dict(zip(asked, await asyncio.gather(*(_models_of(*one) for one in asked.items())), strict=True))
        missing = {name: models for name, models in said.items() if isinstance(models, ProviderRefused)}
        lists = [models for models in said.values() if not isinstance(models, ProviderRefused)]
        by_name = {model["id"]: model for models in lists for model in models}
        for model, names in self._listing.items():
            by_name.pop(model, None)
            for name in names:
                shown = model if len(names) == 1 else f"{name}/{model}"
                by_name[shown] = listed_model(shown, name)
        return Listing(list(by_name.values()), missing)

    def all(self) -> list[SingleProvider]:
        return [self._default, *(further.provider for further in self._named.values())]


async def _models_of(name: str, provider: SingleProvider) -> list[dict[str, Any]] | ProviderRefused:
    """The models of one provider, by the names that select them; none where it has no list, or why it gives none."""
    prefix = "" if name == DEFAULT else f"{name}/"
    try:
        return [{**model, "id": prefix + model["id"]} for model in await provider.list_models()]
    except ProviderRefused as refusal:
        return [] if refusal.status in _NO_LIST else refusal


def listed_model(model: str, owner: str) -> dict[str, Any]:
    """Return the object of a model that is listed here. `created` is 0, since the provider is not asked."""
    return {"id": model, "object": "model", "created": 0, "owned_by": owner}
