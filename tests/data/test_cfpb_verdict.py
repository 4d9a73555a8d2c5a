"""Cost, latency and break-even of a verdict over recorded answers and seconds, beside an independent calculation.

The file has the seconds of each call and no tokens: a call's are a quarter of the letters that it asks and answers.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import batched

import numpy as np
import orjson
import pytest

from distillations.deciding.document import runs_of, verdict_of
from distillations.deciding.reuse import RowSet
from distillations.distillation import Distillation
from distillations.report.document import REPORT
from distillations.roles import Role
from evals.counts import ChunkCounts, ResultCounts, graded_chunks, totals
from evals.output_items import items_key, output_item_id
from evals.run import Run
from foundation import blobs
from providers.model_version import ModelVersion
from providers.usage import ModelUsage
from tests.data import cfpb
from tests.distillations.deciding import reports
from tests.distilling import build
from tests.flow.system import System

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not cfpb.FOLDER.is_dir(), reason="needs ../shared/data/cfpb_complaints_14llm"),
]
# Role -> the columns of its answers and its seconds, and the name that its price is found by. A cheap model of the file
# stands in for the distilled one.
COLUMNS: dict[Role, tuple[str, str, str]] = {
    "teacher": ("gpt_4o_prediction", "time-gpt-4o", build.TEACHER),
    "baseline": ("gpt_4o_mini_prediction", "time-gpt-4o-mini", build.STUDENT),
    "distilled": ("gemini-2.0-flash_prediction", "time-gemini-2.0-flash", build.MODEL),
}
DOLLARS_A_MILLION: dict[Role, tuple[str, str]] = {
    "teacher": ("2.5", "10"),
    "baseline": ("0.15", "0.6"),
    "distilled": ("0.3", "1.2"),
}
TRAINING_USD = "7.25"
DAYS = 45


def asked(record: dict[str, str]) -> int:
    return len(record["narrative"]) // 4


def answered(record: dict[str, str], role: Role) -> int:
    return len(record[COLUMNS[role][0]])


def graded(distillation: Distillation, role: Role, records: list[dict[str, str]]) -> None:
    """The run of a role, in chunks as grading leaves them."""
    run, (answer, seconds, name) = build.run(distillation, role), COLUMNS[role]
    chunks = list(batched(enumerate(records), 100, strict=False))
    for number, rows in enumerate(chunks):
        items = [_item(run, place, passed=record[answer] == record["product"]) for place, record in rows]
        blobs.put(items_key(run.id, number), b"\n".join(map(orjson.dumps, items)))
        times = sorted(round(1000 * float(record[seconds])) for _, record in rows)
        usage = ModelUsage(
            model_name=name,
            invocation_count=len(rows),
            prompt_tokens=sum(asked(record) for _, record in rows),
            completion_tokens=sum(answered(record, role) for _, record in rows),
        )
        ChunkCounts(
            chunk=number,
            chunks=len(chunks),
            first_row=rows[0][0],
            counts=ResultCounts(total=len(rows)),
            usage=[],
            answers=[usage],
            criteria=[],
            latency_ms=sum(times),
            timed=len(times),
            latencies_ms=times,
        ).write_once(run.id)
    run.finish(status="completed", **totals(graded_chunks(run.id)))


def _item(run: Run, place: int, *, passed: bool) -> dict[str, object]:
    return {
        "id": output_item_id(run.id, place),
        "status": "pass" if passed else "fail",
        "errored": False,
        "datasource_item_id": place,
        "datasource_item": {"completion_id": f"chatcmpl-{place}"},
        "results": [],
        "sample": {"finish_reason": "stop"},
    }


def test_money_and_time_are_those_of_an_independent_calculation(system: System) -> None:  # noqa: ARG001
    records = list(cfpb.records(cfpb.FOLDER))
    distillation = build.distillation("deciding", dataset_id="dataset_1", job_id="ftjob-1", model=build.MODEL)
    build.job(distillation, cost_usd=float(TRAINING_USD), status="succeeded")
    traffic = {"rows": len(records), "begins_at": 0, "ends_at": DAYS * 86_400, "in_training": 0}
    blobs.put(build.dataset(distillation).key(REPORT), reports.report(production=traffic))
    ModelVersion(id=build.MODEL, created_at=1, base=build.STUDENT, trainer="default").create()
    blobs.put(distillation.rows_key, b'{"item": {"input": []}}\n')
    for role in COLUMNS:
        graded(distillation, role, records)
    distillation = Distillation.load(distillation.id)

    verdict = verdict_of(distillation, runs_of(distillation), RowSet.of(distillation), at=1)

    a_call: dict[Role, Decimal] = {}
    for role, (answer, seconds, _) in COLUMNS.items():
        asks, answers = map(Decimal, DOLLARS_A_MILLION[role])
        spent = sum(asked(record) * asks + answered(record, role) * answers for record in records)
        a_call[role] = spent / 1_000_000 / len(records)
        calls, ms = verdict.calls[role], np.rint([1000 * float(record[seconds]) for record in records])
        assert calls.usd_per_1000 == pytest.approx(float(1000 * a_call[role]))
        assert calls.latency_ms == pytest.approx(ms.mean())
        quantiles = np.quantile(ms, [0.5, 0.95], method="inverted_cdf").tolist()
        assert [calls.latency_p50_ms, calls.latency_p95_ms, calls.timed_calls] == [*quantiles, len(records)]
        assert verdict.cost_ratio[role] == pytest.approx(float(a_call[role] / a_call["teacher"]))
        assert verdict.scores[role].passed == sum(record[answer] == record["product"] for record in records)
    saving, a_request = verdict.saving, a_call["teacher"] - a_call["distilled"]
    assert saving
    assert saving.usd_per_1000 == pytest.approx(float(1000 * a_request))
    assert saving.break_even_requests == int((Decimal(TRAINING_USD) / a_request).to_integral_value("ROUND_CEILING"))
    assert saving.requests_per_month == round((len(records) - 1) * 30 / DAYS)
    assert saving.usd_per_month == pytest.approx(float(a_request * round((len(records) - 1) * 30 / DAYS)))
