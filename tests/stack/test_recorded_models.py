"""Recorded answers of real models through the deployed stack: the scores are those of the file.

All thousand complaints and both teachers in the soak, else every fourth of the training and of the test set with one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.stack.info import StackInfo
from tests.data import cfpb
from tests.stack import api, oracle

pytestmark = [pytest.mark.data, pytest.mark.soak]


@pytest.fixture(scope="module")
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    if not cfpb.FOLDER.exists():
        pytest.skip("the shared data set cfpb_complaints_14llm is not beside the checkout")
    every = 1 if request.config.getoption("--soak") else 4
    # Training and test rows take turns.
    rows = [row for number, row in enumerate(cfpb.rows(cfpb.FOLDER)) if number // 2 % every == 0]
    path = tmp_path_factory.mktemp("cfpb") / "cfpb.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path, rows


@pytest.mark.parametrize("teacher", [pytest.param("gpt-4.5-preview", marks=pytest.mark.soak(alone=True)), "gpt-4o"])
def test_consumer_complaints(
    teacher: str, data: tuple[Path, list[dict[str, Any]]], demo: Callable[..., dict[str, Any]], stack: StackInfo
) -> None:
    path, rows = data
    student = "gpt-4o-mini"

    result = demo("--data", str(path), "--teacher", teacher, "--student", student)

    test = [row for row in rows if row["metadata"]["split"] == "test"]
    for role, model in (("teacher", teacher), ("baseline", student)):
        passed = sum(row["answers"][model] == row["reference"] for row in test)
        assert (result[role]["passed"], result[role]["total"]) == (passed, len(test)), role
    verdict = result["verdict"]
    paired = api.paired_outcomes(stack, verdict_of=result)
    assert len(paired) == len(test)
    won = sum(distilled > baseline for baseline, distilled in paired)
    lost = sum(distilled < baseline for baseline, distilled in paired)
    expected = oracle.figures(len(paired), won, lost)
    assert verdict["gain"] == pytest.approx(expected.gain)
    assert verdict["interval"] == pytest.approx(expected.interval, abs=1e-6)
    assert verdict["p_value"] == pytest.approx(expected.p_value, rel=1e-9)
    assert verdict["outcome"] == outcome(expected)
    assert result["notification"]["verdict"]["outcome"] == verdict["outcome"]


def outcome(figures: oracle.Figures) -> str:
    """The rules of a verdict with their defaults."""
    low, high = figures.interval
    if low > 0 and figures.p_value < 0.05:
        return "beats_baseline"
    if high < 0:
        return "worse"
    return "no_better" if high < 0.02 else "inconclusive"
