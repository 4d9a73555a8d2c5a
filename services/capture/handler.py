"""Entry points of the ingest (`http_entry`, POST and GET of `/v1/captures`) and of the recorder (`record_entry`)."""

from __future__ import annotations

from typing import Any

from capture import ingest, parse
from capture.unpack import unpacked
from completions import batches
from foundation import edge
from foundation.edge import Request
from foundation.errors import NotFound
from foundation.routes import Routes

routes = Routes("Captures")


def http_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return edge.serve(event, context, routes)


@routes.post(
    "/v1/captures",
    scope="capture",
    status=202,
    body="capture.documents.Pushes",
    answer="capture.documents.Capture",
    errors={400: "No record was accepted: beside `error`, `refused` names each record and why."},
)
def push_completions(request: Request) -> dict[str, Any]:
    """Push completions that were made elsewhere.

    The body is one record, an array of records, or NDJSON; gzip and zstd are taken. The answer means that they are
    durable; they are listed once the capture is `recorded`. Records that are refused do not keep the others out.
    """
    records = parse.documents(unpacked(request.body, request.headers.get("content-encoding")))
    return ingest.ingest(records)


@routes.get("/v1/captures/<batch_id>", scope="capture", answer="capture.documents.CaptureStatus")
def retrieve_capture(request: Request) -> dict[str, Any]:
    """Ask whether every completion of a push can be read."""
    batch_id = request.parameters["batch_id"]
    parts = batches.parts(batch_id)
    if not parts and not batches.may_be_pending(batch_id):
        raise NotFound("capture", batch_id, param="batch_id")
    recorded = bool(parts) and len(parts) == max(parts.values())
    status = "recorded" if recorded else "pending"
    return {"object": "capture", "batch_id": batch_id, "status": status, "parts_recorded": len(parts)}


def record_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    # Imported here because the ingest, whose cold start imports this file too, needs neither of them, nor pydantic.
    from capture import record
    from foundation.consumer import consume_together

    return consume_together(event, record.deliveries)
