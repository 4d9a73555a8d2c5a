"""Every rule of curation, on the examples beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assembly import curation
from assembly.curation import RULES, Candidate, Known
from completions.completion import Completion
from distillations.held_out import HeldOut
from tests.distilling import build

FOLDER = Path(curation.__file__).parent
SHARED = {"__init__", "rule"}


def examples_of(rule: str) -> list[dict[str, Any]]:
    beside = FOLDER / f"{rule}.json"
    return json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else []


EXAMPLES = [
    pytest.param(rule, example, id=f"{rule}-{number}")
    for rule in RULES
    for number, example in enumerate(examples_of(rule))
]


def candidate(
    *,
    id: str = "chatcmpl-1",  # noqa: A002
    input: Any = "mail",  # noqa: A002
    messages: list[dict[str, Any]] | None = None,
    metadata: dict[str, str] | None = None,
    untrainable: str = "",
    **choice: Any,
) -> Candidate:
    """A completion as an example describes it; without a word on its answer that is `yes`, and whole."""
    message = {"role": "assistant", "content": "yes", **choice.pop("message", {})}
    record = build.record(1, input, choice={"message": message, **choice})
    if messages:
        record["request"]["messages"] = messages
    if metadata is not None:
        record["metadata"] = metadata
    completion = Completion.of({**record, "response": {**record["response"], "id": id}}, at=build.AT)
    return Candidate(replace(completion, untrainable=untrainable) if untrainable else completion)


def known(example: dict[str, Any]) -> Known:
    held_out = HeldOut(example.get("group_by"))
    for row in example.get("test", []):
        item = {"input": build.asked(row["input"]), "metadata": row.get("metadata")}
        held_out.add({**item, "completion_id": row["id"]})
    trains = [candidate(**fields) for fields in example.get("trains", [])]
    return Known(
        held_out=held_out,
        answers={trained.input_key: trained.answer_key for trained in trains},
    )


def test_every_module_of_the_folder_is_a_rule_of_its_name() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} - SHARED == set(RULES)
    assert {path.stem for path in FOLDER.glob("*.json")} == set(RULES)
    assert all(rule.__module__ == f"assembly.curation.{name}" for name, rule in RULES.items())


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_examples_of_what_it_drops_and_of_what_it_keeps(rule: str) -> None:
    drops = [example["drops"] for example in examples_of(rule)]
    assert {True, False} == set(drops), f"write {rule}.json beside the rule"


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_example(rule: str, example: dict[str, Any]) -> None:
    assert RULES[rule](candidate(**example["completion"]), known(example)) is example["drops"]
