"""What a round's runs say of each pair, summed: differences, errors, malformed answers, latencies, costs."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from evals.counts import ChunkCounts, ResultCounts
from evals.data_sources import CompletionsSource, FileId
from evals.eval import Eval
from evals.output_items import items_key
from evals.own_rows import rows_key
from evals.run import OPEN_RUNS, Run, new_run
from foundation import blobs, ids, table
from providers.usage import ModelUsage
from rolling_out.tally import tally_of
from rollouts.gates import Gates
from rollouts.rollout import Rollout
from rollouts.round import Differences, RolloutRound, RoundRun, Side
from tests.flow.system import System
from tests.rolling_out.calls import CANDIDATE, STABLE, begun, call, push

pytestmark = pytest.mark.usefixtures("system")
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object", "required": ["a"]}}}


@pytest.fixture(autouse=True)
def prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three dollars a million tokens of the candidate, one of all others."""

    def price(model: str) -> dict[str, str]:
        usd = "3" if model == CANDIDATE else "1"
        return {"input": usd, "output": usd}

    monkeypatch.setattr("providers.prices._price", price)


def item(number: int, text: str = "yes", *, passed: bool = True, **sample: Any) -> dict[str, Any]:
    """An output item of this call."""
    usage = {"prompt_tokens": 8, "completion_tokens": 2, "cached_tokens": 0, "total_tokens": 10}
    message = {"role": "assistant", "content": text}
    errored = bool(sample.get("error"))
    return {
        "id": f"outputitem_{number}",
        "status": "pass" if passed and not errored else "fail",
        "errored": errored,
        "datasource_item": {"completion_id": f"call-{number}"},
        "results": [],
        "sample": {
            "output": [] if errored else [message],
            "finish_reason": "stop",
            "model": "",
            "usage": usage,
            "error": None,
            **sample,
        },
    }


def ended(
    rollout: Rollout, side: Side, items: list[dict[str, Any]], *, sampled: bool, status: str = "completed", **row: Any
) -> RoundRun:
    """A run that has ended with these items."""
    run_id = f"evalrun_{side}_{sampled}"
    source = CompletionsSource(type="completions", source=FileId(type="file_id", id="file-1"))
    model = CANDIDATE if side == "candidate" else STABLE
    if sampled:
        source = source.model_copy(update={"model": model})
    run = new_run(run_id, Eval.load(rollout.online_eval_id), name="r", data_source=source, rollout_id=rollout.id)
    used = ModelUsage(model_name=model, invocation_count=len(items), prompt_tokens=8, completion_tokens=2)
    run.status, run.per_model_usage = status, [used] if sampled else []  # type: ignore[assignment]
    run.answer_usage = [used]
    run.create()
    for found in items:
        found["sample"]["model"] = model
    lines = [{"item": found["datasource_item"], "request": {}, **row} for found in items]
    blobs.put(rows_key(run_id), b"\n".join(map(orjson.dumps, lines)))
    if status == "completed":
        blobs.put(items_key(run_id, 0), b"\n".join(map(orjson.dumps, items)))
        latencies = [100 * number for number in range(1, len(items) + 1)]
        ChunkCounts(
            chunk=0, chunks=1, first_row=0, counts=ResultCounts(), usage=[], criteria=[], latencies_ms=latencies
        ).write_once(run_id)
    return RoundRun(run_id=run_id, side=side, sampled=sampled)


def round_of(rollout: Rollout, *runs: RoundRun, begun_at: int | None = None) -> RolloutRound:
    at = ids.now() if begun_at is None else begun_at
    return RolloutRound(id="round_1", rollout_id=rollout.id, key="k", window=1, stage=0, begun_at=at, runs=list(runs))


