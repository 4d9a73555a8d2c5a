"""A captured completion: its fields and its identity.

`Completion.of` makes one from a pushed `{request, response, …}`, `Completion.read` from its line in S3. A completion
never changes. Its id is the provider's, or follows from its content; its content hash tells two completions with the
same id apart.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

import orjson
from annotated_types import MaxLen

from completions.answers import with_roles
from completions.messages import calls_of
from foundation.ids import derived_id
from foundation.token_counts import whole_prompt

_HASH_LETTERS = 20
_CONTENT = ("request", "response", "metadata", "reference", "latency_ms", "provider")

_PUSHED_BESIDE = ("reference", "created", "latency_ms", "provider", "origin", "original", "untrainable", "alias")
_TYPES = {
    "id": str,
    "created": int,
    "model": str,
    "request": dict,
    "response": dict,
    "metadata": dict,
    "content_hash": str,
}
"""The fields that every line in S3 must have. Stillhouse wrote it, so this only guards against foreign objects."""

LONGEST_ID = 256
"""Bytes of an id or of a model's name. Sort keys hold an id behind two times, and end at 1,024 bytes."""
LONGEST_REASON = 64
"""Bytes of a finish reason."""
SECONDS_END = 1 << 33
"""A time in seconds is below this: one in milliseconds, where seconds are expected, would sort after all others."""
TOKENS_END = (1 << 53) + 1
"""A count of tokens is below this: every language reads it exactly."""

MOST_TAGS = 16
LONGEST_TAG_NAME = 64
LONGEST_TAG = 512
type Metadata = Annotated[
    dict[Annotated[str, MaxLen(LONGEST_TAG_NAME)], Annotated[str, MaxLen(LONGEST_TAG)]], MaxLen(MOST_TAGS)
]
"""The tags of a completion, within OpenAI's limits: 16 pairs, names of 64 characters, values of 512."""


