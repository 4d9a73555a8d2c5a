"""Stored completions: list by model and metadata, retrieve, messages, edit metadata, delete. Shapes: OpenAI's."""

from __future__ import annotations

from itertools import islice
from typing import Any

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BaseModel

from foundation import http, index
from foundation.completions import Completion, Metadata
from foundation.errors import ApiError, NotFound
from foundation.postings import Reference

router = APIGatewayHttpRouter()
_TAG = "metadata["
_ECHOED = ("tool_choice", "tools", "seed", "top_p", "temperature", "presence_penalty", "frequency_penalty")


class NewMetadata(BaseModel):
    """What may be changed of a stored completion: null or absent empties it."""

    metadata: Metadata | None = None


@router.get("/v1/chat/completions")
def list_completions() -> dict[str, Any]:
    limit = http.limit_of(router)
    after_id = http.query_of(router, "after")
    after = index.find(after_id, deleted=True) if after_id else None
    if after_id and after is None:
        return http.listed([], has_more=False)
    found = index.select(wanted(), after=after, descending=http.descending(router))
    references = list(islice(found, limit + 1))
    data = [shown(completion) for completion in index.read(references[:limit])]
    return http.listed(data, has_more=len(references) > limit)


@router.get("/v1/chat/completions/<completion_id>")
def retrieve_completion(completion_id: str) -> dict[str, Any]:
    return shown(stored(completion_id))


@router.post("/v1/chat/completions/<completion_id>")
def update_completion(completion_id: str) -> dict[str, Any]:
    completion = stored(completion_id)
    asked = http.body_of(router, NewMetadata)
    metadata = asked.metadata or {}
    index.edit(completion, reference_of(completion_id), metadata)
    return shown(completion.model_copy(update={"metadata": metadata}))


@router.delete("/v1/chat/completions/<completion_id>")
def delete_completion(completion_id: str) -> dict[str, Any]:
    reference_of(completion_id)
    index.delete(completion_id)
    return {"object": "chat.completion.deleted", "id": completion_id, "deleted": True}


@router.get("/v1/chat/completions/<completion_id>/messages")
def list_messages(completion_id: str) -> dict[str, Any]:
    messages = [
        {**_message(message), "id": f"{completion_id}-{number}"}
        for number, message in enumerate(stored(completion_id).messages)
    ]
    if http.descending(router):
        messages.reverse()
    after = http.query_of(router, "after")
    ids = [message["id"] for message in messages]
    if after is not None:
        messages = messages[ids.index(after) + 1 :] if after in ids else []
    limit = http.limit_of(router)
    return http.listed(messages[:limit], has_more=len(messages) > limit)


def wanted() -> index.Filter:
    """The filter in the query: `model` and `metadata[k]=v`, of which all must match."""
    parameters = router.current_event.query_string_parameters or {}
    metadata = {
        name.removeprefix(_TAG).removesuffix("]"): value for name, value in parameters.items() if name.startswith(_TAG)
    }
    for name in metadata:
        if not name:
            raise ApiError("Invalid 'metadata': a key is empty.", code="invalid_value", param="metadata")
    return index.Filter(model=parameters.get("model"), metadata=metadata)


def reference_of(completion_id: str) -> Reference:
    reference = index.find(completion_id)
    if reference is None:
        raise NotFound("completion", completion_id, param="completion_id")
    return reference


def stored(completion_id: str) -> Completion:
    return next(iter(index.read([reference_of(completion_id)])))


def shown(completion: Completion) -> dict[str, Any]:
    """A stored completion as OpenAI gives it, with our `reference` and `latency_ms` beside it."""
    echoed = {name: completion.request[name] for name in _ECHOED if name in completion.request}
    return {
        **completion.response,
        **echoed,
        "id": completion.id,
        "object": "chat.completion",
        "created": completion.created,
        "metadata": completion.metadata,
        "request_id": completion.origin_id or completion.id,
        "input_user": completion.request.get("user"),
        "response_format": completion.request.get("response_format"),
        "reference": completion.reference,
        "latency_ms": completion.latency_ms,
    }


def _message(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    parts = content if isinstance(content, list) else None
    text = "".join(part.get("text", "") for part in parts) if parts else content
    return {**message, "content": text, "content_parts": parts, "refusal": message.get("refusal")}
