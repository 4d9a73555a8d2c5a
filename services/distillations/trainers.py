"""The trainers that a distillation may name: the registry that API, jobs and `tuning` read.

To add one: a line here, and the module that it names in `tuning/trainers/`. That module is imported only where a job of
the trainer is at work, since libraries know no function and a cold start need not know every provider's SDK.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import AfterValidator, WithJsonSchema


class TrainerEntry(NamedTuple):
    """Where a trainer is implemented, and what it is, for people who choose one."""

    module: str
    description: str


TRAINERS: dict[str, TrainerEntry] = {
    "default": TrainerEntry("openai_compatible", "OpenAI's fine-tuning API, at the default provider"),
}


def _known(name: str) -> str:
    if name not in TRAINERS:
        raise ValueError(f"use one of {', '.join(TRAINERS)}")
    return name


type TrainerName = Annotated[
    str,
    AfterValidator(_known),
    WithJsonSchema(
        {
            "type": "string",
            "enum": list(TRAINERS),
            "description": "; ".join(f"`{name}`: {entry.description}" for name, entry in TRAINERS.items()),
        }
    ),
]
"""A name that the registry has, as a caller gives it."""
