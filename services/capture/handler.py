"""Entry points: `http_entry` takes `POST /v1/captures` and tells how a batch fares, `record_entry` is the recorder."""

from __future__ import annotations

from typing import Any

from capture import ingest, parse
from capture.unpack import unpacked
from completions import batches
from foundation import edge
from foundation.edge import Answer, Request
from foundation.errors import NotFound

_PATH = "/v1/captures"
_ACCEPTED = 202


def http_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return edge.serve(event, context, scope="capture", answer=_answer)


def _answer(request: Request) -> Answer:
    path, _, batch_id = request.path.partition(f"{_PATH}/")
    if request.method == "POST" and request.path == _PATH:
        return _push(request)
    if request.method == "GET" and batch_id and not path:
        return _batch(batch_id)
    raise edge.no_route()


def _push(request: Request) -> Answer:
    records = parse.documents(unpacked(request.body, request.headers.get("content-encoding")))
    return Answer(_ACCEPTED, ingest.ingest(records))


def _batch(batch_id: str) -> Answer:
    parts = batches.parts(batch_id)
    if not parts and not batches.may_be_pending(batch_id):
        raise NotFound("capture", batch_id, param="batch_id")
    recorded = bool(parts) and len(parts) == max(parts.values())
    status = "recorded" if recorded else "pending"
    return Answer(200, {"object": "capture", "batch_id": batch_id, "status": status, "parts_recorded": len(parts)})


def record_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    # The ingest, which has this file too, starts without.
    from capture import record
    from foundation.consumer import consume_together

    return consume_together(event, record.deliveries)
