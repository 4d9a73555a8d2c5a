"""The demo as a user runs it, on the deployed stack."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.stack.info import StackInfo
from tests.data import banking77
from tests.stack import oracle


def test_the_bundled_task(demo: Callable[..., dict[str, Any]], stack: StackInfo) -> None:
    result = demo()
    assert oracle.rows_of_verdict(stack, result) == result["baseline"]["total"]
    assert result["verdict"]["outcome"] == "beats_baseline"
    assert result["teacher"]["score"] > result["distilled"]["score"] > result["baseline"]["score"]
    assert result["notification"]["verdict"]["id"] == result["notification"]["id"]
    assert result["dataset"]["dropped"]["test_leaks"] > 0
    assert result["dataset"]["dropped"]["duplicates"] > 0
    kinds = {node["kind"] for node in result["lineage"]["nodes"]}
    assert kinds >= {"completion", "dataset", "job", "model", "run", "verdict"}


@pytest.mark.data
@pytest.mark.soak(alone=True)
def test_bank_questions_with_the_labs_own_models(demo: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """All 77 intents, with a question among them that leaks into the training set."""
    if not banking77.FOLDER.exists():
        pytest.skip("the shared data set banking77 is not beside the checkout")
    rows = list(banking77.rows(banking77.FOLDER))
    asked = sum(row["metadata"]["split"] == "test" for row in rows)
    assert asked == 3080
    path = tmp_path / "banking77.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = demo("--data", str(path))
    assert result["verdict"]["outcome"] == "beats_baseline"
    # Identical questions count once.
    assert 0.97 * asked <= result["teacher"]["total"] <= asked
    assert result["teacher"]["total"] == result["baseline"]["total"] == result["distilled"]["total"]
    assert result["dataset"]["dropped"]["test_leaks"] >= 1
