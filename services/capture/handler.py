"""Entry points: `http_entry` takes `POST /v1/captures` and tells how a batch fares, `record_entry` is the recorder."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from capture import ingest, parse, record
from capture.unpack import unpacked
from foundation import batches, http
from foundation.consumer import consume_together
from foundation.errors import NotFound
from foundation.events import Delivery, Message, RecordCompletions

router = APIGatewayHttpRouter()
_ACCEPTED = 202


@router.post("/v1/captures")
def push() -> Response[Any]:
    encoding = router.current_event.headers.get("content-encoding")
    records = parse.documents(unpacked(http.raw_body(router), encoding))
    return http.answer(ingest.ingest(records), _ACCEPTED)


@router.get("/v1/captures/<batch_id>")
def batch(batch_id: str) -> dict[str, Any]:
    parts = batches.parts(batch_id)
    if not parts and not batches.may_be_pending(batch_id):
        raise NotFound("capture", batch_id, param="batch_id")
    recorded = bool(parts) and len(parts) == max(parts.values())
    status = "recorded" if recorded else "pending"
    return {"object": "capture", "batch_id": batch_id, "status": status, "parts_recorded": len(parts)}


@cache
def app() -> APIGatewayHttpResolver:
    return http.resolver(lambda method, path: "capture", [router])  # noqa: ARG005


def http_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return http.serve(app(), event, context)


def record_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume_together(event, _record)


def _record(deliveries: list[Delivery]) -> dict[str, Exception]:
    wrong = [one for one in deliveries if not isinstance(one, RecordCompletions)]
    refused = record.record(one for one in deliveries if isinstance(one, RecordCompletions))
    return refused | {one.event_id: TypeError("not for the recorder") for one in wrong if isinstance(one, Message)}
