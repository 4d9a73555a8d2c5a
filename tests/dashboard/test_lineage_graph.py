"""The lineage of an object as a page draws it: what is alike is folded."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.lineage_graph import lineage_figure, objects


@pytest.fixture(autouse=True)
def _address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.visit.base", lambda: "")


def lineage(runs: int) -> dict[str, Any]:
    names = [f"evalrun_{number}" for number in range(runs)]
    nodes = [
        {"id": "m", "kind": "model", "side": "start"},
        {"id": "dataset_1", "kind": "dataset", "side": "up"},
        {"id": "eval_1", "kind": "eval", "side": "up"},
        *({"id": name, "kind": "run", "side": "down"} for name in names),
    ]
    edges = [{"from": "dataset_1", "to": "m"}, *({"from": "m", "to": name} for name in names)]
    edges += [{"from": "eval_1", "to": name} for name in names]
    completions = {"total": 54_321, "data": ["chatcmpl-1"], "has_more": True, "dataset_id": "dataset_1"}
    return {"id": "m", "nodes": nodes, "edges": edges, "has_more": False, "completions": completions}


def test_thousands_of_completions_are_one_box_and_so_are_many_runs() -> None:
    figure = lineage_figure(lineage(400))
    assert figure is not None
    assert figure.svg.count("<rect") == 9
    assert "54,321 of its dataset" in figure.svg
    assert "396 more" in figure.svg
    assert ["completions", "54,321 of its dataset", "dataset", "dataset_1"] in figure.rows
    assert len(figure.svg) < 20_000


def test_few_of_a_kind_have_a_box_each() -> None:
    figure = lineage_figure(lineage(5))
    assert figure is not None
    assert "more" not in figure.svg
    assert 'href="/lineage/evalrun_4"' in figure.svg


def test_objects_have_their_pages_where_these_are_known() -> None:
    listed = {one.id: one for one in objects(lineage(1))}
    assert [one.side for one in listed.values()] == ["up", "up", "start", "down"]
    assert listed["evalrun_0"].path == "/evals/eval_1/runs/evalrun_0"
    assert listed["m"].path == "/models/m"
    assert listed["eval_1"].path == "/evals/eval_1"
