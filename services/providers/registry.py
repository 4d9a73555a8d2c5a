"""Choose the provider that serves a model's name.

`providers()` passes each call to the provider that the model's name selects. A name is, in this order, a model that
exactly one of the further providers lists, `provider/model`, or a model of the default provider. A name that several
providers list raises ModelAmbiguous; a secret that cannot be read as providers raises ProvidersMisconfigured, without
its content.

`paced_providers()` is for background work: it keeps each provider's limits, which all workers share. `providers()` has
no limits.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Annotated, Any, NamedTuple

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from foundation import aws
from foundation.errors import ApiError, StillhouseError
from foundation.settings import settings
from providers.batch_api import BatchAPI
from providers.openai_compatible import OpenAICompatible
from providers.pace import Limits, Pace
from providers.provider import Answer, Passed, Provider, ProviderAway, ProviderRefused

_NO_LIST = frozenset({404, 405})
# The pattern of names in the secret forbids parentheses, so no provider there can have this name.
_DEFAULT = "(default)"
# Any other value of PROVIDER_RESPONSES leaves it to the provider's first answer.
_WITH_RESPONSES = {"true": True, "false": False}


class ProvidersMisconfigured(StillhouseError):
    """The secret of the template's ProvidersSecretArn does not hold providers."""


class ModelAmbiguous(ProviderRefused):
    """Several providers list this model, so none of them is called."""

    def __init__(self, model: str, names: list[str]) -> None:
        message = (
            f"The model '{model}' is listed by several providers: {', '.join(names)}. "
            f"Name the one that is meant: '{names[0]}/{model}'."
        )
        body = ApiError(message, code="model_not_found", param="model").body()
        super().__init__(404, orjson.dumps(body), {})


class _Entry(Limits):
    """One provider in the secret."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    base_url: str = Field(pattern=r"^https?://\S+$")
    api_key: str = ""
    models: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    responses: bool | None = None


_ENTRIES = TypeAdapter(dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")], _Entry])


class Named(NamedTuple):
    """A further provider, and the models that the secret lists for it."""

    provider: Provider
    models: frozenset[str]


class Route(NamedTuple):
    """The provider of a model, and the model's name there."""

    provider: Provider
    model: str


class Providers:
    """The default provider and the further ones by name, behind the interface of a single provider."""

    def __init__(self, default: Provider, named: dict[str, Named]) -> None:
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
            return Route(self._named[names[0]].provider, model)
        prefix, _, rest = model.partition("/")
        if rest and prefix in self._named:
            return Route(self._named[prefix].provider, rest)
        return Route(self._default, model)

    def batch_api(self, model: str, *, timeout_s: float) -> BatchAPI | None:
        """Return the Batch API of the model's provider; None if it has none. Raises ModelAmbiguous."""
        provider = self.resolve(model).provider
        return provider.batch_api(timeout_s=timeout_s) if isinstance(provider, OpenAICompatible) else None

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        provider, model = self.resolve(request["model"])
        return await provider.complete({**request, "model": model}, deadline_s=deadline_s, retry_s=retry_s)

    async def respond(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        provider, model = self.resolve(request["model"])
        return await provider.respond({**request, "model": model}, deadline_s=deadline_s, retry_s=retry_s)

    async def embed(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        provider, model = self.resolve(request["model"])
        return await provider.embed({**request, "model": model}, deadline_s=deadline_s, retry_s=retry_s)

    async def pass_on(self, path: str, body: bytes, content_type: str, *, deadline_s: float) -> Passed:
        """Ask the default provider; who knows the model asks the provider that `resolve` names."""
        return await self._default.pass_on(path, body, content_type, deadline_s=deadline_s)

    async def find_model(self, name: str) -> dict[str, Any] | None:
        provider, model = self.resolve(name)
        if name in self._listing:
            return _listed(name, self._listing[name][0])
        listing = await provider.find_model(model)
        return {**listing, "id": name} if listing else None

    async def list_models(self) -> list[dict[str, Any]]:
        """List all models by the names that select them. Providers with models in the secret are not asked."""
        asked = [("", self._default)]
        asked += [(f"{name}/", further.provider) for name, further in self._named.items() if not further.models]
        lists = await asyncio.gather(*(_models_of(prefix, provider) for prefix, provider in asked))
        by_name = {model["id"]: model for models in lists for model in models}
        for model, names in self._listing.items():
            by_name.pop(model, None)
            for name in names:
                shown = model if len(names) == 1 else f"{name}/{model}"
                by_name[shown] = _listed(shown, name)
        return list(by_name.values())

    def all(self) -> list[Provider]:
        return [self._default, *(further.provider for further in self._named.values())]


async def _models_of(prefix: str, provider: Provider) -> list[dict[str, Any]]:
    try:
        return [{**model, "id": prefix + model["id"]} for model in await provider.list_models()]
    except ProviderAway:
        raise
    except ProviderRefused as refusal:
        if refusal.status in _NO_LIST:
            return []
        raise


def _listed(model: str, owner: str) -> dict[str, Any]:
    """Return the object of a model that the secret lists. `created` is 0, since the provider is not asked."""
    return {"id": model, "object": "model", "created": 0, "owned_by": owner}


@cache
def providers() -> Providers:
    """Return the providers of ProviderBaseUrl, ProviderSecretArn and ProvidersSecretArn, read once per process."""
    return _of_settings(paced=False)


@cache
def paced_providers() -> Providers:
    """Return the same providers, held to the limits of the template's parameters and of the secret."""
    return _of_settings(paced=True)


def _of_settings(*, paced: bool) -> Providers:
    own = Limits(
        requests_per_second=settings().PROVIDER_REQUESTS_PER_SECOND,
        concurrency=int(settings().PROVIDER_CONCURRENCY),
    )
    default = OpenAICompatible(
        base_url=settings().PROVIDER_BASE_URL,
        api_key=provider_key(),
        pace=Pace(_DEFAULT, own) if paced else None,
        responses=_WITH_RESPONSES.get(settings().PROVIDER_RESPONSES),
    )
    further_arn = settings().PROVIDERS_SECRET_ARN
    entries = _entries(aws.secret(further_arn)) if further_arn else {}
    return Providers(default, {name: _named(name, entry, paced=paced) for name, entry in entries.items()})


def provider_key() -> str:
    """Return the default provider's key, empty without a secret. Raises ProvidersMisconfigured if it is JSON."""
    secret_arn = settings().PROVIDER_SECRET_ARN
    key = aws.secret(secret_arn).strip() if secret_arn else ""
    if key.startswith(("{", "[", '"')):
        raise ProvidersMisconfigured(
            "The secret of ProviderSecretArn holds JSON, as the console stores key/value pairs. Store the key alone: "
            f"aws secretsmanager put-secret-value --secret-id {secret_arn} --secret-string <key>"
        )
    return key


def _named(name: str, entry: _Entry, *, paced: bool) -> Named:
    pace = Pace(name, entry) if paced else None
    provider = OpenAICompatible(base_url=entry.base_url, api_key=entry.api_key, pace=pace, responses=entry.responses)
    return Named(provider, frozenset(entry.models))


def _entries(secret: str) -> dict[str, _Entry]:
    try:
        return _ENTRIES.validate_json(secret)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"] if step != "[key]") or "the whole"
        # Without its cause, which would show what the secret holds.
        raise ProvidersMisconfigured(
            f"The secret of ProvidersSecretArn is wrong at {where}: {first['msg']}. It holds JSON: "
            '{"<name>": {"base_url": "https://…", "api_key": "…", "models": ["…"], "requests_per_second": 10, '
            '"concurrency": 50, "responses": true}}.'
        ) from None
