"""Recorded answers of real models, graded through the API, come to the accuracies that were published about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.examples import of_the_soak
from tests.flow.system import System

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
GSM8K = DATA / "gsm8k_openai_6b_175b" / "example_model_solutions.jsonl"
ZEROEVAL = DATA / "zeroeval_gpt4o_vs_mini" / "gsm.jsonl"
PUBLISHED = {
    "gpt-4o-2024-08-06": 96.21,
    "gpt-4o-mini-2024-07-18": 94.24,
    "claude-3-haiku-20240307": 88.78,
    "gemma-2-2b-it": 51.63,
}
# Every thirtieth row, without `--soak`: the percentages that the same rule gives for these rows alone.
SAMPLE = slice(None, None, 30)
OF_THE_SAMPLE = {
    "gpt-4o-2024-08-06": 97.73,
    "gpt-4o-mini-2024-07-18": 95.45,
    "claude-3-haiku-20240307": 88.64,
    "gemma-2-2b-it": 54.55,
}
# The answer is the first number in the last "answer" field, without dollar signs and thousands separators.
SAME_NUMBER = r"""
import re

def number(text):
    found = re.search(r"-?\d+(\.\d+)?", text.replace("$", "").replace(",", ""))
    return float(found.group()) if found else None

def grade(sample, item):
    fields = re.findall(r'"answer"\s*:\s*("(?:[^"\\]|\\.)*"|[^,}\n]*)', sample["output_text"])
    said = number(fields[-1]) if fields else None
    return 1.0 if said is not None and said == number(item["answer"]) else 0.0
"""

pytestmark = pytest.mark.data


def rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        pytest.skip(f"needs ../shared/data/{path.parent.name}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def graded(system: System, criterion: dict[str, Any], content: list[dict[str, Any]]) -> dict[str, Any]:
    """The ended run of an eval with this one criterion over rows with their own samples."""
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    asked = {"data_source_config": config, "testing_criteria": [{"name": "correct", **criterion}]}
    eval_id = system.ok("POST", "/v1/evals", asked)["id"]
    source = {"type": "jsonl", "source": {"type": "file_content", "content": content}}
    run_id = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"data_source": source})["id"]
    system.settle()
    run: dict[str, Any] = system.ok("GET", f"/v1/evals/{eval_id}/runs/{run_id}")
    assert (run["status"], run["result_counts"]["errored"]) == ("completed", 0)
    return run


def failed(system: System, run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The run's failed output items, page by page."""
    path = f"/v1/evals/{run['eval_id']}/runs/{run['id']}/output_items?status=fail&limit=100"
    page = system.ok("GET", path)
    yield from page["data"]
    while page["has_more"]:
        page = system.ok("GET", f"{path}&after={page['last_id']}")
        yield from page["data"]


def row(answer: str, text: str) -> dict[str, Any]:
    return {"item": {"answer": answer}, "sample": {"output_text": text}}


# Its published judgement takes 65,960 for 65960; a comparison of texts does not. That explains every difference.
@pytest.mark.soak
@pytest.mark.parametrize(
    ("model", "published", "separators"),
    [
        ("6b_finetuning", 286, 2),
        ("175b_verification", 742, 5),
        *of_the_soak(("6b_verification", 515, 2), ("175b_finetuning", 458, 1)),
    ],
)
def test_grade_school_math_by_the_text_of_the_answer(
    system: System, soak: bool, model: str, published: int, separators: int
) -> None:
    solved = rows(GSM8K)
    assert sum(problem[model]["is_correct"] for problem in solved) == published
    graded_rows = solved if soak else solved[SAMPLE]
    criterion = {
        "type": "string_check",
        "operation": "like",
        "input": "{{ sample.output_text }}|",
        "reference": "A: {{ item.answer }}|",
    }

    def content(number: Any) -> list[dict[str, Any]]:
        return [
            row(number(problem["ground_truth"].rsplit("A: ", 1)[1]), number(problem[model]["solution"]))
            for problem in graded_rows
        ]

    without = graded(system, criterion, content(lambda text: text.replace(",", "")))
    assert without["result_counts"]["passed"] == sum(problem[model]["is_correct"] for problem in graded_rows)
    if soak:
        assert graded(system, criterion, content(str))["result_counts"]["passed"] == published - separators


@pytest.mark.soak
@pytest.mark.parametrize(
    ("model", "same_text_of_all", "same_text_of_sample"),
    [
        ("gpt-4o-2024-08-06", 1202, 43),
        ("claude-3-haiku-20240307", 756, 30),
        *of_the_soak(("gpt-4o-mini-2024-07-18", 1183, 42), ("gemma-2-2b-it", 648, 24)),
    ],
)
def test_zeroeval_by_the_number_in_the_answer(
    system: System, soak: bool, model: str, same_text_of_all: int, same_text_of_sample: int
) -> None:
    """Where the texts are equal, so are the numbers; the rest differs by units, dollar signs and missing quotes."""
    asked = rows(ZEROEVAL) if soak else rows(ZEROEVAL)[SAMPLE]
    same_text = same_text_of_all if soak else same_text_of_sample
    by_text = {
        "type": "string_check",
        "operation": "like",
        "input": "{{ sample.output_text }}",
        "reference": '"answer": "{{ item.answer }}"',
    }
    content = [row(question["answer"].strip("# "), question["outputs"][model]) for question in asked]
    first = graded(system, by_text, content)
    assert first["result_counts"]["passed"] == same_text
    rest = [content[item["datasource_item_id"]] for item in failed(system, first)]
    second = graded(system, {"type": "python", "source": SAME_NUMBER}, rest)
    passed = same_text + second["result_counts"]["passed"]
    assert round(100 * passed / len(asked), 2) == (PUBLISHED if soak else OF_THE_SAMPLE)[model]
