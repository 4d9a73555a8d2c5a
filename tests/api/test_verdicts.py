"""A verdict by the API: the document, the words, and the same figures computed anew."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.distillation import Distillation
from distillations.verdict import Verdict
from evals import stored_figures
from evals.run import Run
from foundation import blobs
from tests.distilling import build
from tests.flow.system import FakeContext, System
from verdict.decide import decide

OUTCOMES = {
    "beats_baseline": ("p" * 60 + "f" * 40, "p" * 80 + "f" * 20),
    "worse": ("p" * 80 + "f" * 20, "p" * 60 + "f" * 40),
    "no_better": ("pf" * 200, "pf" * 200),
    "inconclusive": ("p" * 60 + "f" * 40, "p" * 63 + "f" * 37),
}


def decided(outcome: str, number: int = 1) -> Distillation:
    distillation = build.distillation("deciding", number=number, model=build.MODEL, seed=number)
    for role, letters in zip(("baseline", "distilled"), OUTCOMES[outcome], strict=True):
        build.graded(distillation, role, letters)
    build.graded(distillation, "teacher", "p" * len(OUTCOMES[outcome][0]))
    blobs.put(distillation.rows_key, b'{"item": {"input": []}}\n')
    decide(distillation.id)
    return Distillation.load(distillation.id)


def test_it_is_found_by_its_id_and_by_its_distillations(system: System) -> None:
    distillation = decided("beats_baseline")
    verdict = Verdict.load(distillation.verdict_id)
    for name in (verdict.id, distillation.id):
        assert system.ok("GET", f"/v1/verdicts/{name}") == verdict.model_dump(mode="json")
    text = system.ok("GET", f"/v1/verdicts/{distillation.id}/text")
    assert (text["id"], text["sentence"]) == (verdict.id, verdict.sentence)
    assert text["url"].endswith(f"/distillations/{distillation.id}")
    assert text["command"] == f"stillhouse verdict {distillation.id}"
    assert any(line.startswith("distilled") for line in text["lines"])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_computed_anew_it_is_the_same_whatever_was_decided_since(outcome: str, system: System) -> None:
    first = decided(outcome)
    assert Verdict.load(first.verdict_id).outcome == outcome
    decided("worse", number=2)
    again = system.ok("POST", f"/v1/verdicts/{first.verdict_id}/recompute")
    assert (again["same"], again["differs"]) == (True, [])
    assert again["verdict"] == Verdict.load(first.verdict_id).model_dump(mode="json")


def test_a_verdict_that_was_changed_is_told_from_what_the_rows_say(system: System) -> None:
    distillation = decided("worse")
    Verdict.load(distillation.verdict_id).change({"outcome": "beats_baseline", "won": 99})
    again = system.ok("POST", f"/v1/verdicts/{distillation.id}/recompute")
    assert (again["same"], again["differs"], again["verdict"]["outcome"]) == (False, ["outcome", "won"], "worse")
    assert Verdict.load(distillation.verdict_id).outcome == "beats_baseline"


@pytest.mark.parametrize("gone", ["rows", "run"])
def test_what_it_rests_on_may_be_gone(gone: str, system: System) -> None:
    distillation = decided("worse")
    if gone == "rows":
        blobs.delete([distillation.rows_key])
    else:
        Run.load(distillation.runs["teacher"]).erase()
    status, answer = system.call("POST", f"/v1/verdicts/{distillation.id}/recompute")
    assert (status, answer["error"]["code"]) == (409, {"rows": "rows_deleted", "run": "run_deleted"}[gone])


@pytest.mark.parametrize("name", ["verdict_none", "distill_1"])
def test_one_that_is_not_there_is_not_found(name: str, system: System) -> None:
    build.distillation("training")
    answer: tuple[int, Any] = system.call("GET", f"/v1/verdicts/{name}")
    assert (answer[0], answer[1]["error"]["param"]) == (404, "verdict_id")


@pytest.mark.parametrize("short_of", ["rows", "time"])
def test_what_no_request_could_read_is_refused(short_of: str, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contenders' rows are read, too."""
    distillation = build.distillation("deciding", model=build.MODEL, contenders=["gpt-6-luna"])
    for part in ("teacher", "baseline", "distilled", "gpt-6-luna"):
        build.graded(distillation, part, "p" * 20)
    blobs.put(distillation.rows_key, b'{"item": {"input": []}}\n')
    decide(distillation.id)
    if short_of == "rows":
        monkeypatch.setattr(stored_figures, "MOST_ROWS", 79)
    else:
        monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 7_000)
    status, answer = system.call("POST", f"/v1/verdicts/{distillation.id}/recompute")
    assert (status, answer["error"]["code"]) == (413, "too_many_rows")
