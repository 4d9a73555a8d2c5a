"""Sample a part of a run through the provider's Batch API, at half the price, before it is graded.

In: `SampleBatch`. Out: one batch at the provider, whatever is redelivered; when it has ended, its answers among the
paid calls of each chunk, and the chunk's `GradeChunk`. Until then the message comes again, later and later. What the
batch did not answer, or all of it where the provider stays away for a day, is asked one by one when the chunk is
graded. A batch that the provider refuses ends the run as failed: who asked for half the price does not pay the whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson

from foundation import blobs, lease, models, queues, table
from foundation.evals import JsonlSource, Run
from foundation.events import GradeChunk, SampleBatch
from foundation.graders import NotGradable
from foundation.ids import new_id, now, now_ms
from foundation.models import Answer, ProviderAway, ProviderRefused
from foundation.models.batch_api import BatchAPI, BatchState
from foundation.settings import settings
from grading.calls import digest_of
from grading.ended import end
from grading.paid import Paid, packed
from grading.sample import request_for

_LEAST_S = 30
_MOST_S = 900
_DAY_S = 86_400


def sample_batch(message: SampleBatch, context: Any) -> None:
    """Start the part's batch, look at it again, or hand its answers over to grading."""
    run = Run.find(message.run_id)
    if run is None or run.status in {"completed", "failed"}:
        return
    api = models.providers().batch_api(run.model)
    if api is None:
        end(run, status="failed", error={"code": "batch_refused", "message": f"'{run.model}' takes no batches."})
        return
    with lease.held(run.id, f"BATCH#{message.part}", context):
        if run.status == "canceled":
            _cancel(run, message, api)
            return
        try:
            state = _started(run, message, api)
        except ProviderAway:
            state = None
        except ProviderRefused as refusal:
            end(run, status="failed", error={"code": "batch_refused", "message": refusal.message})
            return
        if state and state.status == "failed":
            end(run, status="failed", error={"code": "batch_failed", "message": state.message or "The batch failed."})
        elif state and state.ended:
            _hand_over(run, message, dict(api.answers(state)))
        elif state is None and now() - message.since >= _DAY_S:
            _hand_over(run, message, {})
        else:
            _come_again(message)


def _started(run: Run, message: SampleBatch, api: BatchAPI) -> BatchState | None:
    """The part's batch; None where there is nothing to ask. The provider is asked before one is started."""
    place = (run.id, f"BATCH#{message.part:04d}")
    row = table.get(*place)
    if row:
        return api.look(row["batch_id"])
    intent = f"{run.id}-{message.part}"
    state = api.find(intent)
    if state is None:
        asked = _unpaid(run, _requests(run, message.chunks))
        if not asked:
            return BatchState("", ended=True, status="completed", output_file_id=None, message="")
        state = api.start(intent, asked)
    table.put({"pk": place[0], "sk": place[1], "batch_id": state.id})
    return state


def _requests(run: Run, chunks: Iterable[GradeChunk]) -> dict[str, dict[str, Any]]:
    """The requests of some chunks by digest. A row of which none can be made is errored when it is graded."""
    requests: dict[str, dict[str, Any]] = {}
    source = run.data_source
    if isinstance(source, JsonlSource):  # which names no model to sample
        return requests
    for chunk in chunks:
        for line in blobs.get(chunk.key, offset=chunk.offset, length=chunk.length).splitlines():
            if line.strip():
                try:
                    request = request_for(orjson.loads(line), source)
                except NotGradable:
                    continue
                requests[digest_of(request)] = request
    return requests


def _unpaid(run: Run, requests: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Those that the eval has not paid for yet, under the model's name at its provider."""
    paid = Paid.of(run)

    async def known() -> list[Answer | None]:
        return await asyncio.gather(*(paid.find(digest) for digest in requests))

    there = models.providers().resolve(run.model).model
    found = models.run(known())
    return {
        digest: {**request, "model": there}
        for (digest, request), answer in zip(requests.items(), found, strict=True)
        if answer is None
    }


def _hand_over(run: Run, message: SampleBatch, answered: dict[str, dict[str, Any]]) -> None:
    for chunk in message.chunks:
        mine = [
            (digest, Answer(answered[digest], 0, batch=True))
            for digest in _requests(run, [chunk])
            if digest in answered
        ]
        if mine:
            blobs.put(f"runs/{run.id}/calls/{chunk.chunk:06d}/batch.jsonl.zst", packed(mine))
    queues.send_all(settings().GRADE_QUEUE_URL, message.chunks)


def _cancel(run: Run, message: SampleBatch, api: BatchAPI) -> None:
    row = table.get(run.id, f"BATCH#{message.part:04d}")
    if row and not api.look(row["batch_id"]).ended:
        api.cancel(row["batch_id"])


def _come_again(message: SampleBatch) -> None:
    """Sent before the old message is acknowledged; of an old one that is delivered once more nothing comes."""
    place = (message.run_id, f"LOOK#{message.part:04d}")
    before = table.get(*place)
    if before and before["times"] > message.looks:
        return
    looks = message.looks + 1
    again = message.model_copy(update={"looks": looks, "event_id": new_id("evt_"), "at": now_ms()})
    waits_s = min(_MOST_S, _LEAST_S + (now() - message.since) // 4)
    queues.send(settings().PLAN_QUEUE_URL, again, delay_s=waits_s)
    table.put({"pk": place[0], "sk": place[1], "times": looks})
