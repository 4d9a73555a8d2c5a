"""Sample a part of a run through the provider's Batch API, at half the price, before it is graded.

In: `SampleBatch`. Out: one batch at the provider, even if the message is delivered several times. When the batch has
ended, its answers are stored among the paid calls of each chunk, and each chunk's `GradeChunk` is sent. Until then the
message is put back, with growing waits. Grading asks the model row by row for what the batch did not answer, and for
all rows if the provider stays away until the patience is over. A batch for which there never is room, or that never
ends, ends the run as failed. If the provider refuses the batch, the run ends as failed: rows are not
sampled at the full price for a caller who asked for half of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson

from distillations.failure import Failure
from evals.data_sources import JsonlSource
from evals.run import Run
from foundation import blobs, bus, lease, loop, table
from foundation.events import GradeChunk, SampleBatch
from foundation.ids import now
from foundation.later import patience_over, put_back
from graders import NotGradable
from grading.calls import digest_of
from grading.ended import end
from grading.paid import Paid, packed
from grading.sample import request_for
from providers import Answer, ProviderAway, ProviderRefused, registry
from providers.batch_api import BatchAPI, BatchState

_LEAST_S = 30
_WINDOW_S = 86_400
_MARGIN_S = 10.0
_NO_ROOM = "token_limit_exceeded"
# What building a request raises for an odd row. Grading the row meets the same error and records it.
_NO_REQUEST = (NotGradable, AttributeError, LookupError, TypeError, ValueError)
_NOTHING = BatchState("", ended=True, status="completed", output_file_id=None, code="", message="")


def sample_batch(message: SampleBatch, context: Any) -> None:
    """Start the part's batch, look at it again, or hand its answers over to grading."""
    run = Run.find(message.run_id)
    # One delivery makes at most three requests; the margin is for what it reads and writes beside them.
    timeout_s = max(1.0, (context.get_remaining_time_in_millis() / 1000 - _MARGIN_S) / 3)
    try:
        api = _batch_api(run, message, timeout_s)
    except ProviderRefused as refusal:
        # The name has no provider by now, or its model is retired.
        if run and not run.ended:
            end(run, status="failed", error=Failure(code="batch_refused", message=refusal.message))
        return
    if api is None:
        if run:
            end(run, status="failed", error=Failure(code="batch_refused", message=f"'{run.model}' takes no batches."))
        return
    with lease.held(message.run_id, f"BATCH#{message.part}", context):
        try:
            if run is None or run.ended:
                _cancel(message, api)
            else:
                _go_on(run, message, api)
        except ProviderAway:
            _wait_out(run, message)
        except ProviderRefused as refusal:
            if run and not run.ended:
                end(run, status="failed", error=Failure(code="batch_refused", message=refusal.message))


def _batch_api(run: Run | None, message: SampleBatch, timeout_s: float) -> BatchAPI | None:
    """The Batch API of the provider that the run's model is pinned to."""
    providers = registry.providers()
    pin = run.pins.get(run.model) if run else None
    if pin:
        return providers.at(pin.provider).batch_api(timeout_s=timeout_s)
    return providers.batch_api(message.model, timeout_s=timeout_s)


def _go_on(run: Run, message: SampleBatch, api: BatchAPI) -> None:
    state = _started(run, message, api)
    if state.status == "failed" and state.code == _NO_ROOM:
        _start_again(run, message, state)
    elif state.status == "failed":
        end(run, status="failed", error=Failure(code=state.code, message=state.message))
    elif state.ended:
        _hand_over(run, message, dict(api.answers(state)))
    elif _expired(message):
        api.cancel(state.id)
        error = Failure(code="batch_expired", message=f"The provider never ended the batch {state.id}.")
        end(run, status="failed", error=error)
    else:
        _come_again(message)


def _start_again(run: Run, message: SampleBatch, state: BatchState) -> None:
    """Start the batch anew later where the provider has no room for it, until the patience is over."""
    since = message.full_since or now()
    if patience_over(since):
        end(run, status="failed", error=Failure(code=state.code, message=state.message or "There was no room."))
    else:
        _come_again(message, attempt=message.attempt + 1, full_since=since)