def test_differences_errors_and_malformed_answers_are_those_of_each_pair() -> None:
    rollout = begun(gates=Gates(max_latency_p95_ms=250, max_cost_ratio=2.0))
    refused = {"code": "provider_400", "message": "no"}
    stable = [item(0), item(1), item(2, passed=False), item(3), item(4), item(5)]
    candidate = [
        item(0),
        item(1, passed=False),
        item(2),
        item(3, error=refused),
        item(4, finish_reason="length"),
        item(5, error={"code": "sampling_failed", "message": "odd"}),
    ]
    got, asked = (
        ended(rollout, "stable", stable, sampled=False),
        ended(rollout, "candidate", candidate, sampled=True),
    )
    tally = tally_of(rollout, round_of(rollout, got, asked))
    assert tally is not None
    assert tally.quality == Differences(worse=2, same=1, better=1)
    # An answer that was cut off is malformed, and fails whatever the criteria say.
    assert tally.malformed == Differences(worse=1, same=3, better=0)
    assert (tally.lost, tally.ungraded) == (["call-1", "call-4"], 2)
    assert (tally.candidate.asked, tally.candidate.errors, tally.candidate.users) == (5, 1, 0)
    assert (tally.stable.asked, tally.stable.errors, tally.stable.users) == (6, 0, 6)
    assert (tally.stable.failed, tally.candidate.failed, tally.candidate.malformed) == (1, 2, 1)
    # Three times the tokens' price is more than twice.
    assert (tally.priced, tally.dearer) == (4, 4)
    assert (tally.stable.cost_nanodollars, tally.candidate.cost_nanodollars) == (60_000, 120_000)
    assert (tally.candidate.timed, tally.candidate.slow) == (6, 4)
    # What users got was paid for by them.
    assert tally.spent_nanodollars == 30_000


def test_a_call_that_nobody_answered_counts_for_the_model_that_failed_alone() -> None:
    """Of three calls that the candidate refused the stable model answers one, refuses one, and one is not known."""
    rollout = begun()
    got = ended(rollout, "candidate", [item(number, error={"message": "no"}) for number in range(3)], sampled=False)
    blobs.put(
        rows_key(got.run_id),
        b"\n".join(
            orjson.dumps({"item": {"completion_id": f"call-{number}"}, "request": {}, "sample": {"error": {"m": 1}}})
            for number in range(3)
        ),
    )
    refused, odd = {"code": "provider_401", "message": "no"}, {"code": "sampling_failed", "message": "odd"}
    stable = [item(0), item(1, error=refused), item(2, error=odd)]
    tally = tally_of(rollout, round_of(rollout, got, ended(rollout, "stable", stable, sampled=True)))
    assert tally is not None
    assert (tally.candidate.asked, tally.candidate.errors) == (1, 1)
    assert (tally.stable.asked, tally.stable.errors) == (1, 0)
    assert (tally.refused_by_both, tally.ungraded, tally.quality.pairs, tally.lost) == (2, 3, 0, [])


def test_an_answer_in_another_format_than_its_request_asks_for_is_malformed() -> None:
    rollout = begun()
    got = ended(rollout, "candidate", [item(0, '{"a": 1}'), item(1, "no JSON")], sampled=False)
    request = {"response_format": SCHEMA}
    asked = ended(rollout, "stable", [item(0, "{}"), item(1, '{"a": 2}')], sampled=True, request=request)
    blobs.put(rows_key(got.run_id), blobs.get(rows_key(asked.run_id)))
    tally = tally_of(rollout, round_of(rollout, got, asked))
    assert tally is not None
    assert tally.malformed == Differences(worse=1, same=0, better=1)
    assert (tally.candidate.users, tally.stable.users) == (2, 0)


def test_calls_of_tools_that_were_not_offered_or_are_odd_are_malformed() -> None:
    rollout = begun()
    calls = [{"function": {"name": "f", "arguments": "{}"}}], [{"function": {}}], [{"odd": 1}]
    answers = [item(number) for number in range(3)]
    for answer, called in zip(answers, calls, strict=True):
        answer["sample"]["output"][0]["tool_calls"] = called
    got = ended(rollout, "stable", [item(number) for number in range(3)], sampled=False)
    asked = ended(rollout, "candidate", answers, sampled=True)
    tally = tally_of(rollout, round_of(rollout, got, asked))
    assert tally is not None
    assert (tally.malformed.worse, tally.malformed.same) == (2, 1)


