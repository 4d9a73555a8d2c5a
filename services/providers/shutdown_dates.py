"""When models end: the last day on which a provider serves a model, as far as anybody says.

In: a model's name. Out: a date and where it is said, or None. Three sources are asked in this order:

- what the models' providers say themselves, as `read` noted it last: `shutdown_date` in the list of models of an
  OpenAI-compatible provider, `modelLifecycle` of a foundation model of Amazon Bedrock;
- the list `shutdown_dates.json` beside this module: a date a line, with its source, for models of the providers at the
  hosts that it names. Behind a gateway of somebody else's, whose host it does not name, it says nothing;
- the model that a trained one was trained from, since a fine-tuned model ends with its base.

A provider that cannot be asked is logged, and the dates that were noted before stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from foundation import loop, table
from foundation.consumer import logger
from foundation.errors import StillhouseError
from foundation.ids import now
from foundation.refreshed import Refreshed
from providers import registry
from providers.bedrock import lifecycle
from providers.model_version import ModelVersion
from providers.provider import ProviderRefused

_NOTED = "SHUTDOWNS"
"""The partition of the dates that providers said; the sort keys are `<provider>/<its model>`."""
_LAB = "lab"
_LONGEST_KEY = 1024


class Shutdown(NamedTuple):
    """The day on which a model is served no more, as YYYY-MM-DD, and who says so."""

    date: str
    source: str

    def days_left(self, at: int) -> int:
        """The days from `at`, in seconds since the epoch, until that day; negative once it has passed."""
        return (date.fromisoformat(self.date) - datetime.fromtimestamp(at, UTC).date()).days


class _Place(NamedTuple):
    """Where a model is served: the provider's name, kind, host and region, and the model's name there."""

    provider: str
    kind: str
    host: str
    region: str | None
    model: str

    @property
    def key(self) -> str:
        return f"{self.provider}/{self.model}"


def shutdown_date(model: str) -> str | None:
    """The day on which this model is served no more, as YYYY-MM-DD; None where no end is known."""
    shutdown = shutdown_of(model)
    return shutdown.date if shutdown else None


def shutdown_of(model: str) -> Shutdown | None:
    """When and by whose word this model ends; None where no end is known. Models may name each other as their bases."""
    named: str | None = model
    seen: set[str] = set()
    while named and named not in seen:
        seen.add(named)
        place = _place_of(named)
        own = (_NOTED_DATES.get().get(place.key) or _in_list(place)) if place else None
        if own:
            return own
        named = _base_of(named)
    return None


def listed_date(provider: str, model: str) -> str | None:
    """What `provider` said of a model, by the name under which it is listed; it is not asked now."""
    noted = _NOTED_DATES.get().get(f"{provider}/{model.removeprefix(f'{provider}/')}")
    return noted.date if noted else None


def read(models: Iterable[str]) -> None:
    """Ask the providers, and note what they say: of all models in their lists, and of these where there is no list."""
    for known in registry.configured():
        if known.entry.kind == "openai":
            _read_list(known.name, known.entry.host or known.name)
    for place in {place for model in models if (place := _place_of(model)) and place.kind == "bedrock"}:
        _read_lifecycle(place)
    _NOTED_DATES.forget()


def _place_of(model: str) -> _Place | None:
    try:
        route = registry.providers().resolve(model)
    except ProviderRefused:
        return None
    entry = next((known.entry for known in registry.configured() if known.name == route.name), None)
    if entry is None:
        return _Place(route.name, route.name, "", None, lifecycle.foundation_model(route.model))
    named = lifecycle.foundation_model(route.model) if entry.kind == "bedrock" else route.model
    return _Place(route.name, entry.kind, entry.host, entry.region, named)


def _base_of(model: str) -> str | None:
    """The model that this one was trained from, by its version or by its name; None where neither says so."""
    version = ModelVersion.find(model)
    if version:
        return version.base
    if not model.startswith("ft:"):
        return None
    _, base, organization, *_ = [*model.split(":"), "", ""]
    return base if organization != _LAB else None


def _read_list(provider: str, source: str) -> None:
    try:
        listed = loop.run(registry.providers().at(provider).list_models())
    except StillhouseError as error:
        logger().warning("models not listed", extra={"provider": provider, "error": str(error)})
        return
    for model in listed:
        key = f"{provider}/{model['id']}"
        if len(key.encode(errors="replace")) > _LONGEST_KEY:
            continue
        if day := _day(model.get("shutdown_date")):
            _note(key, Shutdown(day, f"the list of models of {source}"))
        elif key in _NOTED_DATES.get():
            # The provider has taken its date back.
            table.delete(_NOTED, key)


def _read_lifecycle(place: _Place) -> None:
    try:
        day = lifecycle.end_of(place.model, place.region)
    except (ClientError, BotoCoreError) as error:
        logger().warning("lifecycle not read", extra={"model": place.model, "error": str(error)})
        return
    if day:
        _note(place.key, Shutdown(day, "Amazon Bedrock's lifecycle of the model"))


def _note(key: str, shutdown: Shutdown) -> None:
    table.put({"pk": _NOTED, "sk": key, "date": shutdown.date, "source": shutdown.source, "noted_at": now()})


def _day(said: object) -> str | None:
    """A provider's date as YYYY-MM-DD; None for what is none, since what a provider says may be anything."""
    try:
        return date.fromisoformat(said[:10]).isoformat() if isinstance(said, str) else None
    except ValueError:
        return None


def _noted() -> dict[str, Shutdown]:
    return {row["sk"]: Shutdown(row["date"], row["source"]) for row in table.query(_NOTED)}


def _in_list(place: _Place) -> Shutdown | None:
    return _list().get((place.host, place.model))


@cache
def _list() -> dict[tuple[str, str], Shutdown]:
    return {
        (line["host"], line["model"]): Shutdown(line["date"], f"{line['source']} as of {line['as_of']}")
        for line in _lines()
    }


def _lines() -> Iterator[dict[str, str]]:
    text = Path(__file__).with_name("shutdown_dates.json").read_text(encoding="utf-8")
    yield from json.loads(text)


def forget() -> None:
    """Read the noted dates anew."""
    _NOTED_DATES.forget()


_NOTED_DATES = Refreshed(_noted)
