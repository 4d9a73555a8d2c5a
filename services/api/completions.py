"""Stored completions: list by model and metadata, retrieve, messages, edit metadata, delete. Shapes: OpenAI's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from pydantic import ConfigDict

from api import filters
from completions import corrections, index
from completions.captured_alias import CapturedAlias
from completions.completion import Completion, Metadata
from completions.corrections import Correction
from completions.postings import Reference
from completions.scan import Scan
from distillations import lineage
from foundation import http
from foundation.document import Body, Document
from foundation.errors import ApiError, NotFound
from foundation.routes import PAGE, Query, Routes

router = Routes("Stored completions")
_INCLUDE = Query(
    "include", "`messages`: each with the messages that it answers.", {"type": "string", "enum": ["messages"]}
)
_ECHOED = ("tool_choice", "tools", "seed", "top_p", "temperature", "presence_penalty", "frequency_penalty")


class StoredCompletion(Document):
    """A stored completion: the fields of a chat completion, and these."""

    model_config = ConfigDict(extra="allow")

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    """Seconds UTC."""
    model: str
    choices: list[dict[str, Any]]
    """As the provider gave them, in OpenAI's shape; empty where the call failed."""
    usage: dict[str, Any] | None = None
    """The tokens that the provider counted, if it did."""
    metadata: dict[str, str]
    request_id: str
    """The id that the provider gave, where it is kept under another."""
    input_user: str | None
    response_format: dict[str, Any] | None
    reference: Any
    """The known right answer, if there is one."""
    latency_ms: int | None
    """How long the answer took."""
    first_token_ms: int | None = None
    """How long until its first token, where the gateway gave it on while it was made."""
    origin: str | None
    """The source that it was imported from."""
    alias: CapturedAlias | None = None
    """The alias that it was asked by; null where the call named a model."""
    untrainable: str | None
    """Why it is in no training set; null where it may be."""
    original: dict[str, Any] | None = None
    """What was pushed, where it is no chat completion."""
    correction: Correction | None = None
    """What a person says that the answer should have been, if anybody does. Lists leave it out."""
    messages: list[dict[str, Any]] | None = None
    """The messages that it answers, in a list that asked for them."""


class StoredMessage(Document):
    """A message of a stored completion, with the fields of OpenAI's messages."""

    model_config = ConfigDict(extra="allow")

    id: str
    """The completion's id and the message's number."""
    role: str
    content: str | None
    """The text; that of all parts where there are several."""
    content_parts: list[Any] | None
    """The parts, where the content is a list of them."""
    refusal: str | None


class NewMetadata(Body):
    """What may be changed of a stored completion."""

    metadata: Metadata | None = None
    """The new tags; null or absent leaves none."""


class Remains(Document):
    """An object that the completion went into, and that may still hold its text or has learnt from it."""

    id: str
    kind: str
    """`dataset`, `file`, `run`, `job`, `model`, `verdict` …"""


class DeletedCompletion(Document):
    """OpenAI's answer to a deletion, and what the deletion does not reach."""

    object: Literal["chat.completion.deleted"] = "chat.completion.deleted"
    id: str
    deleted: Literal[True] = True
    remains_in: list[Remains]
    """What was made from the completion, at most 500 objects."""
    has_more: bool
    """Whether more was made from it than is named here."""


@router.get(
    "/v1/chat/completions",
    scope="read",
    lists=StoredCompletion,
    query=(*filters.CONDITIONS, _INCLUDE, *PAGE),
    errors=filters.UNKNOWN_FILTER,
)
def list_completions() -> dict[str, Any]:
    """List the stored completions of a filter.

    A page ends where it has `limit` completions, where more would not fit into one answer, or where one call has looked
    far enough: then `has_more` is true, and the next page begins after `last_id`, also where `data` is empty.
    """
    limit = http.limit_of(router)
    after_id = http.query_of(router, "after")
    after = index.find(after_id, deleted=True) if after_id else None
    if after_id and after is None:
        return http.page([], has_more=False)
    scan = Scan()
    # One more than the page has: a list reads no body that it does not show.
    matching = index.completions(
        filters.wanted(router), limit=limit + 1, after=after, descending=http.descending(router), scan=scan
    )
    data, has_more = http.cut(map(_listed_as(http.query_of(router, "include")), matching), limit)
    if has_more:
        data[-1]["id"] = index.cursor(data[-1]["id"], data[-1]["created"])
    page = http.page(data, has_more=has_more or scan.exhausted)
    if scan.exhausted and not has_more and scan.at:
        page["last_id"] = index.cursor(scan.at.id, scan.at.created)
    return page


