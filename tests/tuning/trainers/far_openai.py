"""OpenAI's fine-tuning API as a transport of its client: files, jobs, models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from openai import OpenAI

from tests.tuning.trainers.far_side import FarSide
from tuning.trainers.openai_compatible import OpenAITrainer

AT = 1_790_000_000


@dataclass
class FarOpenAI(FarSide):
    lost: Exception = field(default_factory=lambda: httpx2.ReadTimeout("no answer"))
    refusing: bool = False
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)

    def trainer(self) -> OpenAITrainer:
        client = httpx2.Client(transport=httpx2.MockTransport(self.serve))
        return OpenAITrainer(OpenAI(base_url="http://far/v1", api_key="any", http_client=client))

    def refuses(self) -> bool:
        self.refusing = True
        return True

    def becomes(self, intent: str, state: str) -> None:
        job = self._of(intent)
        job["status"] = state
        if state == "succeeded":
            job |= {"fine_tuned_model": f"ft:{intent}", "trained_tokens": 900, "finished_at": AT + 5}
        if state == "failed":
            job["error"] = {"code": "bad", "message": "the loss is odd", "param": None}

    def vanishes(self, intent: str) -> None:
        del self.jobs[self._of(intent)["id"]]

    def state(self, intent: str) -> str:
        return str(self._of(intent)["status"])

    def files(self, intent: str) -> list[str]:
        return [name for name in self.uploads.values() if name.startswith(intent)]

    def _of(self, intent: str) -> dict[str, Any]:
        return next(job for job in self.jobs.values() if job["metadata"]["stillhouse_intent"] == intent)

    def serve(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        status, body = self.call(lambda: self._answer(request))
        return httpx2.Response(status, json=body)

    def _answer(self, request: httpx2.Request) -> tuple[int, Any]:
        path = request.url.path.removeprefix("/v1")
        routes: dict[str, Callable[..., tuple[int, Any]]] = {
            r"POST /files": self._upload,
            r"GET /files": self._files,
            r"DELETE /files/(.+)": lambda _, name: (200, {"id": self.uploads.pop(name, name), "deleted": True}),
            r"POST /fine_tuning/jobs": self._create,
            r"GET /fine_tuning/jobs": self._list,
            r"GET /fine_tuning/jobs/([^/]+)": self._retrieve,
            r"POST /fine_tuning/jobs/([^/]+)/cancel": self._cancel,
            r"POST /fine_tuning/jobs/([^/]+)/pause": lambda _, job_id: self._holds(job_id, "running", "paused"),
            r"POST /fine_tuning/jobs/([^/]+)/resume": lambda _, job_id: self._holds(job_id, "paused", "running"),
            r"GET /fine_tuning/jobs/([^/]+)/events": self._events,
            r"GET /fine_tuning/jobs/([^/]+)/checkpoints": lambda *_: (200, {"data": [], "has_more": False}),
            r"DELETE /models/(.+)": self._delete_model,
        }
        for route, answer in routes.items():
            matched = re.fullmatch(route, f"{request.method} {path}")
            if matched:
                return answer(request, *matched.groups())
        raise AssertionError(f"no route for {request.method} {path}")

    def _upload(self, request: httpx2.Request) -> tuple[int, Any]:
        name = re.search(rb'filename="([^"]+)"', request.content)
        assert name
        file_id = f"file-{len(self.uploads)}-{len(request.content)}"
        self.uploads[file_id] = name.group(1).decode()
        return 200, {"id": file_id, "filename": self.uploads[file_id]}

    def _files(self, _: httpx2.Request) -> tuple[int, Any]:
        files = [{"id": file_id, "filename": name} for file_id, name in self.uploads.items()]
        return 200, {"data": files, "has_more": False}

    def _create(self, request: httpx2.Request) -> tuple[int, Any]:
        if self.refusing:
            return 404, {"error": {"message": "no such base", "code": "model_not_found"}}
        asked = json.loads(request.content)
        job = {"id": f"ftjob-far-{len(self.made)}", "status": "queued", "created_at": AT, "error": None, **asked}
        job |= {"fine_tuned_model": None, "trained_tokens": None, "finished_at": None}
        self.jobs[job["id"]] = job
        self.made.append(asked["metadata"]["stillhouse_intent"])
        return 200, job

    def _list(self, request: httpx2.Request) -> tuple[int, Any]:
        wanted = request.url.params.get("metadata[stillhouse_intent]")
        found = [job for job in self.jobs.values() if job["metadata"]["stillhouse_intent"] == wanted]
        return 200, {"data": found, "has_more": False}

    def _retrieve(self, _: httpx2.Request, job_id: str) -> tuple[int, Any]:
        return (200, self.jobs[job_id]) if job_id in self.jobs else _unknown()

    def _cancel(self, _: httpx2.Request, job_id: str) -> tuple[int, Any]:
        if job_id not in self.jobs:
            return _unknown()
        self.jobs[job_id]["status"] = "cancelled"
        return 200, self.jobs[job_id]

    def _holds(self, job_id: str, before: str, after: str) -> tuple[int, Any]:
        """A pause, or its end, of a job that has the state before it; of any other it is refused."""
        if self.jobs[job_id]["status"] != before:
            return 400, {"error": {"message": f"It is not {before}", "code": "invalid_state"}}
        self.jobs[job_id]["status"] = after
        return 200, self.jobs[job_id]

    def _events(self, _: httpx2.Request, job_id: str) -> tuple[int, Any]:
        first = {"id": f"{job_id}-1", "created_at": AT, "level": "info", "message": "Created", "type": "message"}
        step = {"step": 10, "train_loss": 0.5}
        second = {**first, "id": f"{job_id}-2", "message": "Step 10", "type": "metrics", "data": step}
        return 200, {"data": [second, first], "has_more": False}

    def _delete_model(self, _: httpx2.Request, model: str) -> tuple[int, Any]:
        for job in self.jobs.values():
            if job["fine_tuned_model"] == model:
                job["fine_tuned_model"] = None
                return 200, {"id": model, "deleted": True}
        return _unknown()


def _unknown() -> tuple[int, Any]:
    return 404, {"error": {"message": "Could not find it", "code": "not_found"}}


def make_far_side(_: Any) -> FarOpenAI:
    return FarOpenAI()
