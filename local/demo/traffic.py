"""Production traffic: completions that reach Stillhouse, pushed in batches or made through the gateway.

In: answers or rows, and the run's tag. Out: the ids of the captured completions, once all are readable.
Fails with `DemoFailed` if a record is refused, and with `GaveUp` if one does not become readable.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from openai import OpenAI

from local.demo.lab import Answer
from local.demo.waiting import DemoFailed, until
from local.samples.rows import Row

BATCH_ROWS = 300
# The API refuses bodies over 4 MB.
BATCH_BYTES = 3_000_000
GATEWAY_AT_ONCE = 8
GATEWAY = "gateway"

Advance = Callable[[int], None]


def push(client: OpenAI, answers: Sequence[Answer], tag: str, advance: Advance) -> tuple[list[str], list[str]]:
    """Push completions made elsewhere; returns the ids of the pushed batches and of the completions, in order."""
    batch_ids, completion_ids = [], []
    for batch in _batches(_record(answer, tag) for answer in answers):
        taken = cast("dict[str, Any]", client.post("/captures", body=batch, cast_to=object))
        if taken.get("refused"):
            refused = taken["refused"][0]
            where = f"{refused.get('param') or 'record'}: {refused['message']}"
            several = "completions" if len(taken["refused"]) > 1 else "completion"
            raise DemoFailed(f"{len(taken['refused'])} {several} refused; the first: {where}")
        batch_ids.append(taken["batch_id"])
        completion_ids += taken["ids"]
        advance(len(batch))
    return batch_ids, completion_ids


def wait_recorded(client: OpenAI, batch_ids: Sequence[str], advance: Advance) -> None:
    for batch_id in batch_ids:

        def recorded(batch_id: str = batch_id) -> bool | None:
            batch = cast("dict[str, Any]", client.get(f"/captures/{batch_id}", cast_to=object))
            return True if batch["status"] == "recorded" else None

        until(f"the completions of {batch_id} to be readable", recorded)
        advance(1)


def call_gateway(gateway: OpenAI, model: str, rows: Sequence[Row], tag: str, advance: Advance) -> list[str]:
    """Ask `model` through the gateway, which keeps each completion; their ids, in order."""

    def call(row: Row) -> str:
        completion = gateway.chat.completions.create(
            model=model,
            messages=cast("Any", row.prompt()),
            store=True,
            metadata={**row.metadata, "demo": tag, "via": GATEWAY},
        )
        advance(1)
        return completion.id

    with ThreadPoolExecutor(GATEWAY_AT_ONCE) as pool:
        return list(pool.map(call, rows))


def wait_listed(client: OpenAI, completion_ids: Iterable[str], tag: str) -> None:
    """Wait until the stored completions that came through the gateway are all listed."""
    wanted = set(completion_ids)

    def listed() -> bool | None:
        stored = client.chat.completions.list(metadata={"demo": tag, "via": GATEWAY}, limit=100)
        return True if wanted <= {completion.id for completion in stored} else None

    until("the gateway's completions to be listed", listed)


def _record(answer: Answer, tag: str) -> dict[str, Any]:
    return {
        "request": {"model": answer.response["model"], "messages": answer.row.prompt()},
        "response": answer.response,
        "metadata": {**answer.row.metadata, "demo": tag},
        "reference": answer.row.reference,
        "latency_ms": answer.latency_ms,
    }


def _batches(records: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for record in records:
        bytes_ = len(json.dumps(record))
        if batch and (len(batch) == BATCH_ROWS or size + bytes_ > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += bytes_
    if batch:
        yield batch