@dataclass(frozen=True, kw_only=True, init=False)
class Completion:
    """One captured completion, which lies in S3 as a line of JSON.

    `created` is in seconds since the epoch, `latency_ms` in milliseconds. `request` and `response` have the shape of
    a chat completion, also where a response of the Responses API was pushed. `reference` is the known right answer, if
    there is one.
    """

    id: str
    created: int
    model: str
    request: dict[str, Any]
    response: dict[str, Any]
    metadata: dict[str, str]
    reference: Any = None
    latency_ms: int | None = None
    first_token_ms: int | None = None
    """Until the first token, where the answer was given on while it was made."""
    provider: str | None = None
    origin: str | None = None
    origin_id: str | None = None
    original: dict[str, Any] | None = None
    """The `request`, the `response` and all `input_items` of a pushed response; None for a chat completion."""
    untrainable: str | None = None
    """Why the chat completion does not say everything that `original` says; None where it does."""
    alias: dict[str, Any] | None = None
    """The alias that the call was made by: its `name`, its `version`, and the `target` that it chose. Where the request
    has another model than the target, the fallback answered."""
    malformed: str | None = None
    """Why the line of an uploaded file is no example, so that all but this is empty; None for everything else."""
    content_hash: str
    """80 bits over everything but the id under which it is kept, its time, and where it was imported from."""

    def __init__(self, **fields: Any) -> None:
        # The __init__ that a frozen dataclass generates sets field by field, and takes as long as reading the JSON.
        vars(self).update(fields)

    @classmethod
    def of(cls, pushed: dict[str, Any], *, at: int) -> Self:
        """The completion in a validated record; `at` (seconds) is its time if the record has none.

        Raises ValueError if the id, the model or the time has a wrong type, or a text is too long for a row.
        """
        request, response, original = pushed["request"], with_roles(pushed["response"]), pushed.get("original")
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
        if pushed.get("first_token_ms") is not None:
            content["first_token_ms"] = pushed["first_token_ms"]
        if pushed.get("alias"):
            content["alias"] = pushed["alias"]
        created = pushed.get("created") or response.get("created") or at
        if type(completion_id) is not str or type(model) is not str or type(created) is not int:
            raise ValueError("The id or the model of a response is no text, or its time no whole number.")
        if max(len(completion_id.encode()), len(model.encode()), len(str(request.get("model")).encode())) > LONGEST_ID:
            raise ValueError(f"The id or the model of a completion has more than {LONGEST_ID} bytes.")
        return cls(
            id=completion_id,
            created=created,
            **content,
            origin=pushed.get("origin"),
            untrainable=pushed.get("untrainable"),
            content_hash=hashlib.sha256(_canonical(content)).hexdigest()[:_HASH_LETTERS],
        )

    @classmethod
    def read(cls, line: bytes) -> Self:
        """The completion in a line of S3. Raises ValueError if the line is no completion."""
        fields = orjson.loads(line)
        if type(fields) is not dict:
            raise ValueError("This is no completion: it is no JSON object.")
        for name, kind in _TYPES.items():
            if type(fields.get(name)) is not kind:
                raise ValueError(f"This is no completion: '{name}' is missing or has a wrong type.")
        return cls(**fields)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of the request."""
        messages: list[dict[str, Any]] = self.request["messages"]
        return messages

    @property
    def choice(self) -> dict[str, Any]:
        """The first choice of the response."""
        choice: dict[str, Any] = self.response["choices"][0]
        return choice

    @property
    def failed(self) -> bool:
        """Whether the provider answered with an error, so that there is no answer to train on or to grade."""
        choices = self.response.get("choices")
        return not isinstance(choices, list) or not choices

    @property
    def finish_reason(self) -> str | None:
        """Why the first choice ended; None if the call failed, or the reason is missing, no text or too long."""
        reason = None if self.failed else _member(self.choice, "finish_reason")
        return reason if isinstance(reason, str) and len(reason.encode()) <= LONGEST_REASON else None

    @property
    def has_tools(self) -> bool:
        """Whether the request offered tools or the answer called one."""
        message = None if self.failed else _member(self.choice, "message")
        called = isinstance(message, dict) and calls_of(message)
        return bool(self.request.get("tools") or self.request.get("functions") or called)

    @property
    def tokens(self) -> tuple[int | None, int | None, int | None]:
        """The tokens of the prompt, those of them that the provider read from its cache, and those of the answer.

        None stands for a count that the provider does not give.
        """
        return tokens_in(self.response.get("usage"))

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
        """The model's name in the request, and its name in the response, often that of a dated snapshot."""
        return {self.model, str(self.request.get("model", self.model))}

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the request with which another model can be sampled in the same way."""
        own = {"messages", "model", "store", "metadata", "stream", "stream_options", "n", "user"}
        return {name: value for name, value in self.request.items() if name not in own}

    def row(self, *, with_sample: bool = True) -> dict[str, Any]:
        """This completion as a row of a run: `item` for the graders, `request` to sample another model in the same way.

        `with_sample` adds the answer as the row's sample, with its latency.
        """
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
        """The record that gives this completion again when it is pushed."""
        names = ("request", "response", "metadata", *_PUSHED_BESIDE)
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def line(self) -> bytes:
        """The line of JSON that lies in S3, without its line end."""
        return orjson.dumps(vars(self))

    def under(self, completion_id: str) -> Self:
        """The same completion with another id, for when its own belongs to other content; `origin_id` keeps its own."""
        return replace(self, id=completion_id, origin_id=self.id)


def _cause(pushed: dict[str, Any]) -> dict[str, Any]:
    """The content from which the id of a completion without an id is derived.

    For a failed call the time is a part of it, because two calls may fail in exactly the same way.
    """
    cause = {name: pushed.get(name) for name in _CONTENT}
    if pushed.get("original"):
        cause["original"] = pushed["original"]
    if not pushed["response"].get("choices"):
        cause["created"] = pushed.get("created")
    return cause


def _member(value: Any, name: str) -> Any:
    """The member of this name if the value is an object that has it, else None."""
    return value.get(name) if isinstance(value, dict) else None


def tokens_in(usage: Any) -> tuple[int | None, int | None, int | None]:
    """Those that the usage of a chat completion says, as `Completion.tokens`."""
    if not isinstance(usage, dict):
        return None, None, None
    cached = _count(_member(usage.get("prompt_tokens_details"), "cached_tokens"))
    prompt = _count(usage.get("prompt_tokens"))
    whole = prompt if prompt is None or cached is None else _count(whole_prompt(prompt, cached))
    return whole, cached, _count(usage.get("completion_tokens"))


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < TOKENS_END else None


def _canonical(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
