"""Fireworks' API as a transport: accounts, datasets, jobs, deployments, and the storage behind signed URLs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.tuning.trainers.far_http import STORAGE, Answer, FarHTTP, Route, body
from tests.tuning.trainers.shapes import Shape
from tuning.trainers.account import Account
from tuning.trainers.fireworks import FireworksTrainer

ACCOUNT = "accounts/acme"
AT = "2026-11-29T08:00:00Z"
_OURS = {
    "running": "JOB_STATE_RUNNING",
    "succeeded": "JOB_STATE_COMPLETED",
    "failed": "JOB_STATE_FAILED",
    "pondering": "JOB_STATE_pondering",
}
JOB = Shape(
    {
        "dataset": str,
        "displayName": str,
        "baseModel": str,
        "epochs": int,
        "batchSizeSamples": int,
        "learningRate": float,
        "loraRank": int,
        "maxContextLength": int,
        "evaluationDataset": str,
    },
    frozenset({"dataset"}),
    frozenset({"supervisedFineTuningJobId"}),
)
PAIRS_JOB = Shape(
    {
        "dataset": str,
        "displayName": str,
        "trainingConfig": {
            "baseModel": str,
            "epochs": int,
            "batchSizeSamples": int,
            "learningRate": float,
            "loraRank": int,
            "maxContextLength": int,
        },
        "lossConfig": {"method": str, "dpo": {"beta": float}},
    },
    frozenset({"dataset"}),
    frozenset({"dpoJobId"}),
)
_JOBS = "(?:supervisedFineTuningJobs|dpoJobs)"
DEPLOYMENT = Shape(
    {
        "baseModel": str,
        "minReplicaCount": int,
        "maxReplicaCount": int,
        "autoscalingPolicy": {"scaleToZeroWindow": str},
    },
    frozenset({"baseModel"}),
    frozenset({"deploymentId"}),
)
DATASET = Shape(
    {"datasetId": str, "dataset": {"userUploaded": dict, "exampleCount": str, "format": str}},
    frozenset({"datasetId", "dataset"}),
)


@dataclass
class FarFireworks(FarHTTP):
    student: str = "fireworks/accounts/fireworks/models/qwen3-8b"
    reading: bool = False
    """Whether it takes its time to read a dataset."""
    sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: list[str] = field(default_factory=list)
    """The name of every deployment that was ever made."""

    def trainer(self) -> FireworksTrainer:
        return FireworksTrainer(Account("fireworks", "https://api.fireworks.ai/inference/v1"), self.client())

    def becomes(self, intent: str, state: str) -> None:
        job = self.jobs[intent.lower()]
        job["state"] = _OURS[state]
        output = {"outputModel": f"{ACCOUNT}/models/{intent.lower()}"}
        if state == "succeeded" and "trainingConfig" in job:
            job |= {"completedTime": AT, "trainingConfig": {**job["trainingConfig"], **output}}
        elif state == "succeeded":
            cost = {"currencyCode": "USD", "units": "1", "nanos": 500_000_000}
            job |= {**output, "completedTime": AT, "estimatedCost": cost}
        if state == "failed":
            job["status"] = {"code": "INTERNAL", "message": "the loss is odd"}

    def vanishes(self, intent: str) -> None:
        del self.jobs[intent.lower()]

    def state(self, intent: str) -> str:
        return str(self.jobs[intent.lower()]["state"])

    def files(self, intent: str) -> list[str]:
        return [name for name in self.sets if name.startswith(intent.lower())]

    def costs(self) -> list[str]:
        assert len(self.times) == len(set(self.times)), "something was deployed twice"
        return [name for name, deployment in self.deployments.items() if deployment["state"] != "DELETED"]

    def deployed(self, intent: str) -> None:
        if intent.lower() in self.deployments:
            self.deployments[intent.lower()]["state"] = "READY"

    def shapes(self) -> dict[str, Shape]:
        return {
            rf"POST /v1/{ACCOUNT}/datasets": DATASET,
            rf"POST /v1/{ACCOUNT}/datasets/([^/:]+):getUploadEndpoint": Shape({"filenameToSize": dict}),
            rf"POST /v1/{ACCOUNT}/supervisedFineTuningJobs": JOB,
            rf"POST /v1/{ACCOUNT}/dpoJobs": PAIRS_JOB,
            rf"POST /v1/{ACCOUNT}/deployments": DEPLOYMENT,
            rf"DELETE /v1/{ACCOUNT}/deployments/([^/]+)": Shape({}, query=frozenset({"ignoreChecks", "hard"})),
        }

    def routes(self) -> dict[str, Route]:
        return {
            r"GET /v1/accounts": lambda _: (200, {"accounts": [{"name": ACCOUNT, "email": "ann@acme.example"}]}),
            rf"GET /v1/{ACCOUNT}/datasets/([^/]+)": self._dataset,
            rf"POST /v1/{ACCOUNT}/datasets": self._create_dataset,
            rf"POST /v1/{ACCOUNT}/datasets/([^/:]+):getUploadEndpoint": self._upload_endpoint,
            r"PUT /signed/([^/]+)/(.+)": self._put,
            rf"POST /v1/{ACCOUNT}/datasets/([^/:]+):validateUpload": self._validate,
            rf"DELETE /v1/{ACCOUNT}/datasets/([^/]+)": lambda _, name: _dropped(self.sets, name),
            rf"GET /v1/({ACCOUNT}/{_JOBS}/[^/]+)": self._look,
            rf"POST /v1/{ACCOUNT}/supervisedFineTuningJobs": self._create,
            rf"POST /v1/{ACCOUNT}/dpoJobs": self._create,
            rf"POST /v1/{ACCOUNT}/{_JOBS}/([^/:]+):cancel": self._cancel,
            rf"GET /v1/{ACCOUNT}/deployments/([^/]+)": lambda _, name: _found(self.deployments, name),
            rf"POST /v1/{ACCOUNT}/deployments": self._deploy,
            rf"DELETE /v1/{ACCOUNT}/deployments/([^/]+)": self._undeploy,
        }

    def _create_dataset(self, request: httpx2.Request) -> Answer:
        asked = body(request)
        if asked["datasetId"] in self.sets:
            return _taken()
        made = {"name": f"{ACCOUNT}/datasets/{asked['datasetId']}", "state": "UPLOADING", **asked["dataset"]}
        self.sets[asked["datasetId"]] = made
        return 200, made

    def _dataset(self, _: httpx2.Request, name: str) -> Answer:
        known = self.sets.get(name)
        hidden = {"sizes", "content"}
        return (200, {key: known[key] for key in known.keys() - hidden}) if known else _unknown()

    def _upload_endpoint(self, request: httpx2.Request, name: str) -> Answer:
        sizes = body(request)["filenameToSize"]
        self.sets[name]["sizes"] = sizes
        return 200, {"filenameToSignedUrls": {file: f"https://{STORAGE}/signed/{name}/{file}" for file in sizes}}

    def _put(self, request: httpx2.Request, name: str, file: str) -> Answer:
        size = self.sets[name]["sizes"][file]
        assert "authorization" not in request.headers, "the key went to the storage"
        assert request.headers["x-goog-content-length-range"] == f"{size},{size}"
        assert (request.headers["content-length"], len(request.content)) == (size, int(size))
        self.sets[name]["content"] = request.content.decode()
        return 200, {}

    def _validate(self, _: httpx2.Request, name: str) -> Answer:
        if "content" not in self.sets[name]:
            return 400, {"code": 9, "message": "nothing was uploaded"}
        self.sets[name]["state"] = "UPLOADING" if self.reading else "READY"
        return 200, {}

    def _look(self, _: httpx2.Request, path: str) -> Answer:
        job = self.jobs.get(path.rpartition("/")[2])
        return (200, job) if job and job["name"] == path else _unknown()

    def _create(self, request: httpx2.Request) -> Answer:
        if self.refusing:
            return 400, {"code": 3, "message": "no such base", "details": []}
        jobs = request.url.path.rpartition("/")[2]
        name = request.url.params[f"{jobs[:-1]}Id"]
        if name in self.jobs:
            return _taken()
        asked = body(request)
        assert self.sets[asked["dataset"].rpartition("/")[2]]["state"] == "READY"
        job = {"name": f"{ACCOUNT}/{jobs}/{name}", "state": "JOB_STATE_PENDING", "createTime": AT}
        self.jobs[name] = {**job, **({} if jobs == "dpoJobs" else {"updateTime": AT}), **asked}
        self.made.append(f"ftjob-{name.removeprefix('ftjob-').upper()}")
        return 200, self.jobs[name]

    def _cancel(self, _: httpx2.Request, name: str) -> Answer:
        if name not in self.jobs:
            return _unknown()
        self.jobs[name]["state"] = "JOB_STATE_CANCELLED"
        return 200, {}

    def _deploy(self, request: httpx2.Request) -> Answer:
        name = request.url.params["deploymentId"]
        if name in self.deployments:
            return _taken()
        made = {"name": f"{ACCOUNT}/deployments/{name}", "state": "CREATING", **body(request)}
        self.deployments[name] = made
        self.times.append(name)
        return 200, made

    def _undeploy(self, _: httpx2.Request, name: str) -> Answer:
        return _dropped(self.deployments, name)


def _found(known: dict[str, dict[str, Any]], name: str) -> Answer:
    return (200, known[name]) if name in known else _unknown()


def _dropped(known: dict[str, dict[str, Any]], name: str) -> Answer:
    return (200, {}) if known.pop(name, None) else _unknown()


def _unknown() -> Answer:
    return 404, {"code": 5, "message": "not found", "details": []}


def _taken() -> Answer:
    return 409, {"code": 6, "message": "already exists", "details": []}


def make_far_side(_: Any) -> FarFireworks:
    return FarFireworks()
