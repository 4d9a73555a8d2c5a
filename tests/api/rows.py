"""Runs over rows given inline, with their answers: what the statistics of runs are tested on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.flow.system import System

CHECK: dict[str, Any] = {
    "type": "string_check",
    "name": "correct",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}
CLOSE: dict[str, Any] = {
    "type": "text_similarity",
    "name": "close",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "evaluation_metric": "fuzzy_match",
    "pass_threshold": 0.5,
}


def create_eval(system: System, *criteria: dict[str, Any]) -> str:
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    body = {"data_source_config": config, "testing_criteria": list(criteria or (CHECK,))}
    return str(system.ok("POST", "/v1/evals", body)["id"])


def answered(answers: str, items: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """A letter a row: `p` answers right, `f` wrong, `e` not at all, which errors the row."""
    given = items or [{} for _ in answers]
    return [
        {
            "item": {"reference": f"right {number}", **item},
            **({} if letter == "e" else {"sample": {"output_text": f"{_TEXTS[letter]} {number}"}}),
        }
        for number, (letter, item) in enumerate(zip(answers, given, strict=True))
    ]


_TEXTS = {"p": "right", "f": "wrong"}


def graded(system: System, eval_id: str, rows: Sequence[dict[str, Any]]) -> str:
    """The id of a completed run over these rows."""
    run = started(system, eval_id, rows)
    system.settle()
    return str(run["id"])


def started(system: System, eval_id: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    source = {"type": "jsonl", "source": {"type": "file_content", "content": list(rows)}}
    run: dict[str, Any] = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"data_source": source})
    return run
