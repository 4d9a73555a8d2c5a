"""The recipe by which SageMaker fine-tunes a model of its public hub, and how it serves the model.

In: a model's name in the hub, and what a caller has chosen. Out: the base model's ARN, and texts by the recipe's names;
or problems, each with its field and the recipe's range; and what an instance needs to serve the model. Raises AWS's own
errors, which the trainer translates.

Assumed, since the names stand in AWS's buckets alone: a recipe names epochs, batch size and learning rate in one of the
ways of `_NAMES`. A recipe that has none of them refuses the field and says which names it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from distillations.formats import Method
from foundation import aws
from tuning.trainers.trainer import Problem

_HUB = "SageMakerPublicHub"
TECHNIQUES: dict[Method, str] = {"supervised": "SFT", "dpo": "DPO"}
"""SageMaker's names of the methods."""
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""What may be the name of a model in a hub."""
_NAMES = {
    "n_epochs": ("max_epochs", "num_train_epochs", "num_epochs", "epochs"),
    "batch_size": ("global_batch_size", "train_batch_size", "batch_size"),
    "learning_rate": ("learning_rate", "lr"),
    "beta": ("beta", "dpo_beta"),
}


@dataclass(frozen=True)
class Recipe:
    """A recipe of fine-tuning. `takes` has the range of each hyperparameter by the recipe's name."""

    base_arn: str
    takes: dict[str, dict[str, Any]]

    def texts(self, given: dict[str, Any]) -> dict[str, str]:
        """What was chosen, by the recipe's names."""
        named = ((self._name(field), value) for field, value in given.items())
        return {name: str(value) for name, value in named if name}

    def problems(self, given: dict[str, Any]) -> Iterator[Problem]:
        for field, value in given.items():
            name = self._name(field)
            problem = self._range_missed(name, value) if name else f"the recipe takes: {', '.join(sorted(self.takes))}"
            if problem:
                yield Problem(f"hyperparameters.{field}", problem)

    def _name(self, field: str) -> str | None:
        return next((name for name in _NAMES[field] if name in self.takes), None)

    def _range_missed(self, name: str, value: float) -> str | None:
        known = self.takes[name]
        if known.get("enum") and value not in known["enum"]:
            return f"the recipe takes one of {', '.join(str(choice) for choice in known['enum'])} for {name}"
        low, high = known.get("min"), known.get("max")
        if (low is not None and value < low) or (high is not None and value > high):
            return f"the recipe takes {low} to {high} for {name}"
        return None


@dataclass(frozen=True)
class Hosting:
    """What serves a model: the container and its variables, the instance, and the share of it that a copy takes.

    `weights` is the folder of the untrained model in a bucket of AWS; `licensed` says that it has a licence to accept.
    """

    image: str
    environment: dict[str, str]
    instance_type: str
    cpus: float
    accelerators: float | None
    weights: str
    licensed: bool


def recipe_of(model: str, method: Method, *, full: bool) -> Recipe | None:
    """The method's recipe for all weights, or for an adapter; None where the hub has no such recipe or names."""
    if not _NAME.fullmatch(model):
        return None
    content = _content(model)
    recipe = _fitting(_document(content), method, full=full)
    if recipe is None:
        return None
    arn = content["HubContentArn"].partition(f"/{model}/")[0] + f"/{model}"
    return Recipe(arn, _ranges(recipe["SmtjOverrideParamsS3Uri"]))


def hosting_of(model: str, *, full: bool) -> Hosting | None:
    """How the model of that recipe is served by default; None where the hub does not say it."""
    document = _document(_content(model))
    recipe = _fitting(document, "supervised", full=full) or {}
    choices = recipe.get("HostingConfigs") or document.get("HostingConfigs") or []
    chosen = next((each for each in choices if each.get("Profile") == "Default"), choices[0] if choices else None)
    instance = chosen and (chosen.get("InstanceType") or chosen.get("DefaultInstanceType"))
    if chosen is None or not instance or not chosen.get("EcrAddress") or not document.get("HostingArtifactUri"):
        return None
    share = chosen.get("ComputeResourceRequirements") or {}
    return Hosting(
        image=chosen["EcrAddress"],
        environment={name: str(value) for name, value in (chosen.get("Environment") or {}).items()},
        instance_type=instance,
        cpus=share.get("NumberOfCpuCoresRequired") or 1,
        accelerators=share.get("NumberOfAcceleratorDevicesRequired"),
        weights=document["HostingArtifactUri"],
        licensed=bool(document.get("HostingEulaUri")),
    )


def _content(model: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.sagemaker().describe_hub_content(
        HubName=_HUB, HubContentType="Model", HubContentName=model
    )
    return found


def _document(content: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(content["HubContentDocument"])
    return document


def _fitting(document: dict[str, Any], method: Method, *, full: bool) -> dict[str, Any] | None:
    """The first recipe of a method that trains all weights or an adapter, as is wanted, and needs no subscription."""
    recipes: list[dict[str, Any]] = document.get("RecipeCollection", [])
    return next((each for each in recipes if _fits(each, method, full=full)), None)


def _fits(recipe: dict[str, Any], method: Method, *, full: bool) -> bool:
    return (
        recipe.get("CustomizationTechnique") == TECHNIQUES[method]
        and bool(recipe.get("Peft")) != full
        and bool(recipe.get("SmtjOverrideParamsS3Uri"))
        and not recipe.get("IsSubscriptionModel")
    )


def _ranges(uri: str) -> dict[str, dict[str, Any]]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    table: dict[str, Any] = orjson.loads(aws.s3().get_object(Bucket=bucket, Key=key)["Body"].read())
    return {name: known for name, known in table.items() if isinstance(known, dict)}
