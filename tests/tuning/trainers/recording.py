"""What hosted trainers with SDKs of their own are asked, and answer: recorded, and listed by its shape.

The listings in `exchanges/` have a line for each field, `METHOD path asks field: type` or `METHOD path answers status
field: type`, and nothing of what was in it. Refusals are not listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from providers.model_version import ModelVersion
from tests.tuning.conftest import example_line, pair_line, stored
from tests.tuning.trainers.far_fireworks import FarFireworks
from tests.tuning.trainers.far_http import Exchange, FarHTTP
from tests.tuning.trainers.far_side import FarSide
from tests.tuning.trainers.far_together import FarTogether
from tuning.trainers import Trained, Trainer, Training

RECORDED: dict[str, type[FarTogether | FarFireworks]] = {"together": FarTogether, "fireworks": FarFireworks}
EVERY = {"n_epochs": 2, "batch_size": 8, "learning_rate": 1e-4, "lora_rank": 16, "max_length": 4096}
"""Every hyperparameter of training an adapter."""
_ID = re.compile(r"(?<=/)(ft|file|ep|dep)[-_][^/:]+|(?<=/)ftjob-[^/:]+")
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_FIRST_REFUSAL = 400


def recorded(provider: str) -> list[Exchange]:
    """Everything that is asked and answered in the lives of jobs of each kind, from its start to what is left."""
    far = RECORDED[provider]()
    trainer = far.trainer()
    orders = list(_orders(provider, far.student.removeprefix(f"{provider}/")))
    for order in orders:
        _succeed(far, trainer, order)
    _fail(far, trainer, orders[0])
    return far.exchanges


def listed(provider: str) -> set[str]:
    return set(listing(provider).read_text(encoding="utf-8").splitlines())


def listing(provider: str) -> Path:
    return Path(__file__).parent / "exchanges" / f"{provider}.txt"


def unlisted(provider: str, far: FarSide) -> set[str]:
    """What a far side was asked and answered beyond the listing; nothing of a trainer that has none."""
    if not isinstance(far, FarHTTP) or provider not in RECORDED:
        return set()
    return shapes(far.exchanges) - listed(provider)


def shapes(exchanges: list[Exchange]) -> set[str]:
    """The lines that exchanges would have in a listing."""
    return {line for exchange in exchanges for line in _lines(exchange)}


def _orders(provider: str, model: str) -> Iterator[Training]:
    """An order of each kind that the trainer takes."""
    lines, pairs = (stored(b"\n".join(make(number) for number in range(12))) for make in (example_line, pair_line))
    common: dict[str, Any] = {"model": model, "seed": 3, "suffix": "mail", "validation": None, "train": lines}
    yield Training(intent="ftjob-every", hyperparameters=EVERY, **{**common, "validation": lines})
    yield Training(intent="ftjob-auto", hyperparameters=dict.fromkeys(EVERY, "auto"), **common)
    common_of_pairs: dict[str, Any] = {**common, "train": pairs, "method": "dpo"}
    yield Training(intent="ftjob-pairs", hyperparameters={**EVERY, "beta": 0.2}, **common_of_pairs)
    yield Training(intent="ftjob-pairs-auto", hyperparameters={"beta": "auto"}, **common_of_pairs)
    if provider == "together":
        yield Training(intent="ftjob-full", hyperparameters={"full": True}, **common)


def _named(order: Training, name: str) -> Training:
    return Training(**{**vars(order), "intent": f"ftjob-{name}"})


def _succeed(far: FarTogether | FarFireworks, trainer: Trainer, order: Training) -> None:
    """A job that trains, is deployed, answers and is retired."""
    assert trainer.find(order.intent) is None
    assert trainer.check(order) == []
    started = trainer.start(order)
    for state in ("running", "succeeded"):
        trainer.look(started.id)
        far.becomes(order.intent, state)
    assert trainer.find(order.intent)
    ended = trainer.look(started.id)
    trained = Trained(order.intent, order.model, ended.fine_tuned_model or "")
    trainer.deploy(trained)
    trainer.deploy(trained)
    far.deployed(order.intent)
    trainer.deploy(trained)
    for _ in range(2):
        trainer.forget(order.intent)
    trainer.retire(
        ModelVersion(
            id="m",
            created_at=1,
            base=order.model,
            trainer="hosted",
            job_id=order.intent,
            artifact=ended.fine_tuned_model,
        )
    )
    assert far.costs() == []


def _fail(far: FarTogether | FarFireworks, trainer: Trainer, order: Training) -> None:
    """A job that fails, and one that is cancelled."""
    failing, cancelled = (_named(order, name) for name in ("failing", "cancelled"))
    started = trainer.start(failing)
    far.becomes(failing.intent, "failed")
    assert trainer.look(started.id).status == "failed"
    started = trainer.start(cancelled)
    trainer.cancel(started.id)
    assert trainer.look(started.id).status == "cancelled"


def _lines(exchange: Exchange) -> Iterator[str]:
    if exchange.status >= _FIRST_REFUSAL:
        return
    line = f"{exchange.method} {_ID.sub('{id}', exchange.path)}"
    yield from (f"{line} asks ?{name}" for name in exchange.query)
    yield from (f"{line} asks {field}" for field in _fields(exchange.body or {}))
    yield f"{line} answers {exchange.status}"
    yield from (f"{line} answers {exchange.status} {field}" for field in _fields(exchange.answer or {}))


def _fields(value: Any, name: str = "") -> Iterator[str]:
    """The fields of a JSON value, each with its type: `data[].id: string`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _fields(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner, f"{name}[]")
    if name and not (value and isinstance(value, dict | list)):
        yield f"{name}: {_TYPES.get(type(value), 'empty')}"