def _expired(message: SampleBatch) -> bool:
    """Whether the batch has had its day, and our patience after that."""
    row = table.get(*_place(message))
    return row is not None and patience_over(row["at"] + _WINDOW_S)


def _wait_out(run: Run | None, message: SampleBatch) -> None:
    """Put the message back while the provider is away; after that, send the chunks to be graded without a batch.

    Grading then asks the model row by row, and waits for the provider as it does for any chunk (`pause`).
    """
    since = message.away_since or now()
    if not patience_over(since):
        _come_again(message, away_since=since)
    elif run and not run.ended:
        _hand_over(run, message, {})


def _place(message: SampleBatch) -> tuple[str, str]:
    return message.run_id, f"BATCH#{message.part:04d}#{message.attempt}"


def _intent(message: SampleBatch) -> str:
    return f"{message.run_id}-{message.part}-{message.attempt}"


def _started(run: Run, message: SampleBatch, api: BatchAPI) -> BatchState:
    """The state of the part's batch: the noted one, else the one that the provider knows, else a new one."""
    row = table.get(*_place(message))
    if row:
        return api.look(row["batch_id"])
    state = api.find(_intent(message))
    if state is None:
        requests = _unpaid(run, _requests(run, message.chunks))
        if not requests:
            return _NOTHING
        state = api.start(_intent(message), requests)
    pk, sk = _place(message)
    table.put({"pk": pk, "sk": sk, "batch_id": state.id, "at": now()})
    return state


def _requests(run: Run, chunks: Iterable[GradeChunk]) -> dict[str, dict[str, Any]]:
    """The requests of these chunks by digest. A row from which no request can be built is left out."""
    requests: dict[str, dict[str, Any]] = {}
    source = run.data_source
    if isinstance(source, JsonlSource):  # which names no model to sample
        return requests
    for chunk in chunks:
        for line in blobs.get(chunk.key, offset=chunk.offset, length=chunk.length).splitlines():
            if line.strip():
                try:
                    request = request_for(orjson.loads(line), source)
                except _NO_REQUEST:
                    continue
                requests[digest_of(request, run.pins)] = request
    return requests


def _unpaid(run: Run, requests: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The requests that the eval has not paid for yet, with the model's name as its provider knows it."""
    paid = Paid.of(run)

    async def look_up() -> list[Answer | None]:
        return await asyncio.gather(*(paid.find(digest) for digest in requests))

    pin = run.pins.get(run.model)
    model = pin.model if pin else registry.providers().resolve(run.model).model
    answers = loop.run(look_up())
    return {
        digest: {**request, "model": model}
        for (digest, request), answer in zip(requests.items(), answers, strict=True)
        if answer is None
    }


def _hand_over(run: Run, message: SampleBatch, answered: dict[str, dict[str, Any]]) -> None:
    """Store the batch's answers by chunk, then send the chunks to be graded.

    If two chunks have the same request, only the first counts its answer as paid.
    """
    booked: set[str] = set()
    for chunk in message.chunks:
        digests = [digest for digest in _requests(run, [chunk]) if digest in answered]
        if digests:
            answers = (
                (digest, Answer(answered[digest], 0, paid=digest not in booked, batch=True)) for digest in digests
            )
            blobs.put(f"runs/{run.id}/calls/{chunk.chunk:06d}/batch.jsonl.zst", packed(answers))
            booked.update(digests)
    bus.send_all(message.chunks)


def _cancel(message: SampleBatch, api: BatchAPI) -> None:
    """Cancel the part's batch, if there is one that has not ended: the run has ended already."""
    row = table.get(*_place(message))
    state = api.look(row["batch_id"]) if row else api.find(_intent(message))
    if state and not state.ended:
        api.cancel(state.id)


def _come_again(message: SampleBatch, *, away_since: int = 0, **changes: int) -> None:
    wait_s = _LEAST_S + (now() - message.since) // 4
    put_back(message, wait_s, away_since=away_since, **changes)
