"""Models: those of every provider, and whether a name is one of them."""

from __future__ import annotations

from typing import Any

from foundation import loop
from foundation.errors import ApiError, ModelNotFound, RetryLater
from foundation.routes import Routes
from providers import ModelAmbiguous, ProviderAway, ProviderRefused, registry

router = Routes("Models")
_AMBIGUOUS = {404: "No provider has this model, or several have it: `provider/model` says whose is meant."}


@router.get("/v1/models", scope="read", lists="openai.types.Model")
def list_models() -> dict[str, Any]:
    """List the models of every provider."""
    try:
        return {"object": "list", "data": loop.run(registry.providers().list_models())}
    except ProviderAway as away:
        raise RetryLater(str(away)) from away


@router.get("/v1/models/<model:path>", scope="read", answer="openai.types.Model", errors=_AMBIGUOUS)
def retrieve_model(model: str) -> dict[str, Any]:
    """Retrieve a model. Its name may hold slashes and colons."""
    return require_model(model, param="model")


def require_model(name: str, *, param: str) -> dict[str, Any]:
    """The model of this name. Raises a refusal naming `param` where no provider, or more than one, has it."""
    try:
        found = loop.run(registry.providers().find_model(name))
    except ModelAmbiguous as several:
        raise ApiError(several.message, code="model_not_found", param=param, status=several.status) from several
    except ProviderAway as away:
        raise RetryLater(str(away)) from away
    except ProviderRefused as refusal:
        raise ModelNotFound(name, param=param) from refusal
    if found is None:
        raise ModelNotFound(name, param=param)
    return found
