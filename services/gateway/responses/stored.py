"""Stored responses: retrieve, input items, delete. Shapes: OpenAI's. They are stored completions, too."""

from __future__ import annotations

from typing import Any

from completions import index
from completions.completion import Completion
from completions.responses.stored import captured
from foundation import http
from foundation.document import Deleted
from foundation.errors import ApiError, NotFound
from foundation.routes import PAGE, Query, Routes

router = Routes("Responses")
_INCLUDE = Query("include[]", "Taken, and without effect: everything that was captured is given.")
_STREAM = Query("stream", "Only false: a stored response is given whole.")
_PARAM = "response_id"


@router.get(
    "/v1/responses/<response_id>",
    scope="read",
    answer="completions.responses.documents.ResponseDocument",
    query=(_INCLUDE, _STREAM),
)
def retrieve_response(response_id: str) -> dict[str, Any]:
    """Retrieve a captured response as its provider answered it, with its metadata of today."""
    if http.query_of(router, "stream") not in {None, "false"}:
        raise ApiError(
            "Invalid 'stream': a stored response is given whole.", code="unsupported_parameter", param="stream"
        )
    completion, original = _stored(response_id)
    return {**original["response"], "metadata": completion.metadata}


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
