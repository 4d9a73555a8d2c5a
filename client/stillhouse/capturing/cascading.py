"""A cascade in the application's own process: whether the target's answer is sure enough to be kept.

In: what the target answered when it was asked for log-probabilities. Out: the answer as if it had not been, and what
is captured of the cascade. Only a whole answer can be judged: streams, responses, raw answers and `.parse()` go to the
model that answers what the target is not sure of. Stillhouse's gateway judges by the same rules.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import fsum
from typing import Any

from stillhouse.capturing.call import Call
from stillhouse.capturing.counts import log

_CHAT = "/chat/completions"
_RAW = "X-Stainless-Raw-Response"
# What is beyond is no log-probability: OpenAI writes the least for a token that cannot be, and above 0 is rounding.
_LEAST, _MOST = -9999.0, 0.01
_LONGEST_MODEL = 256
_TOKENS_END = 1 << 53


def is_judged(path: str, request: Mapping[str, Any]) -> bool:
    """Whether the answer to this call comes whole, as the SDK's own chat completion."""
    options = request.get("options") or {}
    extra = options.get("extra_json") or {}
    streams = request.get("stream") or request["body"].get("stream") or extra.get("stream")
    return path == _CHAT and not streams and "post_parser" not in options and _RAW not in (options.get("headers") or {})


@dataclass
class First:
    """The target's call: when it began, and once it is judged its answer, how sure it is, and whether it is kept."""

    alias: Mapping[str, Any]
    """The alias, as it is captured."""
    cascade: Mapping[str, Any]
    """Its `to`, `by` and `threshold`."""
    model: str
    began: float = field(default_factory=time.perf_counter)
    call: Call | None = None
    """The call as it is captured if its answer is kept."""
    answer: Any = None
    confidence: float | None = None
    ended: float = 0.0

    def asks(self, request: dict[str, Any]) -> None:
        """Ask for log-probabilities, too; what the call itself asked for is remembered."""
        extra = (request.get("options") or {}).get("extra_json") or {}
        self._own = {**request["body"], **extra}.get("logprobs")
        request["body"] = {**request["body"], "logprobs": True}

    def judge(self, answer: Any) -> bool:
        """Whether this answer is sure enough. What only the cascade has asked for is taken out of it."""
        self.answer, self.ended = answer, time.perf_counter()
        try:
            self.confidence = confidence(answer.to_dict(mode="python", warnings=False))
            if not self._own:
                for choice in answer.choices:
                    choice.logprobs = None
        except Exception as error:  # noqa: BLE001 - a provider may answer anything: of what is odd, nobody is sure
            log.debug("an answer cannot be judged", exc_info=error)
        return self.confidence is not None and self.confidence >= self.cascade["threshold"]

    def given(self) -> Any:
        """The answer, which is captured as the call's."""
        if self.call is not None:
            self.call.asked_by(self.captured(kept=True))
            self.call.answered(self.answer)
        return self.answer

    def captured(self, *, kept: bool) -> dict[str, Any]:
        """The alias with what came of its cascade."""
        said = {name: self.cascade[name] for name in ("to", "by", "threshold")}
        asked = None if kept or self.answer is None else self._asked()
        return {**self.alias, "cascade": {**said, "confidence": self.confidence, "kept": kept, "first_asked": asked}}

    def _asked(self) -> dict[str, Any]:
        usage = getattr(self.answer, "usage", None)
        details = getattr(usage, "prompt_tokens_details", None)
        named = getattr(self.answer, "model", None)
        return {
            "model": named if isinstance(named, str) and 0 < len(named.encode()) <= _LONGEST_MODEL else self.model,
            "prompt_tokens": _count(getattr(usage, "prompt_tokens", None)),
            "cached_tokens": _count(getattr(details, "cached_tokens", None)),
            "completion_tokens": _count(getattr(usage, "completion_tokens", None)),
            "latency_ms": round(1000 * (self.ended - self.began)),
        }


def _count(tokens: Any) -> int | None:
    """A count of tokens; None for what is none, for which Stillhouse would refuse the record of the whole call."""
    return tokens if type(tokens) is int and 0 <= tokens < _TOKENS_END else None


def confidence(completion: Mapping[str, Any]) -> float | None:
    """The mean log-probability of the tokens, of the least sure choice; None where nobody can say."""
    sure = [_of_choice(choice) for choice in completion.get("choices") or []]
    known = [one for one in sure if one is not None]
    return min(known) if known and len(known) == len(sure) else None


def _of_choice(choice: Mapping[str, Any]) -> float | None:
    message = choice.get("message") or {}
    if choice.get("finish_reason") != "stop" or message.get("tool_calls") or message.get("refusal"):
        return None
    tokens = (choice.get("logprobs") or {}).get("content") or []
    said = [token.get("logprob") for token in tokens]
    known = [float(one) for one in said if isinstance(one, int | float) and _LEAST <= one <= _MOST]
    return min(0.0, fsum(known) / len(known)) if known and len(known) == len(said) else None
