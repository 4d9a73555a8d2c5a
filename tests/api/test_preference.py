"""Datasets of pairs through the API: made of runs, without a test row, and refused where they cannot be."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from distillations.formats import format_named
from evals.data_sources import FileId
from evals.files import File
from foundation import blobs
from tests.distillations.pair_runs import Answered, ended_run
from tests.distilling import build
from tests.flow.system import System

MAILS = range(20)


@pytest.fixture
def filled(system: System) -> System:
    """Twenty mails that the teacher answered with yes, and a test row that asks what one of them asks."""
    records = [build.record(100 + number, f"mail {number}", split="train") for number in MAILS]
    build.captured(system, [*records, build.record(1, "mail 7")])
    return system


def graded() -> list[str]:
    """A run of the stored answers, of which one failed, and one of the student, who failed on all but one."""
    stored = ended_run(*(Answered(f"mail {number}", "yes", passed=number != 3) for number in MAILS))
    student = ended_run(*(Answered(f"mail {number}", "no", passed=number == 5) for number in MAILS), model="student")
    return [stored.id, student.id]


def made(system: System, recipe: dict[str, Any], **asked: Any) -> dict[str, Any]:
    body = {"source": build.source("train"), "recipe": {"validation_share": 0, **recipe}, **asked}
    name = system.ok("POST", "/v1/datasets", body)["id"]
    while system.deliver("ASSEMBLY"):
        pass
    return system.ok("GET", f"/v1/datasets/{name}")


def lines(dataset: dict[str, Any]) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in blobs.get(f"datasets/{dataset['id']}/train.jsonl").splitlines()]


def test_the_answer_that_passed_is_set_beside_the_one_that_failed_and_no_test_row_trains(filled: System) -> None:
    recipe = {"method": "dpo", "runs": graded()}
    dataset = made(filled, recipe, held_out=build.source("test"))
    assert (dataset["status"], dataset["card"]["train_rows"]) == ("ready", 17)
    assert {rule: count for rule, count in dataset["card"]["dropped"].items() if count} == {"pairs": 2, "test_leaks": 1}
    pairs = lines(dataset)
    assert pairs[0] == {
        "input": {"messages": build.asked("mail 0")},
        "preferred_output": [{"role": "assistant", "content": "yes"}],
        "non_preferred_output": [{"role": "assistant", "content": "no"}],
    }
    assert all(format_named("openai-dpo").fault(pair) is None for pair in pairs)
    asked = {pair["input"]["messages"][0]["content"] for pair in pairs}
    assert not asked & {"mail 3", "mail 5", "mail 7"}
    [row] = filled.ok("GET", f"/v1/datasets/{dataset['id']}/rows?rule=pairs&outcome=train&limit=1")["data"]
    assert row["evidence"][-1]["reason"].endswith(f"row 0 of {recipe['runs'][1]}.")
    assert made(filled, recipe, held_out=build.source("test")) == dataset


def test_a_corrected_answer_needs_no_grade(filled: System) -> None:
    message = {"content": "perhaps"}
    filled.ok("POST", "/v1/chat/completions/chatcmpl-103/correction", {"message": message})
    dataset = made(filled, {"method": "dpo", "runs": graded()})
    [pair] = [pair for pair in lines(dataset) if pair["input"]["messages"][0]["content"] == "mail 3"]
    assert pair["preferred_output"][0]["content"] == "perhaps"
    assert pair["non_preferred_output"][0]["content"] == "yes", "the teacher's own answer failed"


def test_without_pairs_the_set_fails_and_says_how_to_get_some(filled: System) -> None:
    alone = ended_run(*(Answered(f"mail {number}", "no", passed=False) for number in MAILS)).id
    dataset = made(filled, {"method": "dpo", "runs": [alone]})
    assert (dataset["status"], dataset["error"]["code"]) == ("failed", "too_few_pairs")
    assert "on their stored answers and with the student" in dataset["error"]["message"]
    assert made(filled, {"method": "dpo", "runs": [alone]}, dry_run=True)["card"]["dropped"]["pairs"] == 20


def test_runs_that_give_no_pairs_are_refused_by_their_place(filled: System) -> None:
    frozen = File(
        id="file-2", created_at=1, bytes=1, filename="t", purpose="evals", key="distillations/distill_1/rows.jsonl"
    )
    frozen.create()
    sound = graded()[0]
    for recipe, param, code in (
        ({"method": "dpo"}, "recipe", "invalid_value"),
        ({"runs": [sound]}, "recipe", "invalid_value"),
        ({"method": "dpo", "runs": ["evalrun_none"]}, "recipe.runs[0]", "not_found"),
        ({"method": "dpo", "runs": [sound, ended_run(status="failed").id]}, "recipe.runs[1]", "run_not_completed"),
        ({"method": "dpo", "runs": [ended_run(distillation_id="distill_1").id]}, "recipe.runs[0]", "test_rows"),
        (
            {"method": "dpo", "runs": [ended_run(source=FileId(type="file_id", id=frozen.id)).id]},
            "recipe.runs[0]",
            "test_rows",
        ),
    ):
        status, answer = filled.call("POST", "/v1/datasets", {"source": build.source("train"), "recipe": recipe})
        error = answer["error"]
        assert (error["param"], error["code"], status) == (param, code, 404 if code == "not_found" else 400), error


def test_a_trainer_that_takes_no_pairs_is_refused_with_those_that_do(filled: System) -> None:
    asked = {"source": build.source("train"), "recipe": {"method": "dpo", "runs": graded()}, "trainer": "bedrock"}
    status, answer = filled.call("POST", "/v1/datasets", asked)
    assert (status, answer["error"]["param"], answer["error"]["code"]) == (400, "recipe.method", "unsupported_method")
    assert all(name in answer["error"]["message"] for name in ("default", "sagemaker", "together", "fireworks", "file"))
