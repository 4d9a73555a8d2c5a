"""Runs to grade, the chunks they are cut into, and a provider that counts what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from evals.run import Run
from foundation import blobs, events
from foundation.events import GradeChunk
from providers import Answer, ProviderAway
from tests.cloud import aws_client
from tests.flow.system import System

CHECK = {
    "type": "string_check",
    "name": "correct",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}
JUDGE = {
    "type": "label_model",
    "name": "judged",
    "model": "lab-judge",
    "input": [{"role": "user", "content": "Reference: {{ item.reference }}\nAnswer: {{ sample.output_text }}"}],
    "labels": ["correct", "incorrect"],
    "passing_labels": ["correct"],
}
MODEL = "lab-small"


class Counting:
    """Says what `say` says to a request, and remembers it; None means away."""

    def __init__(self, say: Callable[[dict[str, Any]], str | None] = lambda _: "yes") -> None:
        self.say = say
        self.asked: list[dict[str, Any]] = []

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        assert deadline_s > 0
        assert retry_s is None or retry_s > 0
        self.asked.append(request)
        text = self.say(request)
        if text is None:
            raise ProviderAway(503, b"{}", {})
        body = {
            "id": "chatcmpl-counted",
            "model": request["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
        }
        return Answer(body, 5)

    async def find_model(self, name: str) -> dict[str, Any] | None:
        return {"id": name}

    async def list_models(self) -> list[dict[str, Any]]:
        return []


def asked_for(request: dict[str, Any]) -> str:
    """The input of a row, as the provider saw it."""
    return str(request["messages"][-1]["content"])


def row(number: int, *, reference: str = "yes", text: str | None = None) -> dict[str, Any]:
    prompt = [{"role": "user", "content": text or f"row {number}"}]
    return {"item": {"input": prompt, "reference": reference, "n": number}}


def with_sample(row: dict[str, Any], text: str) -> dict[str, Any]:
    return {**row, "sample": {"output_text": text}}


def started(
    system: System, rows: Sequence[dict[str, Any]], *criteria: dict[str, Any], model: str | None = MODEL
) -> Run:
    """A run over these rows as the API makes it, not yet planned."""
    config = {"type": "custom", "item_schema": {"type": "object"}}
    eval_ = system.ok(
        "POST", "/v1/evals", {"data_source_config": config, "testing_criteria": list(criteria or (CHECK,))}
    )
    content = {"type": "file_content", "content": list(rows)}
    source = {"type": "completions", "source": content, **({"model": model} if model else {})}
    return Run.load(system.ok("POST", f"/v1/evals/{eval_['id']}/runs", {"data_source": source})["id"])


def planned(
    system: System, rows: Sequence[dict[str, Any]], *criteria: dict[str, Any], model: str | None = MODEL
) -> tuple[Run, list[GradeChunk]]:
    """A planned run and its chunks, which no queue holds any longer."""
    run = started(system, rows, *criteria, model=model)
    system.deliver("PLAN")
    return Run.load(run.id), chunks(system)


def chunks(system: System) -> list[GradeChunk]:
    """Take what waits in the queue of chunks."""
    sqs, url = aws_client("sqs"), system.queues["GRADE"]
    taken: list[GradeChunk] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            parsed = events.parse(message["Body"])
            assert isinstance(parsed, GradeChunk)
            taken.append(parsed)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(taken, key=lambda message: message.chunk)


def counts(run_id: str) -> tuple[int, int, int, int]:
    counts = Run.load(run_id).result_counts
    return counts.total, counts.passed, counts.failed, counts.errored


def summary_landed(run: Run) -> bool:
    return blobs.find(f"runs/{run.id}/summary.json") is not None


def break_off_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next summary is not written: the function dies there."""
    put = blobs.put
    struck = []

    def breaking(key: str, *arguments: Any, **options: Any) -> None:
        if key.endswith("summary.json") and not struck:
            struck.append(key)
            raise ConnectionError(key)
        put(key, *arguments, **options)

    monkeypatch.setattr(blobs, "put", breaking)


def usage(run: Run) -> dict[str, tuple[int, int]]:
    return {
        usage.model_name: (usage.invocation_count, usage.total_tokens) for usage in Run.load(run.id).per_model_usage
    }


def judged(request: dict[str, Any]) -> str:
    """As sample "yes"; as judge the label that the texts deserve."""
    if "response_format" not in request:
        return "yes"
    reference = asked_for(request).partition("Answer")[0]
    return '{"label": "correct"}' if ">yes<" in reference else '{"label": "incorrect"}'
