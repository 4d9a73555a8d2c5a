"""Made-up completions of 3 kB as an application pushes them, with three tags, that compress like real ones.

One by one they pack to about half with zstd, a hundred together to a quarter: a shared system prompt, and words drawn
as unevenly as in a natural language.
"""

from __future__ import annotations

import random
from typing import Any

import orjson

BYTES = 3000
MODEL = "gpt-4.1-2025-04-14"
_STARTED = 1_790_000_000
_KINDS = ("reply", "summary", "triage", "refund", "translation", "search", "draft", "extraction")


def _vocabulary(draw: random.Random) -> list[str]:
    syllables = [first + vowel + last for first in "bcdfglmnprst" for vowel in "aeiou" for last in ("", "n", "r", "s")]
    return ["".join(draw.choices(syllables, k=draw.choice((1, 2, 2, 3)))) for _ in range(3000)]


_WORDS = _vocabulary(random.Random(1))
_WEIGHTS = [1 / (rank + 3) for rank in range(len(_WORDS))]


def _prose(draw: random.Random, length: int) -> str:
    return " ".join(draw.choices(_WORDS, _WEIGHTS, k=length // 4))[:length]


_SYSTEM = _prose(random.Random(2), 700)


def record(number: int, *, rate: float = 100.0) -> dict[str, Any]:
    """The record of this number, exactly BYTES long as JSON; `rate` of them were made a second."""
    draw = random.Random(number)
    created = _STARTED + int(number / rate)
    messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _prose(draw, 1000)}]
    answer = {"role": "assistant", "content": "", "refusal": None, "annotations": []}
    body: dict[str, Any] = {
        "request": {"model": "gpt-4.1", "messages": messages, "temperature": 0.2, "max_completion_tokens": 800},
        "response": {
            "id": f"chatcmpl-{draw.getrandbits(128):032x}",
            "object": "chat.completion",
            "created": created,
            "model": MODEL,
            "choices": [{"index": 0, "finish_reason": "stop", "message": answer, "logprobs": None}],
            "usage": {"prompt_tokens": 420, "completion_tokens": 180, "total_tokens": 600},
            "service_tier": "default",
            "system_fingerprint": "fp_0123456789",
        },
        "metadata": {"app": "mail", "env": "prod", "kind": _KINDS[number % len(_KINDS)]},
        "latency_ms": draw.randrange(300, 4000),
        "provider": "openai",
    }
    answer["content"] = _prose(draw, BYTES - len(orjson.dumps(body)))
    return body


def pushes(count: int, each: int, *, rate: float = 100.0) -> list[bytes]:
    """Bodies of `POST /v1/captures`: `count` records, `each` in a body; one alone is an object, several an array."""
    made = [record(number, rate=rate) for number in range(count)]
    if each == 1:
        return [orjson.dumps(record) for record in made]
    return [orjson.dumps(made[first : first + each]) for first in range(0, count, each)]
