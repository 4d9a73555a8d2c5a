"""Add and change a provider: its key to Secrets Manager first, then its row.

In: what a caller gives. Out: the provider as it is shown. Raises ApiError naming the field where the kind needs another
or does not take it, and Conflict where the name is taken or stands in the template.
"""

from __future__ import annotations

from typing import Any

from aliases.checks import refuse_names_of_aliases
from api.provider_document import ProviderDocument, provider_named
from foundation.errors import ApiError, Conflict, NotFound
from providers import registry
from providers.entry import Entry
from providers.kinds import KINDS
from providers.routing import DEFAULT
from providers.saved import MOST_PROVIDERS, SavedProvider, saved_providers

_OF_KINDS = ("base_url", "region", "api_key", "responses")
_NEVER_NULL = frozenset({"models", "requests_per_second", "concurrency", "trains_others"})


def add(name: str, fields: dict[str, Any], api_key: str | None, *, attempt: str, at: int) -> ProviderDocument:
    """Add a provider. An attempt of the same request finds what an earlier one has added."""
    _refuse_misfit(fields["kind"], {**fields, "api_key": api_key})
    _refuse_taken(name)
    refuse_names_of_aliases(fields["models"], param="models")
    there = SavedProvider.find(name)
    if there is None and len(list(saved_providers())) >= MOST_PROVIDERS:
        raise Conflict(f"There are {MOST_PROVIDERS} providers, as many as there may be. Remove one first.")
    if there is None:
        made = SavedProvider(id=name, created_at=at, updated_at=at, entry=Entry(**fields), attempt=attempt)
        made.secret_id = made.put_key(api_key, attempt) if api_key else ""
        if not made.create():
            there = SavedProvider.load(name)
            if there.attempt != attempt:
                made.discard_key()
    if there and there.attempt != attempt:
        raise Conflict(
            f"There is a provider '{name}' already: change it by POST /v1/providers/{name}.",
            code="provider_exists",
            param="name",
        )
    return provider_named(name)


def change(name: str, fields: dict[str, Any], api_key: str | None, *, attempt: str, at: int) -> ProviderDocument:
    """Change a provider, or give it a new key."""
    saved = saved_one(name)
    for field in _NEVER_NULL & fields.keys():
        if fields[field] is None:
            raise ApiError(f"Invalid '{field}': it cannot be null.", code="invalid_value", param=field)
    entry = Entry(**{**saved.entry.model_dump(), **fields})
    has_key = api_key or ("set" if saved.secret_id else None)
    _refuse_misfit(entry.kind, {**entry.model_dump(), "api_key": has_key})
    refuse_names_of_aliases(set(entry.models) - set(saved.entry.models), param="models")
    secret_id = saved.put_key(api_key, attempt) if api_key else saved.secret_id
    if api_key or entry != saved.entry:
        saved.change({"entry": entry.model_dump(mode="json"), "secret_id": secret_id, "updated_at": at})
    return provider_named(name)


def saved_one(name: str) -> SavedProvider:
    """The provider that was added under this name. Raises Conflict for one of the template, and NotFound."""
    saved = SavedProvider.find(name)
    if saved is not None:
        return saved
    for known in registry.read_now():
        if known.name == name:
            where = "ProviderBaseUrl and its neighbours" if name == DEFAULT else "the secret of ProvidersSecretArn"
            raise Conflict(
                f"The provider '{name}' is one of the template: {where} describe it. Change it there.",
                code="provider_of_template",
                param="name",
            )
    raise NotFound(SavedProvider.NAME, name, param="name")


def _refuse_taken(name: str) -> None:
    if any(known.name == name and known.origin != "api" for known in registry.read_now()):
        raise Conflict(f"The template has a provider '{name}': choose another name.", code="name_taken", param="name")


def _refuse_misfit(kind: str, fields: dict[str, Any]) -> None:
    """Raises ApiError for the first field that the kind needs and lacks, or has and does not take."""
    declared = KINDS[kind]
    for field in sorted(declared.needs):
        if not fields.get(field):
            raise ApiError(
                f"Missing required parameter: '{field}'. A provider of the kind '{kind}' needs it.",
                code="missing_required_parameter",
                param=field,
            )
    for field in _OF_KINDS:
        if fields.get(field) is not None and field not in declared.takes:
            raise ApiError(
                f"Invalid '{field}': a provider of the kind '{kind}' takes none. It takes: "
                f"{', '.join(sorted(declared.takes))}.",
                code="invalid_value",
                param=field,
            )
