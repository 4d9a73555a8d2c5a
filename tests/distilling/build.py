"""Distillations in any state, with captured completions, graded runs and jobs as far as a test needs them."""

from __future__ import annotations

import json
from typing import Any

import orjson

from distillations.attempts import Attempt
from distillations.dataset import Dataset
from distillations.distillation import Distillation, Step
from distillations.job import Job
from distillations.verdict import Verdict
from evals.counts import ChunkCounts, CriterionResult, ResultCounts, totals
from evals.data_sources import CompletionsSource, FileId
from evals.eval import Eval
from evals.output_items import items_key, output_item_id
from evals.run import Run
from foundation import aws, blobs
from providers.usage import ModelUsage
from tests.distillations import documents
from tests.flow.system import System

TEACHER = "gpt-4o"
STUDENT = "gpt-4o-mini"
MODEL = "ft:gpt-4o-mini:acme:triage:abc"
AT = 1_790_000_000


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def record(
    number: int, text: str, answer: str | None = "yes", *, model: str = TEACHER, split: str = "test", **more: Any
) -> dict[str, Any]:
    """A completion to push; `more` overrides its fields, `choice` those of its choice."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}
    response = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": AT + number,
        "model": model,
        "choices": [{**choice, **more.pop("choice", {})}],
        "usage": {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100},
    }
    pushed = {
        "request": {"model": model, "messages": asked(text), "temperature": 0},
        "response": response,
        "metadata": {"split": split},
        "reference": f"secret-reference-{number}",
    }
    return {**pushed, **more}


def captured(system: System, records: list[dict[str, Any]]) -> None:
    assert system.ok("POST", "/v1/captures", records)["accepted"] == len(records)
    while system.deliver("RECORD"):
        pass


def source(split: str, **more: Any) -> dict[str, Any]:
    return {"type": "stored_completions", "metadata": {"split": split}, **more}


def distillation(status: str = "queued", *, number: int = 1, **fields: Any) -> Distillation:
    """A distillation as it stands in the table at this status, with an eval."""
    eval_ = Eval(
        id="eval_1",
        created_at=AT,
        name="triage",
        data_source_config={"type": "custom", "schema": {}},
        testing_criteria=[
            {
                "id": "correct-1",
                "type": "string_check",
                "name": "correct",
                "operation": "eq",
                "input": "{{ sample.output_text }}",
                "reference": "{{ item.reference }}",
            }
        ],
    )
    eval_.create()
    if fields.get("job_id") and "attempts" not in fields:
        student = fields.get("student", STUDENT)
        attempt = Attempt(student=student, hyperparameters=fields.get("hyperparameters", {}), job_id=fields["job_id"])
        fields["attempts"] = [attempt]
    created = Distillation(
        id=f"distill_{number}",
        status=status,
        eval_id=eval_.id,
        **{
            "created_at": AT,
            "name": "triage",
            "test": source("test"),
            "train": source("train"),
            "teacher": TEACHER,
            "student": STUDENT,
            "history": [Step(status=status, at=AT)],
            **fields,
        },
    )
    assert created.create()
    return created


def run(of: Distillation, part: str, **fields: Any) -> Run:
    """A run of a role of a distillation, or of the contender of this name, still queued."""
    model = {"teacher": of.teacher, "baseline": of.student, "distilled": MODEL}.get(part, part)
    made = Run(
        id=of.contender_run_id(part) if part in of.contenders else of.run_id(part),
        created_at=AT,
        eval_id=of.eval_id,
        name=part,
        model=model,
        data_source=CompletionsSource(type="completions", source=FileId(type="file_id", id="file-1")),
        distillation_id=of.id,
        **fields,
    )
    made.create()
    field = "contender_runs" if part in of.contenders else "runs"
    of.change({field: {**getattr(Distillation.load(of.id), field), part: made.id}})
    return made


def graded(
    of: Distillation,
    part: str,
    rows: str,
    *,
    usage: list[ModelUsage] | None = None,
    metadata: list[dict[str, str]] | None = None,
) -> Run:
    """A completed run: a letter a row, `p`assed, `f`ailed, `e`rrored, `t` passed but truncated."""
    return graded_rows(run(of, part), rows, usage=usage, metadata=metadata)


def graded_rows(
    made: Run, rows: str, *, usage: list[ModelUsage] | None = None, metadata: list[dict[str, str]] | None = None
) -> Run:
    """A run that exists, completed with these rows."""
    tags = metadata or [{} for _ in rows]
    items = [_output_item(made, number, letter, tags[number]) for number, letter in enumerate(rows)]
    blobs.put(items_key(made.id, 0), b"\n".join(orjson.dumps(item) for item in items))
    counts = ResultCounts(
        total=len(rows),
        passed=sum(letter in "pt" for letter in rows),
        failed=rows.count("f"),
        errored=rows.count("e"),
    )
    criterion = CriterionResult(
        testing_criteria="correct-1", passed=counts.passed, failed=len(rows) - counts.passed, errored=counts.errored
    )
    chunk = ChunkCounts(
        chunk=0,
        chunks=1,
        first_row=0,
        counts=counts,
        usage=[],
        answers=usage or [],
        criteria=[criterion],
        latency_ms=800,
        timed=100,
    )
    chunk.write_once(made.id)
    made.finish(status="completed", **totals([chunk]))
    return made


def _output_item(made: Run, number: int, letter: str, metadata: dict[str, str]) -> dict[str, Any]:
    return {
        "id": output_item_id(made.id, number),
        "status": "pass" if letter in "pt" else "fail",
        "errored": letter == "e",
        "datasource_item_id": number,
        "datasource_item": {"completion_id": f"chatcmpl-{number}", "metadata": metadata},
        "results": [],
        "sample": {"finish_reason": "length" if letter == "t" else "stop"},
    }


def job(of: Distillation, *, create: bool = True, **fields: Any) -> Job:
    made = Job(
        id=of.job_id or "",
        created_at=AT,
        distillation_id=of.id,
        dataset_id=of.dataset_id or "",
        trainer=fields.pop("trainer", "default"),
        model=of.student,
        hyperparameters={},
        seed=42,
        **fields,
    )
    if create:
        made.create()
    return made


def dataset(of: Distillation, **fields: Any) -> Dataset:
    made = Dataset(
        id=of.dataset_id or "",
        created_at=AT,
        distillation_id=of.id,
        **{"status": "ready", "card": documents.card(), **fields},
    )
    made.create()
    return made


def verdict(of: Distillation, **fields: Any) -> Verdict:
    made = documents.verdict(
        id=of.verdict_id,
        created_at=AT,
        distillation_id=of.id,
        eval_id=of.eval_id,
        **fields,
    )
    made.create()
    return made


def sent(system: System, queue: str) -> list[dict[str, Any]]:
    """The messages that wait in a queue; looking takes them out."""
    sqs = aws.sqs()
    url = system.queues[queue]
    received = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            received.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message for message in received if message.get("Event") != "s3:TestEvent"]