def test_a_round_is_tallied_once_its_runs_have_ended_also_in_vain() -> None:
    rollout = begun()
    got = ended(rollout, "stable", [item(0), item(1)], sampled=False)
    asked = ended(rollout, "candidate", [item(0), item(1)], sampled=True, status="in_progress")
    assert tally_of(rollout, round_of(rollout, got, asked)) is None
    Run.load(asked.run_id).change({"status": "failed"})
    tally = tally_of(rollout, round_of(rollout, got, asked))
    assert tally is not None
    assert (tally.quality.pairs, tally.ungraded, tally.candidate.asked, tally.stable.users) == (0, 2, 0, 2)


def test_what_a_run_paid_before_it_was_stopped_counts() -> None:
    rollout = begun()
    asked = ended(rollout, "candidate", [item(0)], sampled=True)
    run = Run.load(asked.run_id)
    used = ModelUsage(model_name=CANDIDATE, invocation_count=1, prompt_tokens=800, completion_tokens=200)
    run.change({"status": "canceled", "per_model_usage": [], "answer_usage": []})
    ChunkCounts(chunk=1, chunks=2, first_row=1, counts=ResultCounts(), usage=[used], criteria=[]).write_once(run.id)
    blobs.put(items_key(run.id, 1), b"")
    tally = tally_of(rollout, round_of(rollout, asked))
    assert tally is not None
    assert tally.spent_nanodollars == 3_000_000


@pytest.mark.parametrize("answered", ["renamed", "untold"])
def test_what_nobody_knows_the_cost_of_counts_by_its_estimate(answered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider answers under a name of its own, or does not say what it took: the budget is spent all the same."""
    rollout = begun()
    asked = ended(rollout, "candidate", [item(0)], sampled=True)
    tokens = {"prompt_tokens": 8, "completion_tokens": 2} if answered == "renamed" else {}
    name = "its-own-name" if answered == "renamed" else CANDIDATE
    unknown, judge = (
        ModelUsage(model_name=name, invocation_count=1, **tokens),
        ModelUsage(model_name="lab-judge", invocation_count=1, prompt_tokens=100, completion_tokens=50),
    )
    price = {"input": "1", "output": "1"}
    monkeypatch.setattr("providers.prices._price", lambda model: None if model == "its-own-name" else price)
    Run.load(asked.run_id).change({"per_model_usage": [unknown, judge]})
    for expected, spent in ((9_000_000, 9_000_000), (0, 150_000)):
        round_ = round_of(rollout, asked).model_copy(update={"expected_nanodollars": expected})
        tally = tally_of(rollout, round_)
        assert tally is not None
        assert tally.spent_nanodollars == spent


def test_a_run_that_is_not_there_is_waited_for_an_hour() -> None:
    rollout = begun()
    got = ended(rollout, "stable", [item(0)], sampled=False)
    missing = RoundRun(run_id="evalrun_missing", side="candidate", sampled=True)
    assert tally_of(rollout, round_of(rollout, got, missing)) is None
    tally = tally_of(rollout, round_of(rollout, got, missing, begun_at=ids.now() - 3601))
    assert tally is not None
    assert (tally.quality.pairs, tally.stable.users) == (0, 1)
    rollout.status = "canceled"
    assert tally_of(rollout, round_of(rollout, got, missing)) is not None


def test_the_runs_of_a_tallied_round_are_in_the_list_of_open_ones_no_more(system: System) -> None:
    rollout = begun()
    push(system, *(call(number) for number in range(3)))
    assert [round_.tally is None for round_ in RolloutRound.every(rollout.id)] == [False]
    assert not list(table.query(OPEN_RUNS))
