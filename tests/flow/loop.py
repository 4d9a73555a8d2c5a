"""A small real task and the whole loop on it, as the tests of flow, faults and the API need it."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.flow.system import System

LABELS = ("billing", "login", "shipping")
_WORDS = {
    "billing": ("invoice", "charged", "refund", "card", "amount"),
    "login": ("password", "account", "locked", "reset", "code"),
    "shipping": ("parcel", "courier", "delivery", "late", "address"),
}
TEACHER = "recorded-teacher"
STUDENT = "lab-small"


def messages(number: int) -> list[dict[str, str]]:
    label = LABELS[number % 3]
    words = _WORDS[label]
    text = f"mail {number}: the {words[number % 5]} and the {words[(number // 3) % 5]} trouble me, please help"
    return [
        {"role": "system", "content": 'Answer with one of: ["billing", "login", "shipping"]'},
        {"role": "user", "content": text},
    ]


def record(number: int, *, split: str, tag: str) -> dict[str, Any]:
    """A completion of the teacher, who is always right here."""
    label = LABELS[number % 3]
    message = {"role": "assistant", "content": label, "refusal": None}
    return {
        "request": {"model": TEACHER, "messages": messages(number), "temperature": 0},
        "response": {
            "id": f"chatcmpl-{tag}-{number}",
            "object": "chat.completion",
            "created": 1_790_000_000 + number,
            "model": TEACHER,
            "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 1, "total_tokens": 21},
        },
        "metadata": {"split": split, "tag": tag},
        "reference": label,
        "latency_ms": 40,
    }


def capture(system: System, tag: str, *, train: int = 30, test: int = 12) -> None:
    """Push train and test completions; the test's inputs are others than the training's."""
    records = [record(number, split="train", tag=tag) for number in range(train)]
    records += [record(1000 + number, split="test", tag=tag) for number in range(test)]
    pushed = system.ok("POST", "/v1/captures", "\n".join(json.dumps(record) for record in records).encode())
    assert pushed["accepted"] == train + test
    system.settle()
    assert system.ok("GET", f"/v1/captures/{pushed['batch_id']}")["status"] == "recorded"


def create_eval(system: System) -> str:
    criterion = {
        "type": "string_check",
        "name": "correct",
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.reference }}",
        "operation": "eq",
    }
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    body = {"name": "triage", "data_source_config": config, "testing_criteria": [criterion]}
    return str(system.ok("POST", "/v1/evals", body)["id"])


def source(split: str, tag: str) -> dict[str, Any]:
    return {"type": "stored_completions", "metadata": {"split": split, "tag": tag}}


def distill(system: System, tag: str, **fields: Any) -> dict[str, Any]:
    """Ask for a distillation; the test set is tiny, so the gate is told to expect much."""
    body = {
        "name": "triage",
        "eval_id": create_eval(system),
        "test": source("test", tag),
        "train": source("train", tag),
        "teacher": TEACHER,
        "student": STUDENT,
        "gate": {"expected_gain": 0.9},
        **fields,
    }
    answer: dict[str, Any] = system.ok("POST", "/v1/distillations", body)
    return answer


def fetched(system: System, distillation_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = system.ok("GET", f"/v1/distillations/{distillation_id}")
    return answer


def completed(system: System, distillation_id: str) -> dict[str, Any]:
    """The distillation at its end, after all that is delivered for it; it is approved where it is blocked."""
    system.settle()
    if fetched(system, distillation_id)["status"] == "blocked":
        system.ok("POST", f"/v1/distillations/{distillation_id}/approve")
        system.settle()
    ended = fetched(system, distillation_id)
    assert ended["status"] == "completed", ended
    return ended


def lab_calls(system: System) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{system.lab}/lab/calls").json()
    return answer
