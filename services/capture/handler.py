"""Entry points: `http` takes `POST /v1/captures` and tells how a batch fares; `record_batch` is the recorder."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from capture import ingest, record
from capture.unpack import unpacked
from foundation import http, index
from foundation.consumer import consume
from foundation.errors import NotFound
from foundation.events import Delivery, RecordCompletions

router = APIGatewayHttpRouter()
_ACCEPTED = 202


@router.post("/v1/captures")
def push() -> Response[Any]:
    encoding = router.current_event.headers.get("content-encoding")
    records = ingest.documents(unpacked(http.raw_body(router), encoding))
    return http.answer(ingest.ingest(records), _ACCEPTED)


@router.get("/v1/captures/<batch_id>")
def batch(batch_id: str) -> dict[str, Any]:
    parts = index.batch_parts(batch_id)
    if not parts and not index.may_be_pending(batch_id):
        raise NotFound("capture", batch_id, param="batch_id")
    recorded = bool(parts) and len(parts) == max(parts.values())
    status = "recorded" if recorded else "pending"
    return {"object": "capture", "batch_id": batch_id, "status": status, "parts_recorded": len(parts)}


@cache
def app() -> APIGatewayHttpResolver:
    return http.resolver(lambda method, path: "capture", [router])  # noqa: ARG005


def http_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return http.serve(app(), event, context)


def record_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return consume(event, context, _record)


def _record(delivery: Delivery) -> None:
    if not isinstance(delivery, RecordCompletions):
        raise TypeError(f"the recorder takes no {type(delivery).__name__}")
    record.record(delivery)
