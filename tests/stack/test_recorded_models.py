"""Recorded answers of real models through the deployed stack: the scores are those of the file.

A thousand complaints, half of them the test set, with two teachers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.stack.info import StackInfo
from tests.data import cfpb
from tests.stack import oracle

pytestmark = [pytest.mark.data, pytest.mark.soak(alone=True)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    if not cfpb.FOLDER.exists():
        pytest.skip("the shared data set cfpb_complaints_14llm is not beside the checkout")
    rows = list(cfpb.rows(cfpb.FOLDER))
    path = tmp_path_factory.mktemp("cfpb") / "cfpb.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path, rows


@pytest.mark.parametrize("teacher", ["gpt-4.5-preview", "gpt-4o"])
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
    assert oracle.rows_of_verdict(stack, result) == len(test)
    assert result["notification"]["verdict"]["outcome"] == result["verdict"]["outcome"]
