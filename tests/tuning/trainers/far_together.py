"""Together's API as a transport: files and the storage they are put into, jobs, a project's endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.tuning.trainers.far_http import STORAGE, Answer, FarHTTP, Route, body, form
from tests.tuning.trainers.shapes import Shape
from tuning.trainers.account import Account
from tuning.trainers.together import TogetherTrainer

AT = "2026-11-29T08:00:00.000Z"
ENDPOINTS = "/v2/projects/prj_1/endpoints"
_OURS = {"running": "running", "succeeded": "completed", "failed": "error", "pondering": "pondering"}
JOB = Shape(
    {
        "model": str,
        "training_file": str,
        "validation_file": str,
        "suffix": str,
        "random_seed": int,
        "training_method": {"method": str, "train_on_inputs": bool, "dpo_beta": float},
        "training_type": {"type": str, "lora_r": int, "lora_alpha": int},
        "n_epochs": int,
        "n_evals": int,
        "n_checkpoints": int,
        "batch_size": (int, str),
        "learning_rate": float,
        "warmup_ratio": float,
        "max_grad_norm": float,
        "weight_decay": float,
        "max_seq_length": int,
    },
    frozenset({"training_file", "n_epochs", "learning_rate", "warmup_ratio", "max_grad_norm", "weight_decay"}),
)
DEPLOYMENT = Shape(
    {
        "name": str,
        "model": str,
        "autoscaling": {"minReplicas": int, "maxReplicas": int},
        "inactiveTimeout": int,
    },
    frozenset({"name", "autoscaling"}),
)
PROJECT = {"id": "prj_1", "name": "Acme", "slug": "acme"}
WHO = {
    "type": "project_api_key",
    "api_key": {"id": "key_1"},
    "organization": {"id": "org_1", "name": "Acme"},
    "project": PROJECT,
}
_VERSIONED = {"createdAt": AT, "updatedAt": AT, "etag": "etag_1"}
_REGISTERED = ("model_object_id", "model_object_revision_id")


@dataclass
class FarTogether(FarHTTP):
    student: str = "together/Qwen/Qwen3-8B"
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By the id of their endpoint."""
    going: int = 0
    """How often an endpoint cannot be deleted yet."""
    times: list[str] = field(default_factory=list)
    """The name of every deployment that was ever made."""

    def trainer(self) -> TogetherTrainer:
        return TogetherTrainer(Account("together", "https://api.together.ai/v1"), self.client())

    def becomes(self, intent: str, state: str) -> None:
        job = self._of(intent)
        job["status"] = _OURS[state]
        job["events"].append(event("training_start", "It trains", step=0))
        if state == "succeeded":
            job |= {"model_object_id": "ml_1", "model_object_revision_id": "rv_2", "total_price": 1_500_000_000}
            job |= {"token_count": 900}
        if state == "failed":
            job["events"].append(event("job_error", "the loss is odd", level="error"))

    def vanishes(self, intent: str) -> None:
        del self.jobs[self._of(intent)["id"]]

    def state(self, intent: str) -> str:
        return str(self._of(intent)["status"])

    def files(self, intent: str) -> list[str]:
        return [file["filename"] for file in self.uploads.values() if file["filename"].startswith(intent)]

    def costs(self) -> list[str]:
        assert len(self.times) == len(set(self.times)), "something was deployed twice"
        return [deployment["name"] for deployment in self.deployments.values()]

    def deployed(self, intent: str) -> None:
        for deployment in self.deployments.values():
            if deployment["name"].endswith(intent.lower()):
                deployment["status"]["state"] = "DEPLOYMENT_STATE_READY"

    def _of(self, intent: str) -> dict[str, Any]:
        return next(job for job in self.jobs.values() if job["suffix"] == intent)

    def shapes(self) -> dict[str, Shape]:
        return {
            r"POST /v1/fine-tunes": JOB,
            rf"GET {ENDPOINTS}": Shape({}, query=frozenset({"filter", "after", "limit", "orderBy"})),
            rf"POST {ENDPOINTS}": Shape({"name": str, "visibility": str}, frozenset({"name"})),
            rf"POST {ENDPOINTS}/([^/]+)/deployments": DEPLOYMENT,
        }

    def routes(self) -> dict[str, Route]:
        return {
            r"POST /v1/files": self._upload,
            r"PUT /storage/(.+)": self._put,
            r"POST /v1/files/([^/]+)/preprocess": self._preprocess,
            r"GET /v1/files": lambda _: (200, {"data": [_file(upload) for upload in self.uploads.values()]}),
            r"DELETE /v1/files/(.+)": lambda _, name: _dropped(self.uploads, name, id=name, deleted=True),
            r"POST /v1/fine-tunes": self._create,
            r"GET /v1/fine-tunes": lambda _: (200, {"data": [_listed(job) for job in self.jobs.values()]}),
            r"GET /v1/fine-tunes/([^/]+)": self._look,
            r"GET /v1/fine-tunes/([^/]+)/events": lambda _, name: (200, {"data": self.jobs[name]["events"]}),
            r"GET /v1/fine-tunes/([^/]+)/metrics": lambda *_: (200, {"metrics": [{"global_step": 1, "loss": 0.5}]}),
            r"POST /v1/fine-tunes/([^/]+)/cancel": self._cancel,
            r"GET /v3/whoami": lambda _: (200, WHO),
            rf"GET {ENDPOINTS}": self._list_endpoints,
            rf"POST {ENDPOINTS}": self._create_endpoint,
            rf"DELETE {ENDPOINTS}/([^/]+)": self._delete_endpoint,
            rf"GET {ENDPOINTS}/([^/]+)/deployments": self._list_deployments,
            rf"POST {ENDPOINTS}/([^/]+)/deployments": self._deploy,
            rf"DELETE {ENDPOINTS}/([^/]+)/deployments/([^/]+)": lambda _, one, __: _dropped(self.deployments, one),
        }

    def _upload(self, request: httpx2.Request) -> Answer:
        about = form(request)
        assert set(about) == {"purpose", "file_name", "file_type", "checksum"}
        assert (about["purpose"], about["file_type"]) == ("fine-tune", "jsonl")
        same = [file for file in self.uploads.values() if file["checksum"] == about["checksum"] and "content" in file]
        if same:
            return 409, {"error": {"message": "already uploaded"}, "file_id": same[0]["id"]}
        file_id = f"file-{len(self.uploads)}-{about['checksum'][:8]}"
        self.uploads[file_id] = {"id": file_id, "filename": about["file_name"], "checksum": about["checksum"]}
        place = f"https://{STORAGE}/storage/{file_id}"
        return 302, {"headers": {"location": place, "x-together-file-id": file_id}}

    def _put(self, request: httpx2.Request, file_id: str) -> Answer:
        assert "authorization" not in request.headers, "the key went to the storage"
        assert int(request.headers["content-length"]) == len(request.content)
        self.uploads[file_id]["content"] = request.content.decode()
        return 200, {}

    def _preprocess(self, _: httpx2.Request, file_id: str) -> Answer:
        self.uploads[file_id]["processing_status"] = "PENDING"
        return 200, _file(self.uploads[file_id])

    def _look(self, _: httpx2.Request, name: str) -> Answer:
        if name not in self.jobs:
            return _unknown()
        return 200, _without(self.jobs[name], "suffix", "random_seed", "max_seq_length")

    def _create(self, request: httpx2.Request) -> Answer:
        if self.refusing:
            return 404, {"error": {"message": "no such base", "type": "invalid_request_error", "code": None}}
        asked = body(request)
        job = {"id": f"ft-{len(self.made)}", "status": "pending", "created_at": AT, "updated_at": AT, **asked}
        job |= {"user_id": "usr_1", "model_output_name": f"acme/{asked['suffix']}"}
        assert "content" in self.uploads[asked["training_file"]]
        self.jobs[job["id"]] = {**job, "events": [event("job_pending", "It waits")]}
        self.made.append(asked["suffix"])
        return 200, {**_without(_sized(job), "random_seed"), "adapter_output_name": None}

    def _cancel(self, _: httpx2.Request, name: str) -> Answer:
        if name not in self.jobs:
            return _unknown()
        self.jobs[name]["status"] = "cancelled"
        return 200, _listed(self.jobs[name])

    def _list_endpoints(self, request: httpx2.Request) -> Answer:
        wanted = request.url.params["filter"]
        found = [one for one in self.endpoints.values() if wanted == f'name = "{one["name"].partition("/")[2]}"']
        return 200, {"data": found}

    def _create_endpoint(self, request: httpx2.Request) -> Answer:
        name = f"acme/{body(request)['name']}"
        assert name not in {one["name"] for one in self.endpoints.values()}, "an endpoint was made twice"
        made = {
            "id": f"ep_{len(self.endpoints)}_{len(self.times)}",
            "name": name,
            "projectId": PROJECT["id"],
            "endpointType": "ENDPOINT_TYPE_DEDICATED",
            "visibility": "VISIBILITY_PRIVATE",
            "trafficSplit": [],
            "deployments": [],
            **_VERSIONED,
        }
        self.endpoints[made["id"]] = made
        return 200, made

    def _delete_endpoint(self, _: httpx2.Request, endpoint: str) -> Answer:
        if endpoint in self.deployments:
            return 409, {"error": {"message": "it has deployments"}}
        if self.going:
            self.going -= 1
            return 400, {"error": {"message": "a deployment is going"}}
        return _dropped(self.endpoints, endpoint)

    def _list_deployments(self, _: httpx2.Request, endpoint: str) -> Answer:
        return 200, {"data": [self.deployments[endpoint]] if endpoint in self.deployments else []}

    def _deploy(self, request: httpx2.Request, endpoint: str) -> Answer:
        asked = body(request)
        name = f"{self.endpoints[endpoint]['name']}/{asked['name']}"
        self.deployments[endpoint] = {
            **asked,
            **_VERSIONED,
            "id": f"dep_{endpoint}",
            "name": name,
            "endpointId": endpoint,
            "projectId": PROJECT["id"],
            "modelId": "ml_1",
            "modelRevisionId": "rv_2",
            "config": "projects/prj_0/configs/cr_1",
            "configId": "cr_1",
            "hardware": "1x_nvidia_h100_80gb_sxm",
            "trafficMode": "TRAFFIC_MODE_LIVE",
            "status": {"state": "DEPLOYMENT_STATE_PROVISIONING", "message": "it comes"},
        }
        self.times.append(name)
        return 200, self.deployments[endpoint]


def event(kind: str, message: str, **more: Any) -> dict[str, Any]:
    return {"object": "fine-tune-event", "created_at": AT, "type": kind, "message": message, **more}


def _file(upload: dict[str, Any]) -> dict[str, Any]:
    about = {"object": "file", "purpose": "fine-tune", "FileType": "jsonl", "created_at": 1_795_939_200}
    return {**_without(upload, "checksum", "content"), **about, "bytes": len(upload.get("content", ""))}


def _listed(job: dict[str, Any]) -> dict[str, Any]:
    """A job as lists and a cancellation show it: without its model."""
    return _without(_sized(job), *_REGISTERED)


def _sized(job: dict[str, Any]) -> dict[str, Any]:
    """A job whose batch is a number, as most answers have it."""
    return {**job, "batch_size": 32 if job["batch_size"] == "max" else job["batch_size"]}


def _without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def _dropped(known: dict[str, dict[str, Any]], name: str, **told: Any) -> Answer:
    return (200, told) if known.pop(name, None) else _unknown()


def _unknown() -> Answer:
    return 404, {"error": {"message": "not found", "type": "invalid_request_error", "code": "not_found"}}


def make_far_side(_: Any) -> FarTogether:
    return FarTogether()
