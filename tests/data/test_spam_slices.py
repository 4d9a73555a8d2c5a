"""Classifiers of the SMS spam collection, as published row by row, through the API: who never says spam is caught."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.api.rows import create_eval, graded
from tests.flow.system import System

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "sms_spam_gpt4_ft"
NAMES = ("ham", "spam")

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="needs ../shared/data/sms_spam_gpt4_ft"),
]


def rows(column: str) -> list[dict[str, Any]]:
    with (FOLDER / "test_set.csv").open(encoding="utf-8", newline="") as lines:
        return [
            {
                "item": {"text": record["Text"], "reference": NAMES[int(record["Spam"])], "id": record["id"]},
                "sample": {"output_text": NAMES[int(float(record[column]))]},
            }
            for record in csv.DictReader(lines)
        ]


def run(system: System, eval_id: str, column: str) -> str:
    return graded(system, eval_id, rows(column))


def test_a_classifier_that_never_says_spam_is_caught_although_its_accuracy_looks_fine(system: System) -> None:
    eval_id = create_eval(system)
    never, bert = run(system, eval_id, "ft_cnn_adam"), run(system, eval_id, "ft_bert_adam")
    url = f"/v1/evals/{eval_id}/runs"
    statistics = system.ok("GET", f"{url}/{never}")["statistics"]
    assert statistics["pass_rate"] == pytest.approx(0.8662, abs=5e-5), "as published"

    # Nobody has to know which column to look at.
    answer = system.ok("GET", f"{url}/{never}/slices")
    worst = answer["slices"][0]
    assert (worst["key"], worst["value"], worst["finding"]) == ("item.reference", "spam", "worse")
    assert (worst["passed"], worst["pass_rate"], worst["rest"]["pass_rate"]) == (0, 0.0, 1.0)
    assert worst["interval"][1] < 0.03
    assert worst["adjusted_p_value"] < 1e-100
    assert {omission["key"] for omission in answer["left_out"]} == {"item.id", "item.text"}

    sound = {slice_["value"]: slice_ for slice_ in system.ok("GET", f"{url}/{bert}/slices?by=item.reference")["slices"]}
    assert sound["spam"]["pass_rate"] > 0.9

    # Against each other: the gain lies in the spam alone.
    compared = system.ok("GET", f"{url}/{bert}/comparison?baseline={never}&slices=item.reference")
    slices = {slice_["value"]: slice_ for slice_ in compared["slices"]}
    assert compared["finding"] == slices["spam"]["finding"] == "better"
    assert slices["ham"]["gain"] <= 0


def test_classifiers_that_are_as_good_are_noise(system: System) -> None:
    eval_id = create_eval(system)
    ours, theirs = run(system, eval_id, "ft_roberta_adam"), run(system, eval_id, "gpt_ft_prediction")
    answer = system.ok("GET", f"/v1/evals/{eval_id}/runs/{ours}/comparison?baseline={theirs}")
    assert answer["run"]["pass_rate"] == pytest.approx(0.9838, abs=5e-5)
    assert answer["baseline"]["pass_rate"] == pytest.approx(0.9829, abs=5e-5)
    assert answer["finding"] == "noise"
    assert answer["rows_needed"] > 10_000
