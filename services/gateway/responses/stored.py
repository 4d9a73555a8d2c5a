"""Stored responses: retrieve, input items, delete. Shapes: OpenAI's. They are stored completions, too."""

from __future__ import annotations

import re
from typing import Any

from aws_lambda_powertools.event_handler import Response

from completions import index
from completions.completion import Completion
from completions.responses.stored import captured
from foundation import http
from foundation.document import Deleted
from foundation.errors import ApiError, NotFound
from foundation.routes import PAGE, Query, Routes
from gateway import answers
from gateway.forwarded import Forwarded, bounded, stored_at
from gateway.responses import stream

router = Routes("Responses")
_INCLUDE = Query("include[]", "Taken, and without effect: everything that was captured is given.")
_NUMBER = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
_STREAM = Query("stream", "Whether to answer as server-sent events.", {"type": "boolean"})
_STARTING_AFTER = Query("starting_after", "The last event of a stream that is not wanted again.", _NUMBER)
_OBFUSCATION = Query("include_obfuscation", "Taken, and without effect.", {"type": "boolean"})
_PARAM = "response_id"


@router.get(
    "/v1/responses/<response_id>",
    scope="read",
    answer="completions.responses.documents.ResponseDocument",
    query=(_INCLUDE, _STREAM, _STARTING_AFTER, _OBFUSCATION),
)
def retrieve_response(response_id: str) -> dict[str, Any] | Response[Any]:
    """Retrieve a captured response as its provider answered it, with its metadata of today."""
    streamed, after = _streamed_after()
    completion, original = _stored(response_id)
    response = {**original["response"], "metadata": completion.metadata}
    if not streamed:
        return response
    events = Forwarded(200, stream.events(response, after=after), {"content-type": "text/event-stream"})
    return answers.response(bounded(events, captured_at=stored_at("responses", response_id)))


@router.get(
    "/v1/responses/<response_id>/input_items",
    scope="read",
    lists="completions.responses.documents.InputItem",
    query=(_INCLUDE, *PAGE),
)
def list_input_items(response_id: str) -> dict[str, Any]:
    """List the items that a captured response answers, those of the responses before it included; the newest first."""
    _, original = _stored(response_id)
    items = [_shown(item, f"{response_id}-{number}") for number, item in enumerate(original["input_items"])]
    if http.descending(router, default="desc"):
        items.reverse()
    return http.page_of(router, items)


@router.delete("/v1/responses/<response_id>", scope="write", answer=Deleted)
def delete_response(response_id: str) -> Deleted:
    """Delete a captured response, and the stored completion that it is, for good."""
    _stored(response_id)
    index.delete(response_id)
    return Deleted(id=response_id, object="response")


def _streamed_after() -> tuple[bool, int]:
    """Whether a stream is asked for, and the sequence number after which it begins."""
    streamed, after = http.query_of(router, "stream"), http.query_of(router, "starting_after")
    if streamed not in {None, "true", "false"}:
        raise ApiError("Invalid 'stream': true or false is expected.", code="invalid_value", param="stream")
    if after is not None and not re.fullmatch(r"\d{1,9}", after):
        raise ApiError("Invalid 'starting_after': a number is expected.", code="invalid_value", param="starting_after")
    return streamed == "true", -1 if after is None else int(after)


def _stored(response_id: str) -> tuple[Completion, dict[str, Any]]:
    """The completion with this id, and what was said through the Responses API."""
    completion = captured(response_id)
    if completion is None or completion.original is None:
        raise NotFound("response", response_id, param=_PARAM)
    return completion, completion.original


def _shown(item: dict[str, Any], item_id: str) -> dict[str, Any]:
    """An item with an id and a type, which a request may leave out, and its content as parts."""
    shown = {"type": "message", **item, "id": item.get("id") or item_id}
    content = item.get("content")
    if shown["type"] == "message" and isinstance(content, str):
        is_answer = item.get("role") == "assistant"
        part = (
            {"type": "output_text", "text": content, "annotations": []}
            if is_answer
            else {"type": "input_text", "text": content}
        )
        shown |= {"content": [part], "status": "completed"}
    return shown
