"""The kinds of providers: the registry that the API and the choice of a provider read.

To add one: a line here, and the module that it names, with `make_provider(entry, key=…, pace=…)`. That module is
imported where a provider of the kind is asked for the first time: a cold start need not know every cloud's client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import AfterValidator, WithJsonSchema

if TYPE_CHECKING:
    from providers.entry import Entry
    from providers.key import Key
    from providers.pace import Pace
    from providers.provider import SingleProvider


class Kind(NamedTuple):
    """Where a kind is implemented, what it is, for people who choose one, and which fields it needs and takes."""

    module: str
    description: str
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()


KINDS: dict[str, Kind] = {
    "openai": Kind(
        "openai_compatible",
        "any server with OpenAI's API, asked with a key",
        needs=frozenset({"base_url"}),
        takes=frozenset({"base_url", "api_key", "responses"}),
    ),
}


def make_provider(entry: Entry, *, key: Key, pace: Pace | None) -> SingleProvider:
    """The provider that an entry describes."""
    module = import_module(f"providers.{KINDS[entry.kind].module}")
    provider: SingleProvider = module.make_provider(entry, key=key, pace=pace)
    return provider


def _known(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"use one of {', '.join(KINDS)}")
    return name


type KindName = Annotated[
    str,
    AfterValidator(_known),
    WithJsonSchema(
        {
            "type": "string",
            "enum": list(KINDS),
            "description": "; ".join(f"`{name}`: {kind.description}" for name, kind in KINDS.items()),
        }
    ),
]
"""A kind that the registry has."""
