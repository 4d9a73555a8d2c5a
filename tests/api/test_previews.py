"""Criteria tried on stored completions: what is graded at once, what is asked only when it may be, what it costs."""

from __future__ import annotations

from typing import Any

from tests.api.rows import CHECK
from tests.flow import loop
from tests.flow.system import System
from tests.grading.build import JUDGE


def _preview(system: System, *criteria: dict[str, Any], **fields: Any) -> Any:
    source = {"type": "stored_completions", "metadata": {"tag": "tried"}}
    return system.ok("POST", "/v1/evals/preview", {"testing_criteria": list(criteria), "source": source, **fields})


def test_graders_are_tried_and_judges_asked_only_where_they_may_be(system: System) -> None:
    loop.capture(system, "tried", train=7, test=0)
    broken = {**CHECK, "name": "broken", "input": "{{ item.nothing }}"}
    lacking = {**CHECK, "name": "lacking", "input": "{{ sample.output_tools[0].name }}"}
    tried = _preview(system, CHECK, JUDGE, broken, lacking)
    assert len(tried["rows"]) == 5
    same, judged, failed, lacks = tried["rows"][0]["grades"]
    assert (same["passed"], same["score"], same["skipped"]) == (True, 1.0, False)
    assert (judged["skipped"], judged["passed"]) == (True, None)
    assert (failed["passed"], "nothing" in failed["error"]) == (None, True)
    assert (lacks["passed"], lacks["error"]) == (False, None)
    assert tried["rows"][0]["output"][0]["content"] == tried["rows"][0]["item"]["reference"]
    ((model, calls),) = [(asked["model"], asked["calls"]) for asked in tried["models"]]
    assert (model, calls) == (JUDGE["model"], 5)
    assert tried["cost_usd"] == 0
    asked = _preview(system, JUDGE, rows=2, ask_models=True)
    assert [row["grades"][0]["passed"] for row in asked["rows"]] == [True, True]
    assert asked["rows"][0]["grades"][0]["sample"]["label"] == "correct"
    assert system.ok("GET", "/v1/evals")["data"] == []


def test_what_cannot_be_tried_is_refused(system: System) -> None:
    loop.capture(system, "tried", train=1, test=0)
    source = {"type": "stored_completions", "metadata": {"tag": "nobody"}}
    for body, status, param in (
        ({"testing_criteria": [CHECK], "source": source}, 400, "source"),
        (
            {"testing_criteria": [{**JUDGE, "model": "unheard-of"}], "source": source},
            404,
            "testing_criteria[0].model",
        ),
        ({"testing_criteria": [{**CHECK, "operation": "odd"}], "source": source}, 400, "testing_criteria[0].operation"),
        ({"testing_criteria": [CHECK], "source": source, "rows": 11}, 400, "rows"),
    ):
        answer = system.call("POST", "/v1/evals/preview", body)
        assert (answer[0], answer[1]["error"]["param"]) == (status, param), answer
