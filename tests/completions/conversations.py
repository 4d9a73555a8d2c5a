"""Conversations with tools, drawn by Hypothesis, and the same ones as another client writes them."""

from __future__ import annotations

import copy
from typing import Any

import orjson
from hypothesis import strategies as st

ECHOED = {"refusal": None, "annotations": [], "audio": None, "function_call": None, "tool_calls": None, "name": None}
"""Fields that a client writes out of an SDK's object, unset as they are."""


def call(call_id: str = "c", arguments: Any = '{"a": 1, "b": [true]}', name: str = "f") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


texts = st.text(alphabet="ab é²\n", max_size=6)
values = st.recursive(
    st.integers(0, 2) | st.booleans() | texts,
    lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=4,
)
image = st.builds(lambda url: {"type": "image_url", "image_url": {"url": url}}, st.sampled_from("uv"))
text_part = st.builds(lambda text: {"type": "text", "text": text}, texts)
asked = st.builds(
    lambda body: {"role": "user", "content": body}, texts | st.lists(text_part | image, min_size=1, max_size=3)
)
tool_call = st.builds(
    lambda name, value: call("?", orjson.dumps({"v": value}).decode(), name), st.sampled_from("fg"), values
)


@st.composite
def turns(draw: Any) -> list[dict[str, Any]]:
    """A question, and where tools are called their results with the ids of the calls."""
    calls = draw(st.lists(tool_call, max_size=2))
    number = draw(st.integers(0, 10**6))
    named = [{**call, "id": f"call_{number}_{place}"} for place, call in enumerate(calls)]
    message = {"role": "assistant", "content": draw(texts), **({"tool_calls": named} if named else {})}
    results = [{"role": "tool", "tool_call_id": call["id"], "content": draw(texts)} for call in named]
    return [draw(asked), message, *results]


conversations = st.lists(turns(), min_size=1, max_size=3).map(
    lambda groups: [message for group in groups for message in group]
)


def respelt(messages: list[dict[str, Any]], draw: Any) -> list[dict[str, Any]]:
    """The same conversation as another client would write it."""
    return [_respelt(message, draw) for message in messages]


def _respelt(message: dict[str, Any], draw: Any) -> dict[str, Any]:
    again = {**ECHOED, **copy.deepcopy(message)}
    if isinstance(again["content"], str) and draw(st.booleans()):
        words = again["content"].split(" ") if draw(st.booleans()) else [again["content"]]
        again["content"] = [{"type": "text", "text": word, "cache_control": {"type": "ephemeral"}} for word in words]
    for call in again["tool_calls"] or []:
        call["id"] = f"toolu_{call['id']}"
        arguments = orjson.loads(call["function"]["arguments"])
        call["function"]["arguments"] = orjson.dumps(arguments, option=orjson.OPT_INDENT_2).decode()
        call["function"] = dict(reversed(call["function"].items()))
    if "tool_call_id" in again:
        again["tool_call_id"] = f"toolu_{again['tool_call_id']}"
    return dict(reversed(again.items()))
