import dataclasses
import io
import json

from rich.console import Console

from local.demo import report
from local.demo.report import Report
from tests.distillations import documents

VERDICT = documents.verdict(
    sentence="It is better [really].",
    rows_needed={"planned": 400, "observed": 90},
    cost_ratio={"teacher": 1.0, "baseline": 0.1, "distilled": None},
)
GRAPH = {
    "id": "c1",
    "nodes": [
        {"id": "c1", "kind": "completion"},
        {"id": "d1", "kind": "dataset"},
        {"id": "j1", "kind": "job"},
        {"id": "m1", "kind": "model_version"},
        {"id": "v1", "kind": "verdict"},
    ],
    "edges": [
        {"from": "c1", "to": "d1"},
        {"from": "d1", "to": "j1"},
        {"from": "j1", "to": "m1"},
        {"from": "m1", "to": "v1"},
        {"from": "c1", "to": "v1"},
    ],
}


def made(verdict=VERDICT, plan=None):
    return Report(
        distillation=documents.distillation(verdict=verdict, plan=plan),
        card=documents.card(rows=9, dropped={"duplicates": 1}),
        notification={"type": "verdict", "id": "v1", "verdict": {}},
        lineage=GRAPH,
        seconds={"push": 1.23456, "total": 2.0},
    )


def test_the_json_has_exactly_the_promised_fields():
    out = json.loads(json.dumps(made().document()))
    assert list(out) == [
        "teacher",
        "baseline",
        "distilled",
        "verdict",
        "notification",
        "dataset",
        "lineage",
        "seconds",
    ]
    assert out["teacher"] == VERDICT.scores["teacher"].model_dump(mode="json")
    assert out["verdict"] == {
        "outcome": "beats_baseline",
        "gain": 0.12,
        "interval": [0.05, 0.2],
        "p_value": 0.0041809,
        "gap_closed": 0.8,
        "rows_needed": {"planned": 400, "observed": 90},
    }
    assert out["dataset"] == {"id": "dataset_1", "rows": 9, "dropped": {"duplicates": 1}}
    assert out["notification"] == {"type": "verdict", "id": "v1", "verdict": {}}
    assert out["lineage"] == GRAPH
    assert out["seconds"] == {"push": 1.23, "total": 2.0}


def test_where_it_was_blocked_the_plans_figures_stand():
    out = made(verdict=None, plan=documents.plan()).document()
    assert out["teacher"]["model"] == "gpt-4o"
    assert out["distilled"] is None
    assert out["verdict"] is None


def test_everything_is_shown():
    console = Console(file=io.StringIO(), width=120)
    report.show(console, made(), "c1")
    text = console.file.getvalue()
    for wanted in ("88 of 100", "88.0%", "80.2% to 93.0%", "no price", "0.1", "It is better [really].", "2.0"):
        assert wanted in text


def test_where_the_stack_stays_up_the_page_and_the_key_to_look_at_it_are_told():
    console = Console(file=io.StringIO(), width=200)
    looked = dataclasses.replace(made(), look=("http://127.0.0.1:4610", "sk-sh-first-x"))
    report.show(console, looked, "c1")
    text = console.file.getvalue()
    assert f"http://127.0.0.1:4610/distillations/{looked.distillation.id}" in text
    assert "sk-sh-first-x" in text
    assert "make local-up" not in text


def test_the_tree_draws_what_two_paths_reach_once():
    console = Console(file=io.StringIO(), width=120)
    console.print(report.tree(GRAPH, "c1"))
    lines = console.file.getvalue().splitlines()
    assert [line.strip(" ├└─│").strip() for line in lines] == [
        "completion c1",
        "dataset d1",
        "job j1",
        "model version m1",
        "verdict v1",
        "verdict v1 (above)",
    ]
