"""How the fine-tuning APIs that others have made after OpenAI's differ from it: one table.

A row's fields are OpenAI's where they are left out. The key is the trainer's name in the registry of trainers.

Assumed, since no page that was read says it: Nebius shows no metadata of a job; a file of Azure's is found by its name
while it is not processed; both ignore a filter of the list that they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

from distillations.formats import Method
from providers.model_version import ModelVersion
from tuning.trainers.trainer import Deployment, Problem, Trained


class Serving(Protocol):
    """How a provider has a model answer that it has trained, where that is a step of its own."""

    def problems(self) -> list[Problem]:
        """What would keep it from that."""
        ...

    def deploy(self, trained: Trained) -> Deployment:
        """As a trainer's."""
        ...

    def retire(self, model: ModelVersion) -> None:
        """As a trainer's."""
        ...


class Dialect(NamedTuple):
    """What is different about an API."""

    found_by: Literal["metadata", "file"] = "metadata"
    """What carries the intent: the job's metadata, or the name of its training file."""
    hyperparameters_in: Literal["method", "order"] = "method"
    """Where hyperparameters stand: in the order's method, or beside it."""
    names: Mapping[str, str] = {}
    """Its names of hyperparameters, where they are not ours."""
    fixed: Mapping[str, Any] = {}
    """Hyperparameters that each order has."""
    in_order: Mapping[str, str] = {}
    """Our hyperparameters that are fields of the order there, and their names."""
    waits_for_files: bool = False
    """Whether a file must be processed before it trains."""
    serving: str = ""
    """The module that has a trained model answer; empty where it answers by itself."""
    artifact: Literal["model", "job"] = "model"
    """What is deployed: the model that the job names, or a checkpoint of the job."""


DIALECTS: dict[str, Dialect] = {
    "default": Dialect(),
    "nebius": Dialect(
        found_by="file",
        hyperparameters_in="order",
        names={"lora_rank": "lora_r", "max_length": "context_length"},
        # Nebius serves adapters by the token, and nothing else that it has trained.
        fixed={"lora": True},
        serving="nebius_models",
        artifact="job",
    ),
    "azure": Dialect(
        in_order={"training_type": "trainingType"},
        waits_for_files=True,
        serving="azure_deployments",
    ),
}


def order_of(dialect: Dialect, given: dict[str, Any], method: Method = "supervised") -> dict[str, Any]:
    """The fields of an order that say how to train and what was chosen: `auto` is OpenAI's word and goes with it."""
    inside = {name: value for name, value in given.items() if name not in dialect.in_order}
    named = {dialect.names.get(name, name): value for name, value in inside.items()}
    chosen = {**dialect.fixed, **named}
    extra = {dialect.in_order[name]: given[name] for name in dialect.in_order if name in given}
    order: dict[str, Any] = {"extra_body": extra} if extra else {}
    if dialect.hyperparameters_in == "method" and (chosen or method != "supervised"):
        order["method"] = {"type": method, method: {"hyperparameters": chosen}}
    elif chosen:
        order["hyperparameters"] = chosen
    return order
