"""How a model that Nebius trained is served: its last checkpoint becomes a custom model, which is asked by the token.

Nothing costs while nobody asks. Nebius puts letters of its own behind the name, so a custom model is found by its job.

Assumed, since no page that was read says it: the base is named as in the job; a model is deleted where it is read.
"""

from __future__ import annotations

from typing import Any

import httpx2

from distillations.job import JobFailure
from providers.model_version import ModelVersion
from tuning.trainers import hosted
from tuning.trainers.account import Account, name_there
from tuning.trainers.trainer import Deployment, Problem, Trained, TrainerRefused, state_of

_MODELS = "/v0/models"
_DEPLOYED = {"validating": False, "active": True, "error": False, "deleted": False}


def make_serving(account: Account, http: httpx2.Client | None = None) -> NebiusModels:
    return NebiusModels(account, http)


class NebiusModels:
    """The custom models of one account."""

    def __init__(self, account: Account, http: httpx2.Client | None = None) -> None:
        self._provider = account.name
        self._api = hosted.Api(account, http)

    def problems(self) -> list[Problem]:
        return []

    def deploy(self, trained: Trained) -> Deployment:
        model = self._model(trained.artifact) or self._made(trained)
        status = model.get("status", "")
        said = model.get("status_reason") or f"Nebius says {status} and no more."
        return Deployment(
            served_as=model["name"],
            provider=self._provider,
            ready=state_of(_DEPLOYED, status, f"model {model['name']}"),
            error=JobFailure(code="deployment_failed", message=said) if status in ("error", "deleted") else None,
        )

    def retire(self, model: ModelVersion) -> None:
        known = self._model(model.artifact or "")
        if known:
            self._api.delete(f"{_MODELS}/{known['name']}")

    def _model(self, job_id: str) -> dict[str, Any] | None:
        """The custom model that was made of a job."""
        return next((model for model in self._api.items(_MODELS) if model.get("job_id") == job_id), None)

    def _made(self, trained: Trained) -> dict[str, Any]:
        checkpoints = self._api.items(f"/v1/fine_tuning/jobs/{trained.artifact}/checkpoints")
        if not checkpoints:
            raise TrainerRefused("Nebius shows no checkpoint of the job that could be served.", "no_checkpoint")
        last = max(checkpoints, key=lambda checkpoint: int(checkpoint.get("step_number") or 0))
        source = f"{trained.artifact}:{last['id']}"
        about = {"name": trained.intent.lower(), "base_model": name_there(trained.base), "source": source}
        return self._api.post(_MODELS, about)
