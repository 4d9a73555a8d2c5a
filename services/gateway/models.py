"""Models: those of every provider, and whether a name is one of them."""

from __future__ import annotations

from typing import Any

from aliases.alias import Alias, every_alias
from foundation import loop
from foundation.consumer import logger
from foundation.routes import Routes
from providers import registry, shutdown_dates
from providers.model_version import ModelVersion
from providers.not_answering import nothing_listed
from providers.required_model import require_model
from providers.routing import DEFAULT

router = Routes("Models")
_OWNER = "alias"
_REFUSED = {
    502: "Nothing can be listed, and a provider refuses to list its models; the message names it.",
    503: "Nothing can be listed, since a provider is away (`provider_away`; the message names it), or the service is "
    "busy.",
}
_AMBIGUOUS = {404: "No provider has this model, or several have it: `provider/model` says whose is meant."}


@router.get("/v1/models", scope="read", also="infer", lists="openai.types.Model", errors=_REFUSED)
def list_models() -> dict[str, Any]:
    """List the models of every provider.

    Each has the `shutdown_date` that is known of it. One that was trained here also says its `base`, `trainer`,
    `job_id`, `keep` and `retired_at`. An alias is a model, too; its `alias` has the models that answer for it.
    Where providers are away, or refuse to list their models, `missing_providers` has their names beside `data`.
    """
    models, missing = loop.run(registry.providers().listing())
    for name, refusal in missing.items():
        logger().warning("models not listed", extra={"provider": name, "error": str(refusal)})
    listed = {model["id"]: model for model in models}
    trained = {version.id: version for version in ModelVersion.every()}
    for model in listed.values():
        model.setdefault("shutdown_date", shutdown_dates.listed_date(str(model.get("owned_by")), model["id"]))
    listed |= {name: _trained(version) for name, version in trained.items() if not version.retired_at or name in listed}
    listed |= {alias.id: _alias(alias) for alias in every_alias()}
    if missing and not listed:
        raise nothing_listed(missing)
    return {"object": "list", "data": list(listed.values()), **({"missing_providers": [*missing]} if missing else {})}


@router.get("/v1/models/<model:path>", scope="read", also="infer", answer="openai.types.Model", errors=_AMBIGUOUS)
def retrieve_model(model: str) -> dict[str, Any]:
    """Retrieve a model. Its name may hold slashes and colons; one that was trained here says how it came to be."""
    alias = Alias.find(model)
    if alias:
        return _alias(alias)
    version = ModelVersion.find(model)
    if version:
        return _trained(version)
    return {"shutdown_date": shutdown_dates.shutdown_date(model), **require_model(model, param="model")}


def _alias(alias: Alias) -> dict[str, Any]:
    """An alias, as OpenAI shows a model, with its version and the models that answer for it."""
    answering = {"version": alias.version, "models": alias.routing.models}
    return {"id": alias.id, "object": "model", "created": alias.created_at, "owned_by": _OWNER, "alias": answering}


def _trained(version: ModelVersion) -> dict[str, Any]:
    """A model that was trained here, as OpenAI shows a model, with what is known of it beside."""
    shown = version.model_dump(include={"id", "object", "base", "trainer", "job_id", "keep", "retired_at"})
    ends = shutdown_dates.shutdown_date(version.id)
    return {**shown, "shutdown_date": ends, "created": version.created_at, "owned_by": version.provider or DEFAULT}
