"""Check that a provider has a model, before an object is created that needs the model."""

from __future__ import annotations

from typing import Any

from foundation import loop
from foundation.errors import ApiError, ModelNotFound, RetryLater
from providers import registry
from providers.provider import ProviderAway, ProviderRefused
from providers.routing import ModelAmbiguous, ModelRetired, ProviderGone


def require_model(name: str, *, param: str) -> dict[str, Any]:
    """The model of this name.

    Raises a refusal naming `param` where no provider, or more than one, has it, or where it is retired.
    """
    try:
        model = loop.run(registry.providers().find_model(name))
    except (ModelAmbiguous, ModelRetired, ProviderGone) as refusal:
        raise ApiError(refusal.message, code=refusal.code, param=param, status=refusal.status) from refusal
    except ProviderAway as away:
        raise RetryLater(str(away)) from away
    except ProviderRefused as refusal:
        raise ModelNotFound(name, param=param) from refusal
    if model is None:
        raise ModelNotFound(name, param=param)
    return model
