"""Whom the demo lets train: the lab as OpenAI's API, or the lab behind the fakes of AWS.

In: the name of a trainer, and the lab's model that is the student. Out: the student's name at that trainer. Before the
loop starts, the provider that serves the trained model is added, and the fakes are told which model of the lab stands
for the base. Fails with `DemoFailed` for a trainer that the demo does not know.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx2
import openai
from openai import OpenAI

from local.demo.waiting import DemoFailed

LAB = "default"
# Warm functions see a new provider within a minute.
_SEEN_AFTER_S = 61


@dataclass(frozen=True)
class AtAws:
    """A trainer of AWS: the provider that serves what it trains, by its name and kind, and the base model there."""

    provider: str
    base: str

    @property
    def student(self) -> str:
        return f"{self.provider}/{self.base}"


TRAINERS: dict[str, AtAws | None] = {LAB: None, "bedrock": AtAws("bedrock", "amazon.nova-micro-v1:0")}


def chosen(name: str) -> AtAws | None:
    """The trainer of AWS that the name stands for; None for the lab."""
    if name not in TRAINERS:
        raise DemoFailed(f"the demo knows no trainer '{name}': use one of {', '.join(TRAINERS)}")
    return TRAINERS[name]


def prepare(trainer: AtAws, client: OpenAI, fakes_url: str, lab_model: str) -> float:
    """Have the lab's model stand for the base, and a provider serve it; when every function knows it, by the clock."""
    httpx2.post(f"{fakes_url}/fakes/bases", json={trainer.base: lab_model}, trust_env=False).raise_for_status()
    body = {"name": trainer.provider, "kind": trainer.provider, "models": [trainer.base]}
    try:
        client.get(f"/providers/{trainer.provider}", cast_to=object)
    except openai.NotFoundError:
        client.post("/providers", body=body, cast_to=object)
        return time.monotonic() + _SEEN_AFTER_S
    return 0.0
