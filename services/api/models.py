"""Trained models: name one that a person has trained, keep one, retire one. `gateway` shows them with all others."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from aliases.checks import refuse_names_of_aliases, refuse_while_served
from api import provider_changes
from distillations import by_hand, lineage
from distillations.job import Job
from distillations.lineage import Node
from distillations.lost import take_back_notice
from foundation import bus
from foundation.bounds import Name
from foundation.document import Body, Deleted
from foundation.errors import ApiError, Conflict
from foundation.events import RetireModel
from foundation.ids import derived_id, now
from foundation.routes import Routes
from providers import registry
from providers.entry import MOST_MODELS, NewUrl
from providers.model_version import ModelVersion
from providers.required_model import require_model
from providers.routing import DEFAULT
from providers.saved import SavedProvider
from rollouts.in_use import refuse_model_in_rollout

router = Routes("Models")
_TRAINER = "file"
_LONGEST_KEY = 8192


class NewModel(Body):
    """A model that was trained elsewhere."""

    id: Name = Field(min_length=1)
    """The name by which it is asked for, and by which its server knows it."""
    base: Name = Field(min_length=1)
    """The model that was trained."""
    url: NewUrl | None = None
    """Where it answers, a server with OpenAI's API, up to the version; absent where a provider has it already."""
    api_key: Annotated[str, Field(min_length=1, max_length=_LONGEST_KEY, pattern=r"^[!-~]+$")] | None = None
    """The key of the server at `url`. It is kept in Secrets Manager and never shown."""
    job_id: Name | None = None
    """The fine-tuning job that waits for it."""


@router.post(
    "/v1/models",
    scope="admin",
    status=201,
    errors={
        404: "There is no such job, or no provider has the model.",
        409: "There is another model of this name, or the job does not wait for one.",
    },
)
def create_model(asked: NewModel) -> ModelVersion:
    """Name a model that a person has trained, and where it answers.

    The job that waits for it goes on: its model is asked, and then measured like any other. Naming it again changes
    nothing.
    """
    job = _job(asked)
    refuse_names_of_aliases([asked.id], param="id")
    if asked.api_key and not asked.url:
        raise ApiError("Invalid 'api_key': it is that of 'url'.", code="invalid_value", param="api_key")
    if not asked.url:
        require_model(asked.id, param="id")
    wanted = _version(asked, job)
    existing = ModelVersion.find(asked.id)
    if existing and _identity(existing) != _identity(wanted):
        raise Conflict(f"There is another model '{asked.id}'.", code="model_exists", param="id")
    if asked.url:
        _serve(asked, wanted.provider)
    wanted.create()
    if job:
        _give(job, wanted)
    return ModelVersion.load(asked.id)


class ModelChanges(Body):
    """What is to be otherwise with a trained model."""

    keep: bool = Field(strict=True)
    """Whether it is kept though it lost its verdict."""


@router.post("/v1/models/<model:path>", scope="admin")
def change_model(model: str, asked: ModelChanges) -> ModelVersion:
    """Keep a trained model that lost its verdict, or let it be retired like others (`POST /v1/costs`)."""
    version = ModelVersion.load(model, param="model")
    version.change({"keep": asked.keep})
    if asked.keep:
        take_back_notice(version.id)
    return ModelVersion.load(version.id)


@router.delete(
    "/v1/models/<model:path>", scope="admin", errors={409: "An alias points at the model, or an open rollout does."}
)
def retire_model(model: str) -> Deleted:
    """Retire a trained model: its deployment ends, and what it costs at its trainer is deleted, within minutes.

    What was measured with it stays. Retiring it again is no error.
    """
    version = ModelVersion.load(model, param="model")
    refuse_while_served(version.id)
    refuse_model_in_rollout(version.id)
    message = RetireModel(model_id=version.id)
    bus.send(message)
    return Deleted(id=version.id, object="model")


def _job(asked: NewModel) -> Job | None:
    """The job that waits for the model. Raises Conflict where it waits for none."""
    if asked.job_id is None:
        return None
    job = Job.load(asked.job_id, param="job_id")
    known = by_hand.look(job.id)
    if known is None or (known.state, known.model) not in {(by_hand.WAITING, None), (by_hand.NAMED, asked.id)}:
        raise _not_waiting(job)
    return job


def _not_waiting(job: Job) -> Conflict:
    return Conflict(
        f"The job {job.id} does not wait for a model: it is {job.status}.", code="not_waiting", param="job_id"
    )


def _version(asked: NewModel, job: Job | None) -> ModelVersion:
    provider, served_as = _place(asked)
    return ModelVersion(
        id=asked.id,
        created_at=now(),
        provider=provider,
        served_as=served_as,
        base=asked.base,
        trainer=_TRAINER if job else "",
        job_id=job.id if job else None,
        dataset_id=job.dataset_id if job else None,
        distillation_id=job.distillation_id if job else None,
    )


def _place(asked: NewModel) -> tuple[str, str]:
    """The provider that serves the model, empty for the default one, and the model's name there."""
    if asked.url:
        return derived_id("own-", asked.url), asked.id
    route = registry.providers().resolve(asked.id)
    return "" if route.name == DEFAULT else route.name, route.model


def _identity(version: ModelVersion) -> dict[str, Any]:
    return version.model_dump(include={"provider", "base", "job_id"})


def _serve(asked: NewModel, name: str) -> None:
    """Let the server at `url` be a provider that lists the model. Models at one address share the provider.

    A list that is full stays as it is: a model that was named is asked for by its version, listed or not.
    """
    saved = SavedProvider.find(name)
    models = saved.entry.models if saved else []
    fields = {"models": list(dict.fromkeys([*models, asked.id]))[:MOST_MODELS]}
    if saved:
        provider_changes.change(name, fields, asked.api_key, attempt=name, at=now())
    else:
        made = {"kind": "openai", "base_url": asked.url, **fields}
        provider_changes.add(name, made, asked.api_key, attempt=name, at=now())


def _give(job: Job, model: ModelVersion) -> None:
    """Let the job go on with this model. Raises Conflict where somebody else was first."""
    if not by_hand.name_model(job.id, model.id):
        raise _not_waiting(Job.load(job.id))
    lineage.link([(Node("job", job.id), Node("model", model.id))])
