"""Evals and their runs, asked for through the SDK, as the tests of the API and of notifications need them."""

from __future__ import annotations

from typing import Any

from openai import OpenAI

from tests.flow.system import System

CHECK: dict[str, Any] = {
    "type": "string_check",
    "name": "correct",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}


JUDGE: dict[str, Any] = {
    "type": "label_model",
    "name": "judged",
    "model": "lab-judge",
    "input": [{"role": "user", "content": "Reference: {{ item.reference }}\nAnswer: {{ sample.output_text }}"}],
    "labels": ["correct", "incorrect"],
    "passing_labels": ["correct"],
}


CONFIG: dict[str, Any] = {
    "type": "custom",
    "item_schema": {"type": "object", "properties": {"reference": {"type": "string"}}},
    "include_sample_schema": True,
}


def create(client: OpenAI, *criteria: dict[str, Any], **fields: Any) -> Any:
    return client.evals.create(data_source_config=CONFIG, testing_criteria=list(criteria or (CHECK,)), **fields)


def inline(*rows: dict[str, Any], kind: str = "jsonl", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "source": {"type": "file_content", "content": list(rows)}, **fields}


def run(client: OpenAI, system: System, eval_id: str, data_source: dict[str, Any], **fields: Any) -> Any:
    """A run, graded to its end."""
    made = client.evals.runs.create(eval_id, data_source=data_source, **fields)  # type: ignore[arg-type]
    assert (made.object, made.status, made.eval_id) == ("eval.run", "queued", eval_id)
    assert made.result_counts.total == 0
    system.settle()
    return client.evals.runs.retrieve(made.id, eval_id=eval_id)


def counts(run: Any) -> tuple[int, int, int, int]:
    counts = run.result_counts
    return counts.total, counts.passed, counts.failed, counts.errored


FINE = {"item": {"reference": "yes"}, "sample": {"output_text": "yes"}}


def begun(client: OpenAI, eval_id: str, count: int = 120, **fields: Any) -> Any:
    rows = [{**FINE, "item": {**FINE["item"], "n": number}} for number in range(count)]
    return client.evals.runs.create(eval_id, data_source=inline(*rows), **fields)  # type: ignore[arg-type]
