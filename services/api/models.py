"""Models: those of the provider, and whether a name is one of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from foundation import models
from foundation.errors import ModelNotFound, RetryLater
from foundation.models import ProviderAway, ProviderRefused

router = APIGatewayHttpRouter()
_PATH = "/v1/models/"


@router.get("/v1/models")
def list_models() -> dict[str, Any]:
    return {"object": "list", "data": models.run(models.default_provider().list_models())}


@router.get("/v1/models/.+")
def retrieve_model() -> dict[str, Any]:
    name = unquote(router.current_event.path.partition(_PATH)[2])
    return require_model(name, param="model")


def require_model(name: str, *, param: str) -> dict[str, Any]:
    """The provider's model of this name. Raises ModelNotFound naming `param`."""
    try:
        found = models.run(models.default_provider().find_model(name))
    except ProviderAway as away:
        raise RetryLater(str(away)) from away
    except ProviderRefused as refusal:
        raise ModelNotFound(name, param=param) from refusal
    if found is None:
        raise ModelNotFound(name, param=param)
    return found
