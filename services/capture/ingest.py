"""Take pushed completions: `{request, response, metadata?, reference?, …}` as an object, an array or NDJSON.

Out: what was accepted (durable in the queue when this returns) and what was refused, record by record, with the field
and the reason. A record whose id is taken by other bytes is kept under `<id>-<hash8>`. A body that cannot be read at
all raises ApiError.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foundation import index
from foundation.completions import Completion, Metadata
from foundation.errors import ApiError
from foundation.handover import hand_over
from foundation.http import field_error
from foundation.ids import new_id, now

# Milliseconds would sort after everything.
type _Seconds = Annotated[int, Field(ge=0, lt=1 << 33)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]


class _Request(BaseModel):
    model_config = ConfigDict(extra="allow")

    model: str = Field(min_length=1, max_length=256)
    messages: list[_Message] = Field(min_length=1)
    metadata: Metadata | None = None


class _Choice(BaseModel):
    model_config = ConfigDict(extra="allow")

    message: _Message


class _Response(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: str | None = Field(default=None, min_length=1, max_length=256)
    created: _Seconds | None = None
    model: str | None = Field(default=None, min_length=1, max_length=256)
    choices: list[_Choice] = Field(min_length=1)


class Pushed(BaseModel):
    """One record as an application pushes it."""

    model_config = ConfigDict(extra="ignore")

    request: _Request
    response: _Response
    metadata: Metadata | None = None
    reference: Any = None
    created: _Seconds | None = None
    latency_ms: int | None = Field(default=None, ge=0)
    provider: str | None = None


class NothingAccepted(ApiError):
    """Every record of a push is refused; the first reason stands for the whole, the rest beside it."""

    def __init__(self, refused: list[dict[str, Any]]) -> None:
        empty: dict[str, Any] = {"message": "The array is empty.", "param": "body", "code": None}
        first = refused[0] if refused else empty
        super().__init__(first["message"], code=first["code"], param=first["param"])
        self.refused = refused

    def body(self) -> dict[str, Any]:
        return {**super().body(), "refused": self.refused}


def documents(body: bytes) -> list[Any]:
    """The records in a body; a line of NDJSON that is no JSON stays in its place as the error it gave."""
    text = body.strip()
    if not text:
        raise ApiError("The body is empty: send one JSON object, an array of them, or NDJSON.", param="body")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) == 1 or text.startswith(b"["):
            raise ApiError(f"The body is not valid JSON: {error}.", code="invalid_json", param="body") from error
        return [_line(line) for line in lines]
    return document if isinstance(document, list) else [document]


def _line(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return error


def ingest(records: Sequence[Any], *, batch_id: str | None = None) -> dict[str, Any]:
    """Accept what is sound and hand it to the recorder. Raises NothingAccepted if nothing is."""
    batch_id = batch_id or new_id("capture_")
    refused: list[dict[str, Any]] = []
    sound: dict[int, Completion] = {}
    for position, record in enumerate(records):
        try:
            sound[position] = completion_of(record)
        except ApiError as refusal:
            refused.append({"index": position, **refusal.body()["error"]})
    hashes = index.known_hashes(list(dict.fromkeys(one.id for one in sound.values())))
    deleted = [position for position, one in sound.items() if index.GONE in hashes[one.id]]
    refused += [_deleted(position, sound.pop(position)) for position in deleted]
    if not sound:
        raise NothingAccepted(refused)
    kept, renamed = _kept(sound.values(), hashes)
    hand_over(batch_id, kept)
    return {
        "object": "capture",
        "batch_id": batch_id,
        "accepted": len(kept),
        "ids": [completion.id for completion in kept],
        "renamed": renamed,
        "refused": refused,
    }


def completion_of(record: Any) -> Completion:
    """The completion in one pushed record. Raises ApiError naming the field."""
    if isinstance(record, orjson.JSONDecodeError):
        raise ApiError(f"The line is not valid JSON: {record}.", code="invalid_json")
    if not isinstance(record, dict):
        raise ApiError("A record must be a JSON object with request and response.", code="invalid_type")
    try:
        pushed = Pushed.model_validate(record)
    except ValidationError as error:
        raise field_error(error, record) from error
    return Completion.of(pushed.model_dump(exclude_unset=True), at=now())


def _deleted(position: int, completion: Completion) -> dict[str, Any]:
    refusal = ApiError(
        f"The completion '{completion.id}' was deleted and stays deleted.", code="deleted", param="response.id"
    )
    return {"index": position, **refusal.body()["error"]}


def _kept(
    completions: Iterable[Completion], hashes: dict[str, set[str]]
) -> tuple[list[Completion], list[dict[str, str]]]:
    """Each under an id of its own: other bytes under a known id get a name that tells them apart."""
    kept: dict[tuple[str, str], Completion] = {}
    renamed: list[dict[str, str]] = []
    for completion in completions:
        digest = completion.content_hash
        known = hashes[completion.id]
        if known and digest not in known:
            completion = completion.under(f"{completion.id}-{digest[:8]}")  # noqa: PLW2901 - the same one, renamed
            renamed.append({"id": completion.id, "origin_id": completion.origin_id or ""})
        else:
            known.add(digest)
        kept.setdefault((completion.id, digest), completion)
    return list(kept.values()), renamed
