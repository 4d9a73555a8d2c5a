"""A captured completion: its shape, its identity, its input.

In: a pushed or gatewayed `{request, response, …}`. Out: a `Completion`, which never changes. Its id is the
provider's, or follows from its content; its content hash tells two completions of one id apart.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

import orjson
from annotated_types import MaxLen

from foundation.ids import derived_id

_HASH_LETTERS = 20
_SPACE = re.compile(r"\s+")
_CONTENT = ("request", "response", "metadata", "reference", "latency_ms", "provider")

_BESIDE = ("reference", "created", "latency_ms", "provider", "origin")

MOST_TAGS = 16
LONGEST_TAG_NAME = 64
LONGEST_TAG = 512
type Metadata = Annotated[
    dict[Annotated[str, MaxLen(LONGEST_TAG_NAME)], Annotated[str, MaxLen(LONGEST_TAG)]], MaxLen(MOST_TAGS)
]
"""OpenAI's limits everywhere; a tag also has to fit a key of the table."""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """One captured completion as it lies in S3, a line of JSON."""

    id: str
    created: int
    model: str
    request: dict[str, Any]
    response: dict[str, Any]
    metadata: dict[str, str]
    reference: Any = None
    latency_ms: int | None = None
    provider: str | None = None
    origin: str | None = None
    origin_id: str | None = None
    original: dict[str, Any] | None = None
    """What was pushed where it is no chat completion: `request`, `response` and all `input_items` of a response."""
    untrainable: str | None = None
    """Why no chat completion says all that the original says."""
    content_hash: str
    """80 bits over everything but the id under which it is kept, its time, and where it was imported from."""

    @classmethod
    def of(cls, pushed: dict[str, Any], *, at: int) -> Self:
        """The completion in a validated record; `at` (seconds) is its time where it carries none.

        Raises ValueError where id, model or time are of another kind.
        """
        request, response, original = pushed["request"], pushed["response"], pushed.get("original")
        completion_id = response.get("id") or derived_id("chatcmpl-", _canonical(_cause(pushed)).decode())
        model = response.get("model") or request["model"]
        content = {
            "request": request,
            "response": {"object": "chat.completion", **response, "id": completion_id, "model": model},
            "metadata": pushed.get("metadata") or request.get("metadata") or {},
            "reference": pushed.get("reference"),
            "latency_ms": pushed.get("latency_ms"),
            "provider": pushed.get("provider"),
            "model": model,
        }
        if original:
            content["original"] = original
        created = pushed.get("created") or response.get("created") or at
        if type(completion_id) is not str or type(model) is not str or type(created) is not int:
            raise ValueError("The id or the model of a response is no text, or its time no whole number.")
        said = {
            "id": completion_id,
            "created": created,
            **content,
            "origin": pushed.get("origin"),
            "untrainable": pushed.get("untrainable"),
            "content_hash": hashlib.sha256(_canonical(content)).hexdigest()[:_HASH_LETTERS],
        }
        return cls._with(said)

    @classmethod
    def read(cls, line: bytes) -> Self:
        """The inverse of `line`. Raises ValueError where it is none."""
        said = orjson.loads(line)
        sound = (
            type(said) is dict
            and type(said.get("id")) is type(said.get("model")) is type(said.get("content_hash")) is str
            and type(said.get("request")) is type(said.get("response")) is type(said.get("metadata")) is dict
            and type(said.get("created")) is int
        )
        if not sound:
            raise ValueError("This is no completion: something that it needs is missing, or of another kind.")
        return cls._with(said)

    @classmethod
    def _with(cls, said: dict[str, Any]) -> Self:
        """One whose attributes are these: to set them one by one takes longer than to read the JSON."""
        one = object.__new__(cls)
        object.__setattr__(one, "__dict__", said)
        return one

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
    def failed(self) -> bool:
        """The provider answered with an error: there is nothing to train on or to judge."""
        choices = self.response.get("choices")
        return not isinstance(choices, list) or not choices

    @property
    def finish_reason(self) -> str | None:
        reason = None if self.failed else _within(self.choice, "finish_reason")
        return reason if isinstance(reason, str) else None

    @property
    def has_tools(self) -> bool:
        """Whether tools were offered or called."""
        called = None if self.failed else _within(_within(self.choice, "message"), "tool_calls")
        return bool(self.request.get("tools") or self.request.get("functions") or called)

    @property
    def tokens(self) -> tuple[int | None, int | None, int | None]:
        """Of the prompt, those of them that the provider read from its cache, and of the answer."""
        usage = self.response.get("usage")
        if not isinstance(usage, dict):
            return None, None, None
        cached = _count(_within(usage.get("prompt_tokens_details"), "cached_tokens"))
        return _count(usage.get("prompt_tokens")), cached, _count(usage.get("completion_tokens"))

    @property
    def prompt_tokens(self) -> int | None:
        return self.tokens[0]

    @property
    def cached_tokens(self) -> int | None:
        return self.tokens[1]

    @property
    def completion_tokens(self) -> int | None:
        return self.tokens[2]

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

    def pushed(self) -> dict[str, Any]:
        """The record that, pushed, gives this completion again."""
        names = ("request", "response", "metadata", *_BESIDE)
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def line(self) -> bytes:
        return orjson.dumps(self.__dict__)

    def under(self, completion_id: str) -> Self:
        """The same completion kept under another id, since other bytes already hold its own."""
        return replace(self, id=completion_id, origin_id=self.id)


def _cause(pushed: dict[str, Any]) -> dict[str, Any]:
    """What an id follows from: the content, and the time of a failure, since a call may fail in the same way twice."""
    cause = {name: pushed.get(name) for name in _CONTENT}
    if pushed.get("original"):
        cause["original"] = pushed["original"]
    if not pushed["response"].get("choices"):
        cause["created"] = pushed.get("created")
    return cause


def _within(value: Any, name: str) -> Any:
    """What lies under the name; None where there is no such thing."""
    return value.get(name) if isinstance(value, dict) else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


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
