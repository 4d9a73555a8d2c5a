"""Recorded answers of real models, replayed by model and canonical messages.

In: JSONL of `{"messages", "answers": {model: text}, "latency_ms"?: {model: number}}`. Out: the answer that was recorded
for exactly these messages, or 404 `no_recorded_answer`. Fails: a line that is not such a row is a 400, one that
contradicts a recording a 409; both name the line, and nothing of that body is kept. A recorded latency is reported with
the answer; the lab does not wait for so long.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel, Field, ValidationError

from local.lab.messages import digest
from local.lab.store import Store
from local.lab.wire import ApiError

_KIND = "recordings"

type Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer to a conversation, and its recorded latency in milliseconds."""

    text: str
    latency_ms: float | None
    logprob: float | None = None
    """How sure the model is: the logarithm of the answer's probability; None where it knows none."""


class _Row(BaseModel):
    messages: list[dict[str, Any]] = Field(min_length=1)
    answers: dict[str, str] = Field(min_length=1)
    latency_ms: dict[str, float] = {}


class Recordings:
    """All loaded recordings, and the names of their models."""

    def __init__(self, store: Store) -> None:
        self._answers: dict[Key, Answer] = {}
        self.models: dict[str, int] = {}
        self._store = Store(None)
        for body in store.kept(_KIND).values():
            self.load(body, set())
        self._store = store

    def load(self, body: bytes, taken: set[str]) -> dict[str, Any]:
        """Keep every answer of the body, or none if a line is refused; `taken` are names that other models have."""
        staged: dict[Key, Answer] = {}
        rows = 0
        for number, line in enumerate(body.splitlines(), start=1):
            if not line.strip():
                continue
            rows += 1
            for key, recorded in _read(line, number):
                if key[0] in taken:
                    raise ApiError(
                        409,
                        f"Line {number}: '{key[0]}' is a model of the lab itself; record under another name.",
                        code="model_exists",
                    )
                known = staged.get(key) or self._answers.get(key)
                if known is not None and known.text != recorded.text:
                    raise ApiError(
                        409,
                        f"Line {number}: '{key[0]}' already has another recorded answer to these messages.",
                        code="conflicting_recording",
                    )
                staged.setdefault(key, known or recorded)
        if not rows:
            raise ApiError(400, "There is no recording in this body; send JSONL, a row per conversation.")
        new = len(staged.keys() - self._answers.keys())
        if new:
            self._store.keep(_KIND, hashlib.sha256(body).hexdigest(), body)
        self._answers |= staged
        for model, _ in staged:
            self.models.setdefault(model, int(time.time()))
        return {"object": "lab.recordings", "rows": rows, "new": new, "known": len(staged) - new}

    def answer(self, model: str, messages: list[dict[str, Any]]) -> Answer:
        key = (model, digest(messages))
        recorded = self._answers.get(key)
        if recorded is None:
            raise ApiError(
                404,
                f"No answer of '{model}' to these messages is recorded (canonical hash {key[1]}), "
                "and the lab does not guess what it would have said.",
                code="no_recorded_answer",
                param="messages",
            )
        return recorded


def _read(line: bytes, number: int) -> list[tuple[Key, Answer]]:
    try:
        row = _Row.model_validate(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"Line {number} is not JSON: {error}", code="invalid_recording") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        message = f"Line {number}, '{field}': {first['msg']}."
        raise ApiError(400, message, code="invalid_recording", param=field) from error
    key = digest(row.messages)
    return [((model, key), Answer(text, row.latency_ms.get(model))) for model, text in row.answers.items()]
