"""A comparison of many models by many graders on long hostile texts is still a page."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard import rendering
from dashboard.answers import Page
from dashboard.compared import beside, matrix, most_criteria, room, slice_lines
from dashboard.pages.comparisons import OUTCOMES
from dashboard.visit import Visit
from foundation.settings import settings

_LONG = "\"<&>'\u202e" * 20_000


def _content(runs: int, criteria: int, rows: int) -> dict[str, Any]:
    rate = {"pass_rate": 0.5, "interval": [0.4, 0.6], "passed": 1, "rows": 2}
    gain = {"gain": 0.1, "interval": [-0.1, 0.3], "finding": "better", "won": 3, "lost": 1, "rows": 9}
    named = [{"id": f"c{number}", "name": _LONG, "type": "python"} for number in range(criteria)]
    statistics = {**rate, "criteria": [{**rate, "testing_criteria": part["id"]} for part in named]}
    made = {"id": "r", "name": _LONG, "model": _LONG, "statistics": statistics, "created_at": 1, "latency_ms": 1.0}
    made |= {"call_cost_usd": 1e-6, "result_counts": {"total": 9, "errored": 1}}
    scores = {"run": 0.123456, "baseline": 0.2, "difference": 0.1, "interval": None}
    comparison = {
        **gain,
        "run": rate,
        "rows_needed": 9,
        "criteria": [{**gain, "run": rate, "scores": scores} for _ in named],
    }
    comparison["slices"] = [{**gain, "key": f"k{number}", "value": _LONG[:512]} for number in range(60)]
    grades = [{"name": part["id"], "passed": False, "score": 0.5, "sample": {"reason": _LONG}} for part in named]
    output = [{"role": "assistant", "content": _LONG}]
    item = {"id": "i", "status": "fail", "results": grades, "sample": {"output": output}}
    item["datasource_item"] = {"reference": _LONG, "input": [{"role": "user", "content": _LONG}]}
    row = {"outcome": "lost", "tags": {_LONG[:40]: _LONG}, "items": [item] * runs}
    shown = [beside(row, "c1") for _ in range(rows)]
    eval_ = {"id": "e", "name": _LONG, "testing_criteria": named}
    comparisons = [comparison] * (runs - 1)
    return {
        "eval": eval_,
        "runs": [made] * runs,
        "comparisons": comparisons,
        "offered": [made] * 30,
        "chosen": ["r"],
        "names": {},
        "query": {},
        "kept": {"baseline": "r"},
        "outcomes": OUTCOMES,
        "counts": dict.fromkeys((key for key, _ in OUTCOMES), 9),
        "page": {"has_more": True, "last_id": "x"},
        "rows": shown,
        "room": room(shown),
        "most": most_criteria(runs),
        "lines": matrix(eval_, [made] * runs, comparisons),
        "slices": slice_lines(comparisons),
    }


@pytest.mark.parametrize(("runs", "rows"), [(2, 10), (3, 10), (6, 5)])
def test_a_comparison_stays_under_its_bytes(monkeypatch: pytest.MonkeyPatch, runs: int, rows: int) -> None:
    for name in ("TABLE", "BUCKET", "PROVIDER_BASE_URL", "API_URL"):
        monkeypatch.setenv(name, "http://none.test/v1")
    settings.cache_clear()
    visit = Visit("GET", "/evals/e/compare", {}, "sk-sh-session_1-0")
    html = rendering.html(Page("comparison.html", _LONG, _content(runs, 100, rows)), visit)
    assert len(html.encode()) < 200_000
    assert "\u202e" not in html
    assert "more are left out here" in html