@router.get("/v1/chat/completions/<completion_id>", scope="read", answer=StoredCompletion)
def retrieve_completion(completion_id: str) -> dict[str, Any]:
    """Retrieve a stored completion; with `original` where what was pushed is no chat completion, and its correction."""
    completion = stored(completion_id)
    original = {"original": completion.original} if completion.original else {}
    correction = corrections.find(completion_id)
    return shown(completion) | original | ({"correction": correction} if correction else {})


@router.post("/v1/chat/completions/<completion_id>", scope="write", answer=StoredCompletion)
def update_completion(completion_id: str, asked: NewMetadata) -> dict[str, Any]:
    """Replace the metadata of a stored completion."""
    completion = stored(completion_id)
    metadata = asked.metadata or {}
    index.edit(completion, reference_of(completion_id), metadata)
    return shown(replace(completion, metadata=metadata))


@router.delete("/v1/chat/completions/<completion_id>", scope="write")
def delete_completion(completion_id: str) -> DeletedCompletion:
    """Delete a stored completion for good: pushing it again does not bring it back.

    What was made from it stays, and is named in the answer and by its lineage.
    """
    reference_of(completion_id)
    index.delete(completion_id)
    corrections.discard(completion_id)
    graph = lineage.graph(completion_id)
    remains = [Remains(id=node["id"], kind=node["kind"]) for node in graph["nodes"] if node["side"] == "down"]
    return DeletedCompletion(id=completion_id, remains_in=remains, has_more=graph["has_more"])


@router.get("/v1/chat/completions/<completion_id>/messages", scope="read", lists=StoredMessage, query=PAGE)
def list_messages(completion_id: str) -> dict[str, Any]:
    """List the messages that a stored completion answers."""
    messages = [
        {**_message(message), "id": f"{completion_id}-{number}"}
        for number, message in enumerate(stored(completion_id).messages)
    ]
    if http.descending(router):
        messages.reverse()
    return http.page_of(router, messages)


def reference_of(completion_id: str) -> Reference:
    reference = index.find(completion_id)
    if reference is None:
        raise NotFound("completion", completion_id, param="completion_id")
    return reference


def stored(completion_id: str) -> Completion:
    completion = next(index.read([reference_of(completion_id)]), None)
    if completion is None:
        raise NotFound("completion", completion_id, param="completion_id")
    return completion


def shown(completion: Completion) -> dict[str, Any]:
    """A stored completion as OpenAI gives it, with our `reference` and `latency_ms` beside it."""
    echoed = {name: completion.request[name] for name in _ECHOED if name in completion.request}
    return {
        **_without_nulls(completion.response),
        **echoed,
        "id": completion.id,
        "object": "chat.completion",
        "created": completion.created,
        "choices": []
        if completion.failed
        else [_choice(*place) for place in enumerate(completion.response["choices"])],
        "metadata": completion.metadata,
        "request_id": completion.origin_id or completion.id,
        "input_user": completion.request.get("user"),
        "response_format": completion.request.get("response_format"),
        "reference": completion.reference,
        "latency_ms": completion.latency_ms,
        "first_token_ms": completion.first_token_ms,
        "origin": completion.origin,
        "alias": completion.alias,
        "untrainable": completion.untrainable,
    }


def _listed_as(include: str | None) -> Callable[[Completion], dict[str, Any]]:
    """How a completion stands in a list. Raises ApiError for what no list includes."""
    if include not in {None, "messages"}:
        raise ApiError("Invalid 'include': use messages.", code="invalid_value", param="include")
    return (lambda completion: {**shown(completion), "messages": completion.messages}) if include else shown


def _choice(index: int, choice: Any) -> Any:
    """A choice in OpenAI's shape; one that a provider gave in another shape is not changed."""
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        return choice
    return {"index": index, "logprobs": None, **choice, "message": _with_nulls(choice["message"])}


def _message(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    parts = content if isinstance(content, list) else None
    text = "".join(_text(part) for part in parts) if parts else content
    return {**_with_nulls({**message, "content": text}), "content_parts": parts}


def _text(part: Any) -> str:
    text = part.get("text") if isinstance(part, dict) else None
    return text if isinstance(text, str) else ""


def _with_nulls(message: dict[str, Any]) -> dict[str, Any]:
    """A message as OpenAI's schema requires it: content and refusal stay even if null, other nulls are left out."""
    return {**_without_nulls(message), "content": message.get("content"), "refusal": message.get("refusal")}


def _without_nulls(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
