"""A captured completion: its shape, its identity, its input.

In: a pushed or gatewayed `{request, response, …}`. Out: a `Completion`, which never changes. Its id is the
provider's, or follows from its content; its content hash tells two completions of one id apart.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Annotated, Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field

from foundation.ids import derived_id

_SPACE = re.compile(r"\s+")
_CONTENT = ("request", "response", "metadata", "reference", "latency_ms", "provider")

type Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
]
"""OpenAI's limits everywhere; a tag also has to fit a key of the table."""


class Completion(BaseModel):
    """One captured completion as it lies in S3, a line of JSON."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: str
    created: int
    model: str
    request: dict[str, Any]
    response: dict[str, Any]
    metadata: dict[str, str] = Field(default_factory=dict)
    reference: Any = None
    latency_ms: int | None = None
    provider: str | None = None
    origin_id: str | None = None

    @classmethod
    def of(cls, pushed: dict[str, Any], *, at: int) -> Self:
        """The completion in a validated record; `at` (seconds) is its time where it carries none."""
        response = pushed["response"]
        content = {name: pushed.get(name) for name in _CONTENT}
        completion_id = response.get("id") or derived_id("chatcmpl-", _canonical(content).decode())
        created = pushed.get("created") or response.get("created") or at
        model = response.get("model") or pushed["request"]["model"]
        filled = {**response, "id": completion_id, "model": model}
        metadata = pushed.get("metadata") or pushed["request"].get("metadata") or {}
        return cls(
            **{**content, "response": {"object": "chat.completion", **filled}, "metadata": metadata},
            id=completion_id,
            created=created,
            model=model,
        )

    @property
    def content_hash(self) -> str:
        """128 bits over everything but the id under which it is kept."""
        content = self.model_dump(exclude={"id", "origin_id", "created"})
        return hashlib.sha256(_canonical(content)).hexdigest()[:32]

    @property
    def messages(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.request["messages"]
        return messages

    @property
    def choice(self) -> dict[str, Any]:
        """The first choice."""
        choice: dict[str, Any] = self.response["choices"][0]
        return choice

    @property
    def models(self) -> set[str]:
        """The names it is found under: as asked for, and as the provider answered (a dated snapshot)."""
        return {self.model, str(self.request.get("model", self.model))}

    @property
    def parameters(self) -> dict[str, Any]:
        """The request without what makes it this request: to sample another model the same way."""
        own = {"messages", "model", "store", "metadata", "stream", "stream_options", "n", "user"}
        return {name: value for name, value in self.request.items() if name not in own}

    def row(self, *, with_sample: bool = True) -> dict[str, Any]:
        """This completion as a row of a run: what graders see, and how to sample another model alike."""
        item = {
            "input": self.messages,
            "reference": self.reference,
            "metadata": self.metadata,
            "completion_id": self.id,
        }
        row: dict[str, Any] = {"item": item, "request": self.parameters}
        if with_sample:
            row |= {"sample": self.response, "latency_ms": self.latency_ms}
        return row

    def line(self) -> bytes:
        return orjson.dumps(self.model_dump())

    def under(self, completion_id: str) -> Self:
        """The same completion kept under another id, since other bytes already hold its own."""
        return self.model_copy(update={"id": completion_id, "origin_id": self.id})


def _canonical(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def input_key(messages: list[dict[str, Any]]) -> str:
    """Identical inputs have one key: roles and texts in NFKC with white space collapsed."""
    return hashlib.sha256(_canonical([_normal(message) for message in messages])).hexdigest()[:32]


def _normal(value: Any) -> Any:
    match value:
        case str():
            return _SPACE.sub(" ", unicodedata.normalize("NFKC", value)).strip()
        case dict():
            return {name: _normal(inner) for name, inner in value.items() if inner is not None}
        case list():
            return [_normal(inner) for inner in value]
        case _:
            return value
