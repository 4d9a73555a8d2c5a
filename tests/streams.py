"""Streams for property tests: what providers send, what they might, and what nobody should.

Three programs put streams together by the same rules: the gateway (`gateway/assembled.py`), the Python wrapper
(`capturing/assemble.py`) and the JavaScript one (`assemble.ts`). Whatever is drawn here, all must make the same of it.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from stillhouse.capturing.assemble import completion_in

_TEXTS = st.sampled_from(["", "a", "bc", "é\u2028", "7"])
_SCALARS = st.one_of(_TEXTS, st.none(), st.booleans(), st.integers(0, 2))
_FIELDS = st.sampled_from(
    ["arguments", "content", "custom", "function", "id", "name", "refusal", "text", "tool_calls", "type", "x"]
)
_IDS = st.sampled_from(["", "call_1", "call_2"])


def _objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of any fields; an index is a number, or nothing."""
    indexed = st.fixed_dictionaries({}, optional={"index": st.one_of(st.none(), st.integers(0, 1))})
    return st.builds(lambda fields, at: fields | at, st.dictionaries(_FIELDS, values, max_size=3), indexed)


_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=2) | _objects(inner), max_leaves=5)
_CALLED = st.fixed_dictionaries({}, optional={"name": st.sampled_from(["", "f", "g"]), "arguments": _TEXTS})
_CALLS = st.fixed_dictionaries(
    {}, optional={"index": st.integers(0, 1), "id": _IDS, "type": st.just("function"), "function": _CALLED}
)
_PARTS = st.fixed_dictionaries({"type": st.sampled_from(["text", "thinking"]), "text": _TEXTS})
_DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "role": st.just("assistant"),
        "content": st.one_of(_TEXTS, st.none(), st.lists(_PARTS, max_size=2)),
        "refusal": st.one_of(_TEXTS, st.none()),
        "reasoning_content": _TEXTS,
        "tool_calls": st.lists(_CALLS, max_size=2),
    },
)
_LOGPROBS = st.fixed_dictionaries({"content": st.one_of(st.none(), st.lists(_PARTS, max_size=2))})
_CHOICES = st.fixed_dictionaries(
    {"index": st.integers(0, 1), "delta": st.one_of(_DELTAS, _DELTAS, _objects(_VALUES), st.none())},
    optional={"finish_reason": st.sampled_from([None, "", "stop"]), "logprobs": _LOGPROBS, "seen": _VALUES},
)
_CHUNKS = st.fixed_dictionaries(
    {"choices": st.lists(_CHOICES, max_size=2)},
    optional={"id": _IDS, "model": _TEXTS, "created": st.integers(0, 2), "usage": _VALUES, "x": _VALUES},
)
_ODD = st.sampled_from(
    [b"data: no JSON", b"data: 7", b"data:", b"data:  ", b'data: {"choices": 7}', b": a comment", b"event: x"]
)
_ENDS = [b"data: " + json.dumps({"choices": [{"index": at, "finish_reason": "stop"}]}).encode() for at in range(2)]
_DONE = b"data: [DONE]"


def by_the_wrapper(body: bytes) -> dict[str, Any] | None:
    """What the Python wrapper makes of a stream; None where it counts the call as incomplete."""
    try:
        return completion_in(body)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode()


def streams() -> st.SearchStrategy[bytes]:
    """The bytes of a stream. Most end, and few have an event that cannot be read."""
    chunks = st.lists(st.builds(_event, _CHUNKS), min_size=1, max_size=5)
    odd = st.one_of(st.just([]), st.just([]), st.lists(_ODD, max_size=1))
    ends = st.sampled_from([[*_ENDS, _DONE], [*_ENDS, _DONE], _ENDS, [_DONE], [_ENDS[0], _DONE, _ENDS[1]]])
    line = st.sampled_from([b"\n", b"\r\n", b"\r"])
    events = st.builds(lambda *parts: [event for part in parts for event in part], chunks, odd, chunks, ends)
    return st.builds(lambda end, all_: b"".join(event + end * 2 for event in all_), line, events)


_KINDS = st.sampled_from(["response.created", "response.output_text.delta", "response.completed", "keepalive", "error"])
_RESPONSES = st.fixed_dictionaries({}, optional={"id": _IDS, "output": _VALUES, "status": _TEXTS, "usage": _VALUES})
_OF_RESPONSES = st.fixed_dictionaries(
    {"type": _KINDS},
    optional={"response": st.one_of(_RESPONSES, _VALUES), "sequence_number": _SCALARS, "delta": _TEXTS},
)


def events() -> st.SearchStrategy[bytes]:
    """The bytes of a streamed response. Few end, and some have an event that cannot be read."""
    all_ = st.lists(st.one_of(st.builds(_event, _OF_RESPONSES), _ODD), min_size=1, max_size=6)
    return st.builds(lambda told: b"".join(event + b"\n\n" for event in told), all_)
