"""Nebius' API: OpenAI's without metadata, and custom models behind its jobs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx2
from openai import OpenAI

from tests.tuning.trainers.far_openai import AT, FarOpenAI
from tuning.trainers.account import Account
from tuning.trainers.nebius_models import NebiusModels
from tuning.trainers.openai_compatible import OpenAITrainer

ACCOUNT = Account("nebius", "https://api.tokenfactory.nebius.com/v1", "nebius")
_ORDER = {"model", "training_file", "validation_file", "hyperparameters", "seed", "suffix"}
_HYPERPARAMETERS = {"batch_size", "learning_rate", "n_epochs", "context_length", "lora", "lora_r"}


@dataclass
class FarNebius(FarOpenAI):
    student: str = "nebius/meta-llama/Meta-Llama-3.1-8B-Instruct"
    models: list[dict[str, Any]] = field(default_factory=list)

    def trainer(self) -> OpenAITrainer:
        client = httpx2.Client(transport=httpx2.MockTransport(self.serve))
        at_openai_s = OpenAI(base_url=ACCOUNT.base_url, api_key="any", http_client=client)
        return OpenAITrainer(at_openai_s, ACCOUNT, NebiusModels(ACCOUNT, client))

    def becomes(self, intent: str, state: str) -> None:
        super().becomes(intent, state)
        if state == "succeeded":
            self._of(intent)["fine_tuned_model"] = None

    def costs(self) -> list[str]:
        made = [model["job_id"] for model in self.models]
        assert len(made) == len(set(made)), "something was deployed twice"
        return made

    def deployed(self, intent: str) -> None:
        for model in self.models:
            if model["name"].partition(":")[2].startswith(intent.lower()):
                model["status"] = "active"

    def _of(self, intent: str) -> dict[str, Any]:
        return next(job for job in self.jobs.values() if job["intent"] == intent)

    def _answer(self, request: httpx2.Request) -> tuple[int, Any]:
        line = f"{request.method} {request.url.path}"
        if line.startswith("GET /v0/models"):
            return 200, self.models
        if line == "POST /v0/models":
            return self._make(json.loads(request.content))
        if line.startswith("DELETE /v0/models/"):
            self.models = [model for model in self.models if not line.endswith(f"/{model['name']}")]
            return 200, {}
        if line.endswith("/checkpoints"):
            steps = [{"id": f"ftckpt_{step}", "created_at": AT, "step_number": step} for step in (20, 10)]
            return 200, {"data": steps, "has_more": False}
        return super()._answer(request)

    def _make(self, asked: dict[str, Any]) -> tuple[int, Any]:
        assert set(asked) == {"name", "base_model", "source"}
        job_id, _, checkpoint = asked["source"].partition(":")
        assert checkpoint == "ftckpt_20", "an early checkpoint is served"
        name = f"{asked['base_model']}-LoRa:{asked['name']}-updt"
        model = {"name": name, "status": "validating", "job_id": job_id, "checkpoint_id": checkpoint}
        self.models.append(model)
        return 200, {**asked, "name": name, "status": "validating", "created_at": AT}

    def _create(self, request: httpx2.Request) -> tuple[int, Any]:
        asked = json.loads(request.content)
        assert set(asked) <= _ORDER, set(asked) - _ORDER
        assert set(asked["hyperparameters"]) <= _HYPERPARAMETERS
        assert asked["hyperparameters"]["lora"] is True
        if self.refusing:
            return 404, {"error": {"message": "no such base", "code": "model_not_found"}}
        intent = self.uploads[asked["training_file"]].removesuffix("-train.jsonl")
        job = {"id": f"ftjob-far-{len(self.made)}", "status": "queued", "created_at": AT, "error": None, **asked}
        self.jobs[job["id"]] = {**job, "intent": intent, "trained_tokens": None, "finished_at": None}
        self.made.append(intent)
        return 200, self.jobs[job["id"]]

    def _list(self, request: httpx2.Request) -> tuple[int, Any]:
        assert "metadata[stillhouse_intent]" not in request.url.params
        return 200, {"data": list(self.jobs.values()), "has_more": False}


def make_far_side(_: Any) -> FarNebius:
    return FarNebius()
