"""The rules in their order, and the verdict as it is written, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import jsonschema
import orjson
import pytest

from distillations import lineage
from distillations.attempts import Attempt
from distillations.deciding.evidence import Evidence
from distillations.deciding.rules import decision_of
from distillations.distillation import Distillation
from distillations.gate import Gate
from distillations.verdict import Verdict
from distillations.verdict_parts import RowsNeeded
from evals.calibrations import Calibration, graders_of
from evals.counts import ChunkCounts, ResultCounts
from evals.data_sources import FileId, JsonlSource
from evals.eval import Eval
from evals.output_items import items_key
from evals.run import Run, new_run
from foundation import blobs, table
from local.reference.files import VERDICT
from providers.model_version import ModelVersion
from providers.usage import ModelUsage
from stats import Interval, mcnemar_exact, rows_needed, tango_interval
from stats import PairedCounts as Counts
from tests.distillations import documents
from tests.distillations.deciding.tables import evidence
from tests.distilling import build
from tests.flow.system import System
from verdict.decide import decide

# ------------------------------------------------------------------ the rules


@pytest.mark.parametrize(
    ("won", "lost", "n", "outcome"),
    [
        (9, 1, 100, "beats_baseline"),  # 2.3 to 15.4 points, p = 0.021
        (7, 1, 100, "inconclusive"),  # 0.6 to 12.9 points, but p = 0.070
        (5, 0, 100, "inconclusive"),  # 1.1 to 11.2 points, but p = 0.0625
        (8, 2, 100, "inconclusive"),  # -0.2 to 13.4 points
        (1, 9, 100, "worse"),  # -15.4 to -2.3 points
        (3, 3, 400, "no_better"),  # -1.5 to 1.5 points
        (10, 8, 1000, "no_better"),  # -0.7 to 1.1 points
        (2, 1, 200, "inconclusive"),  # -1.9 to 3.1 points: a useful gain is not excluded
        (0, 0, 0, "inconclusive"),
    ],
)
def test_the_decision_of_a_table(won: int, lost: int, n: int, outcome: str) -> None:
    assert decision_of(evidence(won, lost, n), Gate()) == outcome


def with_interval(low: float, high: float, p_value: float = 0.01) -> Evidence:
    return replace(evidence(9, 1, 100), gain_interval=Interval(low, high), p_value=p_value)


@pytest.mark.parametrize(
    ("low", "high", "p_value", "gate", "outcome"),
    [
        (0.03, 0.10, 0.01, Gate(min_gain=0.03), "inconclusive"),  # the lower end must be above
        (0.0301, 0.10, 0.01, Gate(min_gain=0.03), "beats_baseline"),
        (0.03, 0.10, 0.05, Gate(), "inconclusive"),  # p must be below
        (0.03, 0.10, 0.0499, Gate(), "beats_baseline"),
        (-0.10, 0.0, 0.01, Gate(), "no_better"),  # the upper end must be below 0 to be worse
        (-0.10, -1e-9, 0.01, Gate(), "worse"),
        (-0.01, 0.02, 1.0, Gate(), "inconclusive"),  # and below the useful gain to be no better
        (-0.01, 0.0199, 1.0, Gate(), "no_better"),
        (-0.01, 0.04, 1.0, Gate(useful_gain=0.05), "no_better"),
        (-0.01, 0.04, 1.0, Gate(min_gain=0.05), "no_better"),  # what is useful is at least the minimum
        (0.001, 0.01, 0.01, Gate(), "beats_baseline"),  # the first rule that holds
        (0.001, 0.01, 0.2, Gate(), "no_better"),
        (0.01, 0.10, 0.3, Gate(group_by="user"), "beats_baseline"),  # p knows nothing of groups
    ],
)
def test_the_boundaries(low: float, high: float, p_value: float, gate: Gate, outcome: str) -> None:
    assert decision_of(with_interval(low, high, p_value), gate) == outcome


def test_more_than_two_percent_dropped_decides_nothing() -> None:
    assert decision_of(evidence(20, 1, 98, dropped=2), Gate()) == "beats_baseline"
    assert decision_of(evidence(20, 1, 97, dropped=3), Gate()) == "inconclusive"
    assert decision_of(evidence(1, 20, 97, dropped=3), Gate()) == "inconclusive"


def test_too_few_groups_decide_nothing() -> None:
    assert decision_of(replace(evidence(20, 1, 98), gain_interval=None), Gate(group_by="user")) == "inconclusive"


# ------------------------------------------------------------------ the verdict

TEACHER, BASELINE, DISTILLED = "p" * 95 + "f" * 5, "p" * 60 + "f" * 40, "p" * 80 + "f" * 20
USED = {
    # Ten calls of 1000 and 100 tokens each, at list prices: 2.5/10, 0.15/0.6 and 0.3/1.2 dollars.
    "teacher": ModelUsage(model_name=build.TEACHER, invocation_count=10, prompt_tokens=10_000, completion_tokens=1000),
    "baseline": ModelUsage(model_name=build.STUDENT, invocation_count=10, prompt_tokens=10_000, completion_tokens=1000),
    "distilled": ModelUsage(model_name=build.MODEL, invocation_count=10, prompt_tokens=10_000, completion_tokens=1000),
}


def deciding(
    *,
    number: int = 1,
    rows: int = 100,
    usage: dict[str, list[ModelUsage]] | None = None,
    letters: tuple[str, str, str] = (TEACHER, BASELINE, DISTILLED),
    **fields: Any,
) -> Distillation:
    """Three runs graded, frozen rows in place."""
    distillation = build.distillation(
        "deciding", number=number, dataset_id="dataset_1", job_id="ftjob-1", model=build.MODEL, **fields
    )
    used = usage or {role: [usage] for role, usage in USED.items()}
    for role, of_role in zip(("teacher", "baseline", "distilled"), letters, strict=True):
        build.graded(distillation, role, of_role, usage=used.get(role, []))
    blobs.put(distillation.rows_key, b"\n".join(_row(place, teacher=distillation.teacher) for place in range(rows)))
    return Distillation.load(distillation.id)


def _row(place: int, *, teacher: str) -> bytes:
    """The stored answer in a row is the teacher's: another teacher's rows are other bytes."""
    item = {"input": build.asked(f"mail {place}"), "completion_id": f"chatcmpl-{place}"}
    return orjson.dumps({"item": item, "sample": {"model": teacher}})


def test_the_verdict_carries_its_evidence(system: System) -> None:
    distillation = deciding(plan=documents.plan(rows_needed=77), gate={"margin": 0.1, "min_gain": 0.05}, seed=9)

    decide(distillation.id)

    verdict = Verdict.load(distillation.verdict_id).model_dump(mode="json")
    assert verdict["outcome"] == "beats_baseline"
    assert (verdict["rows"], verdict["dropped"], verdict["won"], verdict["lost"]) == (100, 0, 20, 0)
    assert verdict["gain"] == pytest.approx(0.2)
    assert verdict["interval"] == list(tango_interval(Counts(100, 20, 0)))
    assert verdict["scores"]["distilled"]["model"] == build.MODEL
    assert (verdict["scores"]["teacher"]["passed"], verdict["scores"]["baseline"]["score"]) == (95, 0.6)
    assert verdict["gap_closed"] == pytest.approx(20 / 35)
    assert verdict["as_good_as_teacher"] is False
    assert verdict["rows_needed"] == {"planned": 77, "observed": rows_needed(0.2, 0.2, min_gain=0.05)}
    assert (verdict["latency_ms"]["teacher"], verdict["prices_as_of"][:2]) == (8.0, "20")
    assert verdict["latency_from"] == dict.fromkeys(("teacher", "baseline", "distilled"), "stored")
    assert (verdict["runs"], verdict["dataset_id"], verdict["job_id"]) == (distillation.runs, "dataset_1", "ftjob-1")
    assert len(verdict["won_items"]) == 20
    assert verdict["lost_items"] == verdict["slices_worse"] == []
    assert (verdict["earlier_verdicts"], verdict["seed"], verdict["gate"]["margin"]) == (0, 9, 0.1)
    up = {node["id"] for node in lineage.graph(distillation.verdict_id)["nodes"] if node["side"] == "up"}
    assert up == {*distillation.runs.values(), build.MODEL}
    assert system.deliver("NOTIFY")
    assert system.deliver("DISTILLING")
    assert Distillation.load(distillation.id).verdict == Verdict.load(distillation.verdict_id)


@pytest.mark.parametrize(
    ("baseline", "distilled", "outcome"),
    [
        ("p" * 60 + "f" * 40, "p" * 80 + "f" * 20, "beats_baseline"),
        ("p" * 80 + "f" * 20, "p" * 60 + "f" * 40, "worse"),
        ("p" * 60 + "f" * 40, "p" * 60 + "f" * 40, "no_better"),
        ("p" * 60 + "f" * 40, "p" * 61 + "f" * 39, "inconclusive"),
    ],
)
def test_a_verdict_of_each_outcome_is_what_the_published_schema_says(
    baseline: str, distilled: str, outcome: str, system: System
) -> None:
    distillation = deciding(letters=(TEACHER, baseline, distilled), gate={"useful_gain": 0.04})
    decide(distillation.id)
    told = system.ok("GET", f"/v1/verdicts/{distillation.verdict_id}")
    assert told["outcome"] == outcome
    schema = orjson.loads(VERDICT.read_bytes())
    assert [error.json_path for error in jsonschema.Draft202012Validator(schema).iter_errors(told)] == []


def test_a_truncated_answer_is_lost_and_an_error_takes_the_row_out(system: System) -> None:  # noqa: ARG001
    distillation = build.distillation("deciding", model=build.MODEL)
    for role, letters in (("teacher", "ppp"), ("baseline", "ppp"), ("distilled", "pte")):
        build.graded(distillation, role, letters)
    blobs.put(distillation.rows_key, _row(0, teacher=distillation.teacher))
    decide(distillation.id)
    verdict = Verdict.load(distillation.verdict_id)
    assert (verdict.rows, verdict.dropped, verdict.won, verdict.lost) == (2, 1, 0, 1)
    assert (verdict.outcome, verdict.scores["distilled"].passed) == ("inconclusive", 1)


def test_as_good_as_the_teacher_is_within_the_margin(system: System) -> None:  # noqa: ARG001
    low = tango_interval(Counts(100, 0, 15), 0.9).low
    for number, (margin, good) in enumerate([(-low + 1e-6, True), (-low - 1e-6, False)]):
        distillation = deciding(number=number, gate={"margin": margin})
        decide(distillation.id)
        verdict = Verdict.load(distillation.verdict_id)
        assert (verdict.as_good_as_teacher, verdict.noninferiority_bound) == (good, low)


def test_rows_are_needed_only_for_a_gain_above_the_minimum(system: System) -> None:  # noqa: ARG001
    distillation = deciding(gate={"min_gain": 0.2})
    decide(distillation.id)
    verdict = Verdict.load(distillation.verdict_id)
    assert (verdict.outcome, verdict.rows_needed) == ("inconclusive", RowsNeeded())


def test_costs_by_hand(system: System) -> None:  # noqa: ARG001
    # A call: teacher 1000 * 2.5 + 100 * 10 = 3500, baseline 150 + 60 = 210, distilled 300 + 120 = 420.
    distillation = deciding()
    decide(distillation.id)
    ratio = Verdict.load(distillation.verdict_id).cost_ratio
    assert ratio == {"teacher": 1.0, "baseline": pytest.approx(210 / 3500), "distilled": pytest.approx(420 / 3500)}


def test_tokens_saved_are_told_where_the_recipe_has_a_prompt_of_its_own(system: System) -> None:  # noqa: ARG001
    short = {"distilled": [USED["distilled"].model_copy(update={"prompt_tokens": 400})]}
    usage = {**{role: [used] for role, used in USED.items()}, **short}
    recipe = {"steps": [{"rule": "prompt", "text": "Sort."}]}
    for number, (given, saved) in enumerate([(recipe, 960.0), ({"steps": []}, None)]):
        distillation = deciding(number=number, usage=usage, recipe=given)
        decide(distillation.id)
        verdict = Verdict.load(distillation.verdict_id)
        assert verdict.prompt_tokens == {"teacher": 1000.0, "baseline": 1000.0, "distilled": 40.0}
        assert verdict.prompt_tokens_saved == saved


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        # The same tokens in half the calls: a call costs twice as much.
        ({"distilled": [USED["distilled"].model_copy(update={"invocation_count": 5})]}, (0.06, 0.24)),
        # Nothing is known of the distilled model's use: no figure.
        ({"distilled": []}, (0.06, None)),
        # A model without a price has no ratio, and without the teacher's nobody has.
        ({"distilled": [USED["distilled"].model_copy(update={"model_name": "lab"})]}, (0.06, None)),
        ({"teacher": []}, (None, None)),
        # The teacher answered as a dated snapshot.
        ({"teacher": [USED["teacher"].model_copy(update={"model_name": "gpt-4o-2024-08-06"})]}, (0.06, 0.12)),
    ],
)
def test_a_ratio_is_known_or_null(usage: Any, expected: Any, system: System) -> None:  # noqa: ARG001
    distillation = deciding(usage={**{role: [used] for role, used in USED.items()}, **usage})
    decide(distillation.id)
    ratio = Verdict.load(distillation.verdict_id).cost_ratio
    baseline, distilled = expected
    assert (ratio["baseline"], ratio["distilled"]) == (
        pytest.approx(baseline) if baseline else None,
        pytest.approx(distilled) if distilled else None,
    )


def test_calls_are_shown_by_their_price_and_their_quantiles(system: System) -> None:  # noqa: ARG001
    distillation = deciding()
    Run.load(distillation.runs["teacher"]).change({"latency_p50_ms": 7, "latency_p95_ms": 90})
    decide(distillation.id)
    calls = Verdict.load(distillation.verdict_id).calls
    assert {role: round(figures.usd_per_1000 or 0, 9) for role, figures in calls.items()} == {
        "teacher": 3.5,
        "baseline": 0.21,
        "distilled": 0.42,
    }
    assert (calls["teacher"].latency_p50_ms, calls["teacher"].latency_p95_ms, calls["teacher"].timed_calls) == (
        7,
        90,
        100,
    )


def test_what_was_paid_for_is_held_against_what_a_call_saves(system: System) -> None:  # noqa: ARG001
    distillation = deciding()
    build.job(distillation, cost_usd=6.16, status="succeeded")
    ModelVersion(id=build.MODEL, created_at=1, base=build.STUDENT, trainer="default").create()
    decide(distillation.id)
    saving = Verdict.load(distillation.verdict_id).saving
    assert saving
    # The answers were all found paid: these runs cost nothing, and what a call costs is known all the same.
    assert (saving.training_usd, saving.evals_usd, saving.idle_usd_per_month) == (6.16, 0.0, 0.0)
    assert saving.usd_per_1000 == pytest.approx(3.08)
    assert (saving.break_even_requests, saving.requests_per_month, saving.usd_per_month) == (2000, None, None)


def test_slices_that_got_worse_are_bounded_and_have_their_p(system: System) -> None:  # noqa: ARG001
    distillation = build.distillation("deciding", model=build.MODEL)
    tags = [{f"k{key}": f"v{place % 2}" for key in range(20)} for place in range(80)]
    for role, letters in (("teacher", "p" * 80), ("baseline", "pf" * 40), ("distilled", "ff" * 40)):
        build.graded(distillation, role, letters, metadata=tags)
    blobs.put(distillation.rows_key, _row(0, teacher=distillation.teacher))
    decide(distillation.id)
    worse = Verdict.load(distillation.verdict_id).slices_worse
    assert {part.tag for part in worse} == {f"k{key}=v0" for key in range(20)}
    assert all(part.adjusted_p_value and part.adjusted_p_value < 0.05 for part in worse)


# ------------------------------------------------------------------ its judges

TONE = {
    "type": "label_model",
    "id": "judged-1",
    "name": "judged",
    "model": "judge-1",
    "input": [{"role": "user", "content": "{{ sample.output_text }}"}],
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}


def calibrated(eval_: Eval) -> str:
    """A run of four rows that the judge passed, of which people let three pass."""
    (judge,) = [criterion for criterion in graders_of(eval_) if criterion.name == "judged"]
    source = JsonlSource(type="jsonl", source=FileId(type="file_id", id="f"))
    run = new_run("evalrun_c", eval_, name="c", data_source=source)
    run.create()
    grade = {"name": "judged-1", "type": "label_model", "passed": True, "score": 1, "sample": {"label": "good"}}
    items = [
        {"id": f"item-{n}", "datasource_item_id": n, "results": [grade], "sample": {"model": "small"}} for n in range(4)
    ]
    blobs.put(items_key(run.id, 0), b"\n".join(orjson.dumps(item) for item in items))
    counts = ResultCounts(total=4, passed=4)
    ChunkCounts(chunk=0, chunks=1, first_row=0, counts=counts, usage=[], criteria=[]).write_once(run.id)
    run.finish(status="completed")
    calibration = Calibration(
        id="calib_1",
        created_at=build.AT,
        eval_id=eval_.id,
        run_id=run.id,
        name="c",
        criterion="judged",
        criterion_id="judged-1",
        model="judge-1",
        rubric=judge.rubric,
        compared="label",
        passing=["good"],
        labels=[(n, ["good" if n else "bad"]) for n in range(4)],
        paid=True,
    )
    calibration.create()
    return calibration.id


def test_the_verdict_shows_what_its_judges_are_worth(system: System) -> None:  # noqa: ARG001
    distillation = deciding()
    eval_ = Eval.load(distillation.eval_id)
    eval_.change({"testing_criteria": [TONE, {**TONE, "id": "second-1", "name": "second", "fence": False}]})
    calibration_id = calibrated(Eval.load(distillation.eval_id))

    decide(distillation.id)

    judges = Verdict.load(distillation.verdict_id).model_dump(mode="json")["judges"]
    assert judges["second"] is None
    card = judges["judged"]
    assert (card["calibration_id"], card["model"], card["n"], card["stale"]) == (calibration_id, "judge-1", 4, False)
    assert (card["agreement"], card["kappa"], card["false_pass"], card["false_fail"]) == (0.75, 0, 1, 0)


def test_an_eval_without_judges_shows_none(system: System) -> None:  # noqa: ARG001
    distillation = deciding()
    decide(distillation.id)
    assert Verdict.load(distillation.verdict_id).judges == {}


# ------------------------------------------------------------------ once


def test_a_verdict_that_was_left_out_of_the_list_is_in_it_after_the_next_delivery(system: System) -> None:  # noqa: ARG001
    distillation = deciding()
    decide(distillation.id)
    [entry] = table.query("LIST#VERDICT")
    table.delete("LIST#VERDICT", entry["sk"])
    decide(distillation.id)
    assert [verdict.id for verdict in Verdict.page().data] == [distillation.verdict_id]


def test_a_redelivery_does_not_decide_again(system: System) -> None:
    distillation = deciding()
    decide(distillation.id)
    first = Verdict.load(distillation.verdict_id)
    blobs.put(
        f"runs/{distillation.runs['distilled']}/chunks/000000.jsonl", b""
    )  # what is decided is not looked at again

    decide(distillation.id)

    assert Verdict.load(distillation.verdict_id) == first
    assert {(sent["type"], sent["distillation_id"]) for sent in build.sent(system, "NOTIFY")} == {
        ("VerdictDecided", distillation.id)
    }


def interrupted(distillation: Distillation, target: str, patch: pytest.MonkeyPatch) -> None:
    with patch.context() as patched:
        patched.setattr(target, _crash)
        with pytest.raises(InterruptedError):
            decide(distillation.id)


def _crash(*_: Any, **__: Any) -> None:
    raise InterruptedError


def test_a_crash_before_the_verdict_was_announced_announces_it_with_the_next_delivery(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    distillation = deciding()
    interrupted(distillation, "verdict.decide.bus.send", monkeypatch)
    written = Verdict.load(distillation.verdict_id)
    assert build.sent(system, "NOTIFY") == []

    decide(distillation.id)

    assert [sent["type"] for sent in build.sent(system, "NOTIFY")] == ["VerdictDecided"]
    assert Verdict.load(distillation.verdict_id) == written


def test_a_message_for_another_goes_back(system: System) -> None:
    message = '{"type":"PlanRun","run_id":"evalrun_1"}'
    boto3.client("sqs").send_message(QueueUrl=system.queues["VERDICT"], MessageBody=message)
    for _ in range(7):
        system.deliver("VERDICT")
    assert system.dead("VERDICT") == [message]


@pytest.mark.parametrize("status", ["cancelled", "completed"])
def test_what_has_ended_is_not_decided(status: str, system: System) -> None:
    distillation = deciding()
    distillation.change({"status": status})
    decide(distillation.id)
    assert Verdict.find(distillation.verdict_id) is None
    assert build.sent(system, "NOTIFY") == []


# ------------------------------------------------------------------ earlier verdicts


@pytest.fixture
def earlier(system: System) -> Callable[[Distillation], int]:  # noqa: ARG001
    def count(number: Distillation) -> int:
        decide(number.id)
        return Verdict.load(number.verdict_id).earlier_verdicts

    return count


def test_verdicts_of_this_eval_on_these_rows_are_counted(earlier: Callable[[Distillation], int]) -> None:
    assert earlier(deciding(number=1)) == 0
    assert earlier(deciding(number=2)) == 1
    assert earlier(deciding(number=3, teacher="another-teacher")) == 2
    assert earlier(deciding(number=4, rows=99)) == 0


def test_earlier_verdicts_are_corrected_for_and_sweeps_are_counted(earlier: Callable[[Distillation], int]) -> None:
    tried = [Attempt(student=build.STUDENT, hyperparameters={}, job_id=f"ftjob-{n}") for n in range(3)]
    earlier(deciding(number=1, attempts=tried))
    second = deciding(number=2)
    earlier(second)
    reuse = Verdict.load(second.verdict_id).reuse
    assert reuse
    assert (reuse.looks, reuse.sweeps, reuse.outcome_holds) == (2, 1, True)
    assert reuse.adjusted_p_value == pytest.approx(2 * mcnemar_exact(20, 0))
    assert reuse.interval == tango_interval(Counts(100, 20, 0), 0.975)


def test_a_verdict_does_not_count_itself(earlier: Callable[[Distillation], int], monkeypatch: Any) -> None:
    distillation = deciding()
    interrupted(distillation, "distillations.verdict.Verdict.create", monkeypatch)
    assert earlier(distillation) == 0
