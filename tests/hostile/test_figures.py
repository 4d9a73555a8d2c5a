"""Every count adds up to what went in, and every figure says what it rests on, or is null.
Nothing is shown as a comparison that was measured in two different ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from distillations.verdict import Verdict
from distilling.advance import advance
from foundation import blobs, bus
from foundation.events import AssembleDataset, DecideVerdict
from stillhouse.importing import report
from stillhouse.importing.state import Counts
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System
from tests.hostile import acts


def used(system: System) -> dict[str, Any]:
    (group,) = system.ok("GET", "/v1/usage")["data"]
    group_: dict[str, Any] = group
    return group_


def test_completions_without_usage_cost_null(system: System) -> None:
    acts.stored(system, acts.record("chatcmpl-1", response={"usage": None}))
    assert used(system)["cost_usd"] is None


def test_a_cost_says_how_many_completions_it_leaves_out(system: System) -> None:
    acts.stored(system, acts.record("chatcmpl-1"), acts.record("chatcmpl-2", response={"usage": None}))
    usage = used(system)
    assert usage["completions"] == 2
    assert usage["without_usage"] == 1


def decided(system: System, **rows: str) -> dict[str, Any]:
    distillation = build.distillation("deciding", model=build.MODEL)
    blobs.put(distillation.rows_key, b'{"item": {"input": []}}\n')
    for role in ("teacher", "baseline", "distilled"):
        build.graded(distillation, role, rows[role])
    bus.send(DecideVerdict(distillation_id=distillation.id))
    acts.deliver_all(system)
    return Verdict.load(distillation.verdict_id).model_dump(mode="json")


def test_models_that_pass_the_same_188_rows_are_as_good(system: System) -> None:
    """Non-inferiority is a claim of one side: the lower bound of a 90% interval, 1.4 points here, not 2.0."""
    verdict = decided(system, teacher="p" * 188, baseline="f" * 188, distilled="p" * 188)
    assert verdict["as_good_as_teacher"] is True


@pytest.mark.parametrize("rows", [5, 60])
def test_few_rows_show_nothing_of_the_kind(rows: int, system: System) -> None:
    verdict = decided(system, teacher="p" * rows, baseline="f" * rows, distilled="p" * rows)
    assert verdict["as_good_as_teacher"] is False


def test_the_latency_of_stored_answers_is_not_beside_one_under_load(system: System) -> None:
    verdict = decided(system, teacher="p" * 10, baseline="f" * 10, distilled="p" * 10)
    labels = [value for name, value in verdict.items() if name.startswith("latency") and name != "latency_ms"]
    assert verdict["latency_ms"]["teacher"] is None or "stored" in str(labels)


def test_rows_that_count_once_are_counted_where_they_were_left_out(system: System) -> None:
    """Of 8 completions that ask 6 questions, 6 rows and 2 duplicates."""
    build.captured(system, [build.record(n, f"test {n % 6}") for n in range(8)])
    distillation = build.distillation("queued", student=loop.STUDENT)
    advance(distillation.id)
    shown = loop.fetched(system, distillation.id)
    assert shown["test_rows"] == 6
    assert 2 in acts.named(shown, "duplicates"), shown


def test_a_card_adds_up_to_what_was_selected(system: System) -> None:
    records = [build.record(n, f"question {n % 14}", split="train") for n in range(16)]
    records.append(build.record(90, "cut", split="train", choice={"finish_reason": "length"}))
    build.captured(system, records)
    distillation = build.distillation("assembling", dataset_id="dataset_1", job_id="ftjob-1")
    blobs.put(distillation.rows_key, b'{"item": {"completion_id": "chatcmpl-0", "input": []}}\n')
    bus.send(AssembleDataset(distillation_id=distillation.id, dataset_id="dataset_1"))
    system.deliver("ASSEMBLY")
    card = system.ok("GET", "/v1/datasets/dataset_1/card")
    assert card["selected"] == 17 == card["rows"] + sum(card["dropped"].values())
    assert card["rows"] == card["train_rows"] + card["validation_rows"]


def test_a_push_adds_up_to_what_was_sent(system: System) -> None:
    twice = acts.record("chatcmpl-twice")
    status, answer = acts.push(system, twice, twice, acts.record("chatcmpl-once"), {"request": 1})
    assert status == 202
    assert answer["accepted"] + len(answer["refused"]) + answer["duplicates"] == 4
    _, again = acts.push(system, twice)
    assert again["accepted"] + again["duplicates"] == 1


def test_the_rows_of_a_verdict_add_up_to_the_frozen_ones(system: System) -> None:
    """A row that a provider's error took from one run counts as dropped, also where a run lacks it."""
    verdict = decided(system, teacher="pppppppppp", baseline="ffffffffff", distilled="ppppppppp")
    assert (verdict["rows"], verdict["dropped"]) == (9, 1)


def test_the_counts_of_a_run_add_up_by_criterion(system: System) -> None:
    rows = [acts.ROW, {"item": {"reference": "yes"}}, {"item": {}, "sample": {"output_text": "yes"}}]
    run = acts.graded(system, acts.new_eval(system), acts.inline(*rows))
    (criterion,) = run["statistics"]["criteria"]
    assert criterion["rows"] + criterion["errored"] == run["result_counts"]["total"] == 3


def test_an_import_says_why_something_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []

    @contextmanager
    def bar(_: int | None = None) -> Iterator[Any]:
        yield lambda words, _=None: lines.append(words)

    class Source:
        total = position = None

    counts = Counts(read=30, accepted=4)
    counts.unmapped["messages are missing"] += 20
    counts.refused["a key stands twice"] += 6
    monkeypatch.setattr(report, "bar", bar)
    with report.progress(Source()) as show:  # type: ignore[arg-type]
        show(counts)
    assert "26 left out" not in lines[-1] or "20" in lines[-1]
    assert "20" in lines[-1]
    assert "6" in lines[-1]


def test_the_summary_of_an_import_adds_up() -> None:
    """Completions that a push holds twice are read and not imported: they have a line of their own."""
    counts = Counts(read=30, accepted=4)
    counts.unmapped["messages are missing"] += 20
    text = report.summary(counts, Path("refused.jsonl"))
    assert "6" in text, text
