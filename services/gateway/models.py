"""Models: those of every provider, and whether a name is one of them."""

from __future__ import annotations

from typing import Any

from foundation import loop
from foundation.errors import RetryLater
from foundation.routes import Routes
from providers import ProviderAway, registry
from providers.required_model import require_model

router = Routes("Models")
_AMBIGUOUS = {404: "No provider has this model, or several have it: `provider/model` says whose is meant."}


@router.get("/v1/models", scope="read", also="infer", lists="openai.types.Model")
def list_models() -> dict[str, Any]:
    """List the models of every provider."""
    try:
        return {"object": "list", "data": loop.run(registry.providers().list_models())}
    except ProviderAway as away:
        raise RetryLater(str(away)) from away


@router.get("/v1/models/<model:path>", scope="read", also="infer", answer="openai.types.Model", errors=_AMBIGUOUS)
def retrieve_model(model: str) -> dict[str, Any]:
    """Retrieve a model. Its name may hold slashes and colons."""
    return require_model(model, param="model")
