"""What an alias may be called, and which models it may point at: said by the name of the field, before it holds.

In: what somebody asks for, and the alias as it is. Out: nothing, or an ApiError. A model that the alias points at
already is not looked up at its provider again: whoever shifts weights while a provider is away must be able to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from aliases.alias import Alias, Routing, aliases_of, every_alias
from foundation.errors import ApiError, Conflict
from providers import ProviderRefused, registry
from providers.model_version import ModelVersion
from providers.required_model import find_model, require_model


def refuse_routing(name: str, routing: Routing, current: Alias | None) -> None:
    """Raises ApiError naming the field: of the name where it is a model's, of a target that cannot answer."""
    if current is None:
        _refuse_name_of_a_model(name)
    _refuse_shares(routing)
    aliases = {alias.id for alias in every_alias()} | {name}
    served = set(current.routing.models) if current else set()
    for param, model in _named(routing):
        if model in aliases:
            raise ApiError(
                f"Invalid '{param}': '{model}' is an alias, and an alias points at models. Name the model.",
                code="invalid_value",
                param=param,
            )
        _refuse_retired(model, param)
        if model not in served:
            require_model(model, param=param)


def refuse_retired(routing: Routing) -> None:
    """Raises ApiError where a model of an earlier version answers no more."""
    for _, model in _named(routing):
        _refuse_retired(model, "to")


def refuse_names_of_aliases(models: Collection[str], *, param: str) -> None:
    """Raises Conflict where a model would be called as an alias is: the alias would hide it."""
    taken = {alias.id for alias in every_alias()} if models else set()
    model = next((model for model in models if model in taken), None)
    if model:
        raise Conflict(
            f"'{model}' is an alias, which a model of this name could not be told from. Call the model otherwise, "
            f"or delete the alias: DELETE /v1/aliases/{model}",
            code="alias_exists",
            param=param,
        )


def refuse_while_served(model: str) -> None:
    """Raises Conflict where a model is to be retired that an alias points at."""
    names = aliases_of(model)
    if names:
        raise Conflict(
            f"The model '{model}' answers for the alias '{names[0]}'. Point the alias at another model first: "
            f"PUT /v1/aliases/{names[0]}, or POST /v1/aliases/{names[0]}/rollback.",
            code="model_in_use",
            param="model",
        )


def _named(routing: Routing) -> Iterator[tuple[str, str]]:
    """The fields that name a model, each with its model."""
    for number, target in enumerate(routing.targets):
        yield f"targets[{number}].model", target.model
        if target.cascade:
            yield f"targets[{number}].cascade.to", target.cascade.to
    if routing.fallback:
        yield "fallback", routing.fallback


def _refuse_shares(routing: Routing) -> None:
    """Raises ApiError where a call would have nobody to answer it, or a model two shares of the same calls."""
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for number, target in enumerate(routing.targets):
        place = target.model, tuple(sorted(target.when.items()))
        if place in seen:
            raise ApiError(
                f"Invalid 'targets[{number}].model': '{target.model}' is named before with the same 'when'. "
                "Give it one weight.",
                code="invalid_value",
                param=f"targets[{number}].model",
            )
        seen.add(place)
        if target.cascade and target.cascade.to == target.model:
            raise ApiError(
                f"Invalid 'targets[{number}].cascade.to': '{target.model}' is the target itself. Name the model that "
                "answers what it is not sure of.",
                code="invalid_value",
                param=f"targets[{number}].cascade.to",
            )
    if all(target.when for target in routing.targets):
        raise ApiError(
            "Invalid 'targets': each has a 'when', so a call that meets none would have no answer. Add one without.",
            code="invalid_value",
            param="targets",
        )
    for group in routing.groups:
        if not any(target.weight for target in group):
            number = routing.targets.index(group[0])
            raise ApiError(
                f"Invalid 'targets[{number}].weight': of the targets with this 'when', one must weigh more than 0.",
                code="invalid_value",
                param=f"targets[{number}].weight",
            )


def _refuse_retired(model: str, param: str) -> None:
    # The providers know a version up to a minute late.
    version = ModelVersion.find(model)
    if version and version.retired_at is not None:
        raise ApiError(
            f"Invalid '{param}': the model '{model}' is retired: it answers no more. Name another one.",
            code="model_retired",
            param=param,
        )


def _refuse_name_of_a_model(name: str) -> None:
    listed = any(name in known.entry.models for known in registry.read_now())
    if listed or ModelVersion.find(name) or _is_answered(name):
        raise Conflict(
            f"There is a model '{name}' already, which an alias of this name would hide. Call the alias otherwise.",
            code="model_exists",
            param="alias",
        )


def _is_answered(name: str) -> bool:
    """Whether a provider has a model of this name."""
    try:
        return find_model(name, param="alias") is not None
    except ProviderRefused:
        return False
