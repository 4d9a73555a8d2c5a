"""An alias whose model learnt from a dataset, and traffic of it, as the tests of the drift watch need them."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

from aliases import changing
from aliases.changing import Said
from foundation import bus
from foundation.drift_messages import LookForDrift
from foundation.ids import now
from providers.model_version import ModelVersion
from tests.aliases.build import routing
from tests.distilling import build
from tests.flow.system import System

DAY = 86_400
ALIAS = "quick"
TOPICS = {
    "refund": "refund parcel returned money credited account",
    "login": "password locked sign browser session expired",
    "invoice": "invoice billing statement vat address amount",
    "recall": "battery recall smoke swollen serial hazard",
}
_KNOWN = ("refund", "login", "invoice")


def mails(number: int, *, topics: Iterable[str] = _KNOWN, seed: int = 1, first: int = 0) -> list[dict[str, Any]]:
    """So many mails to push: about these topics, of three countries, in no order."""
    random, named = Random(seed), sorted(topics)
    made = []
    for place in range(number):
        topic = random.choice(named)
        words = random.choices(TOPICS[topic].split(), k=6)
        metadata = {"topic": topic, "country": random.choices(["at", "de", "ch"], [6, 3, 1])[0]}
        made.append(build.record(first + place, f"mail {first + place:05} {' '.join(words)}", topic, metadata=metadata))
    return made


def learnt(system: System, number: int = 120, topics: Iterable[str] = _KNOWN) -> str:
    """A dataset of mails that were captured long ago, a model that learnt from it, and an alias that it answers."""
    build.captured(system, mails(number, topics=topics))
    source = {"type": "stored_completions", "model": build.TEACHER, "created_before": build.AT + number}
    name = str(system.ok("POST", "/v1/datasets", {"source": source})["id"])
    while system.deliver("ASSEMBLY"):
        pass
    made_by = build.distillation("completed", student="lab-small")
    ModelVersion(
        id=build.MODEL, created_at=1, base=build.STUDENT, trainer="", dataset_id=name, distillation_id=made_by.id
    ).create()
    changing.put(ALIAS, routing((build.MODEL, 9), (build.TEACHER, 1)), Said("ada"))
    return name


def traffic(system: System, records: list[dict[str, Any]], *, at: int | None = None, days: float = 8.0) -> None:
    """Capture records by the alias, spread over the days before a time, the first of them first."""
    end = now() if at is None else at
    for place, record in enumerate(records):
        record["response"]["created"] = int(end - days * DAY + (place + 0.5) * days * DAY / len(records))
        record["alias"] = {"name": ALIAS, "version": 1, "target": record["response"]["model"]}
    build.captured(system, records)


def looked(system: System, *, at: int | None = None) -> dict[str, Any]:
    """What the API says after a look at this time, in seconds since the epoch."""
    message = LookForDrift(alias=ALIAS, at=1000 * (now() if at is None else at))
    bus.send(message)
    while system.deliver("ASSEMBLY"):
        pass
    found: dict[str, Any] = system.ok("GET", f"/v1/aliases/{ALIAS}/drift")
    return found


def told(system: System) -> list[dict[str, Any]]:
    """The drifts that people were told of since they were asked last."""
    system.settle()
    return [notice for notice in system.notifications() if notice["type"] == "alias.drifted"]
