"""A stack in memory for the demo's driver: the routes that it calls, with answers of the shapes they have."""

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import OpenAI

from local.demo.lab import Lab
from local.demo.trainer import Surroundings
from tests.assembly.curating import completion
from tests.assembly.reporting import reported
from tests.distillations import documents
from tests.fakes import fakes_bucket, fakes_server, stand  # noqa: F401 - fixtures

NOW = 1_800_000_000
VERDICT = documents.verdict(
    outcome="inconclusive",
    sentence="Five rows cannot tell [them] apart.",
    scores={role: documents.score(role[:1], 4, 5) for role in ("teacher", "baseline", "distilled")},
    cost_ratio={"teacher": 1.0, "baseline": None, "distilled": 0.0312},
)
CARD = documents.card(rows=3, train_rows=2, dropped={"duplicates": 1, "test_leaks": 1})
REPORT = reported([completion(number, f"mail {number}") for number in range(3)])
STATES = ("queued", "measuring", "blocked", "assembling", "training", "evaluating", "deciding", "completed")


@dataclass
class FakeStack:
    """Answers the demo's calls and remembers them; a distillation moves a status per look."""

    notifications: Path
    states: list[str] = field(default_factory=lambda: list(STATES))
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    captured: list[dict[str, Any]] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    questions: dict[str, str] = field(default_factory=dict)
    refuse: list[dict[str, Any]] = field(default_factory=list)
    providers: list[dict[str, Any]] = field(default_factory=list)
    job: dict[str, Any] = field(default_factory=lambda: {"status": "running", "state": "running"})
    undelivered: bool = False
    looks_until_recorded: int = 2
    numbers: Any = field(default_factory=itertools.count)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        method, path = request.method, request.url.path
        body = self._body(request)
        self.calls.append((method, path, body))
        status, answer = self._answer(method, path.removeprefix("/v1"), body)
        return httpx2.Response(status, json=answer)

    def _body(self, request: httpx2.Request) -> Any:
        text = request.content.decode()
        if request.url.path == "/lab/recordings":
            return [json.loads(line) for line in text.splitlines()]
        return json.loads(text) if text else None

    def _answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        for pattern, answer in self._routes():
            if match := re.fullmatch(pattern, f"{method} {path}"):
                return answer(body, *match.groups())
        return 404, {"error": {"message": f"no route {method} {path}", "code": "not_found"}}

    def _routes(self) -> list[tuple[str, Callable[..., tuple[int, Any]]]]:
        counts = {"total": 5, "passed": 4, "failed": 1, "errored": 0}
        event = {"id": "e1", "created_at": NOW, "message": "Training started"}
        return [
            ("POST /lab/.+", lambda _: (200, {})),
            ("POST /chat/completions", lambda body: (200, self._completion(body))),
            ("GET /chat/completions", lambda _: (200, self._listed())),
            ("POST /captures", lambda body: (202, self._capture(body))),
            ("GET /captures/.+", lambda _: (200, {"status": self._recorded()})),
            ("POST /evals", lambda body: (201, {"id": "eval_1", **body})),
            ("GET /evals/.+/runs/.+", lambda _: (200, {"status": "completed", "result_counts": counts})),
            ("GET /fine_tuning/jobs/.+/events", lambda _: (200, {"data": [event]})),
            ("GET /fine_tuning/jobs/.+", lambda _: (200, self.job)),
            ("GET /datasets/dataset_1/report", lambda _: (200, REPORT.model_dump(mode="json"))),
            ("GET /datasets/dataset_1/card", lambda _: (200, CARD.model_dump(mode="json"))),
            ("GET /lineage/(.+)", lambda _, about: (200, self._lineage(about))),
            ("POST /providers", self._add_provider),
            ("GET /providers/(.+)", lambda _, name: self._provider(name)),
            ("[A-Z]+ /distillations(/.+)?", lambda _, rest: (200, self._distillation(rest or ""))),
        ]

    def _add_provider(self, body: Any) -> tuple[int, Any]:
        self.providers.append(body)
        return 201, body

    def _provider(self, name: str) -> tuple[int, Any]:
        known = [provider for provider in self.providers if provider["name"] == name]
        return (200, known[0]) if known else (404, {"error": {"message": "no such provider", "code": "not_found"}})

    def _listed(self) -> dict[str, Any]:
        return {"object": "list", "data": [{"id": completion} for completion in self.stored], "has_more": False}

    def _recorded(self) -> str:
        self.looks_until_recorded -= 1
        return "recorded" if self.looks_until_recorded < 0 else "pending"

    def _completion(self, body: Any) -> dict[str, Any]:
        completion_id = f"chatcmpl-{next(self.numbers)}"
        if body.get("store"):
            self.stored.append(completion_id)
        self.questions[completion_id] = body["messages"][-1]["content"]
        answer = {"role": "assistant", "content": "yes"}
        choice = {"index": 0, "message": answer, "finish_reason": "stop"}
        return {"id": completion_id, "created": NOW, "model": body["model"], "choices": [choice]}

    def _capture(self, body: Any) -> dict[str, Any]:
        self.captured += body
        ids = [record["response"]["id"] for record in body]
        return {"batch_id": f"capture_{len(self.captured)}", "ids": ids, "refused": self.refuse}

    def _distillation(self, rest: str) -> dict[str, Any]:
        moving = self.states[0] not in {"blocked", "completed", "failed", "cancelled"}
        if rest.endswith("/approve") or (rest and moving):
            self.states.pop(0)
        status = self.states[0]
        ended = status == "completed"
        if status in {"completed", "failed", "blocked"} and not self.undelivered:
            self._notify(VERDICT.id if ended else "distill_1")
        return documents.distillation(
            status,
            runs={"teacher": "evalrun_1", "baseline": "evalrun_2"},
            plan=documents.plan(
                teacher=VERDICT.scores["teacher"], baseline=VERDICT.scores["baseline"], reasons=["too few rows"]
            ),
            dataset_id="dataset_1"
            if ended or status == "training"
            else "dataset_without_card"
            if status == "failed"
            else None,
            job_id="job_1",
            verdict=VERDICT if ended else None,
            error={"code": "job_failed", "message": "the trainer said no"} if status == "failed" else None,
        ).public()

    def _notify(self, about: str) -> None:
        with self.notifications.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"type": "verdict", "id": about, "sentence": "so it is", "verdict": {}}) + "\n")

    def _lineage(self, about: str) -> dict[str, Any]:
        nodes = [{"id": about, "kind": "completion"}]
        edges = []
        if self.questions.get(about) != "t0":  # which was dropped on the way into the dataset
            nodes += [{"id": "dataset_1", "kind": "dataset"}, {"id": "ft:s:1", "kind": "model_version"}]
            edges = [{"from": about, "to": "dataset_1"}, {"from": "dataset_1", "to": "ft:s:1"}]
        return {"object": "lineage", "id": about, "nodes": nodes, "edges": edges}

    def paths(self, method: str) -> list[str]:
        return [path for verb, path, _ in self.calls if verb == method]

    def client(self) -> OpenAI:
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        return OpenAI(base_url="http://stack/v1", api_key="sk-sh-test", http_client=http)

    def lab(self) -> Lab:
        return Lab("http://lab/v1", httpx2.MockTransport(self))


@pytest.fixture
def fake(tmp_path, monkeypatch):
    monkeypatch.setattr("local.demo.waiting.POLL_SECONDS", 0)
    return FakeStack(tmp_path / "notifications.jsonl")


@pytest.fixture
def around(fake):
    """Where a trainer of the demo works, with the fake for a stack."""

    def make(**changes):
        given = {
            "client": fake.client(),
            "lab_url": "http://lab/v1",
            "fakes_url": "http://fakes",
            "endpoint_url": "http://aws",
            "student": "lab-small",
            "say": lambda _: None,
        }
        return Surroundings(**{**given, **changes})

    return make
