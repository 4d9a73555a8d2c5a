"""Check that a provider has a model, before an object is created that needs the model."""

from __future__ import annotations

from typing import Any

from foundation import loop
from foundation.errors import ApiError, ModelNotFound
from providers import registry
from providers.not_answering import ProviderNotAnswering
from providers.provider import ProviderAway, ProviderRefused
from providers.routing import ModelAmbiguous, ModelRetired, ProviderGone

_UNAUTHORIZED = 401
_NOT_FOUND = 404


def require_model(name: str, *, param: str) -> dict[str, Any]:
    """The model of this name.

    Raises a refusal naming `param` where no provider, or more than one, has it, where it is retired, or where its
    provider is away.
    """
    try:
        model = find_model(name, param=param)
    except (ModelAmbiguous, ModelRetired, ProviderGone) as refusal:
        raise ApiError(refusal.message, code=refusal.code, param=param, status=refusal.status) from refusal
    except ProviderRefused as refusal:
        if refusal.status == _UNAUTHORIZED:
            raise _key_refused(name, param) from refusal
        raise ModelNotFound(name, param=param) from refusal
    if model is None:
        raise ModelNotFound(name, param=param)
    return model


def _key_refused(model: str, param: str) -> ApiError:
    name = registry.providers().resolve(model).name
    return ApiError(
        f"The provider '{name}' refuses its key, so nobody knows whether it has the model '{model}'. Give it another "
        "key.",
        code="model_not_found",
        param=param,
        status=_NOT_FOUND,
    )


def find_model(name: str, *, param: str) -> dict[str, Any] | None:
    """The model of this name, None where its provider has none. Raises ProviderNotAnswering naming who is away.

    Raises ProviderRefused as the provider does.
    """
    providers = registry.providers()
    provider = providers.resolve(name).name
    try:
        return loop.run(providers.find_model(name))
    except ProviderAway as away:
        raise ProviderNotAnswering(provider, away, param=param) from away
