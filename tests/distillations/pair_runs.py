"""Completed runs whose rows ask what stored completions ask, as pairs are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from distillations.dataset import Source
from evals.counts import ChunkCounts, ResultCounts
from evals.data_sources import CompletionsSource, FileId
from evals.output_items import items_key, output_item_id
from evals.run import Run
from foundation import blobs
from foundation.ids import new_id
from tests.distilling import build


class Answered(NamedTuple):
    """What a row was answered, and whether that passed."""

    question: str
    answer: str | None
    passed: bool
    more: Mapping[str, Any] = MappingProxyType({})
    """Fields of the output item that are otherwise; `finish_reason` is the sample's."""


def ended_run(*rows: Answered, status: str = "completed", source: Source | None = None, **fields: Any) -> Run:
    """A run with these rows."""
    about = CompletionsSource(type="completions", source=source or FileId(type="file_id", id="file-1"))
    fields = {"id": new_id("evalrun_"), "created_at": build.AT, "eval_id": "eval_1", "name": "r", **fields}
    run = Run(data_source=about, status=status, **fields)
    run.create()
    items = [_item(run, number, row) for number, row in enumerate(rows)]
    blobs.put(items_key(run.id, 0), b"\n".join(orjson.dumps(item) for item in items))
    counts = ResultCounts(total=len(rows))
    chunk = ChunkCounts(
        chunk=0, chunks=1, first_row=0, counts=counts, usage=[], answers=[], criteria=[], latency_ms=0, timed=0
    )
    chunk.write_once(run.id)
    return run


def _item(run: Run, number: int, row: Answered) -> dict[str, Any]:
    more = dict(row.more)
    output = [] if row.answer is None else [{"role": "assistant", "content": row.answer}]
    sample = {"output": output, "finish_reason": more.pop("finish_reason", "stop")}
    return {
        "id": output_item_id(run.id, number),
        "status": "pass" if row.passed else "fail",
        "errored": False,
        "datasource_item_id": number,
        "datasource_item": {"input": build.asked(row.question)},
        "results": [],
        "sample": sample,
        **more,
    }
