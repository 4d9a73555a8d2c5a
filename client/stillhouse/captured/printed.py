"""A captured completion, and a group of them, as a person reads it in a terminal.

In: the API's documents. Out: lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stillhouse import stack
from stillhouse.wording import counted

_A_LINE = 60


def head(completion: dict[str, Any]) -> str:
    """One line: when, which model, its tags, how the answer begins."""
    tags = " ".join(f"{key}={value}" for key, value in (completion.get("metadata") or {}).items())
    begin = " ".join(_answer(completion).split())
    answer = begin if len(begin) <= _A_LINE else f"{begin[: _A_LINE - 1]}…"
    words = [completion["id"], stack.at(completion["created"]), completion["model"], tags, answer]
    return stack.plain("  ".join(word for word in words if word))


def whole(completion: dict[str, Any]) -> Iterator[str]:
    """A completion in full: what is known of it, then what was said, turn by turn."""
    yield stack.plain(f"{completion['id']}  {stack.at(completion['created'])}  {completion['model']}")
    for name in ("metadata", "usage", "latency_ms", "origin", "reference", "untrainable"):
        if completion.get(name) not in (None, {}, ""):
            yield stack.plain(f"{name}: {stack.text(completion[name])}")
    for message in completion["messages"]:
        yield stack.plain(f"\n[{message.get('role')}]\n{_said(message)}")
    for choice in completion["choices"]:
        yield stack.plain(f"\n[answer, {choice.get('finish_reason')}]\n{_said(choice.get('message') or {})}")
    if completion.get("correction"):
        yield stack.plain(f"\n[correction]\n{stack.text(completion['correction'])}")


def group_line(group: dict[str, Any]) -> str:
    """One group of a usage table."""
    name = "  ".join(str(value) for value in group["group"].values())
    cost = "cost not known" if group["cost_usd"] is None else f"${group['cost_usd']:.4f}"
    latency = (group["latency_ms"] or {}).get("p50")
    tokens = f"{group['prompt_tokens']} + {counted(group['completion_tokens'], 'token')}"
    median = "" if latency is None else f"  p50 {latency} ms"
    return stack.plain(
        f"{name}  {counted(group['completions'], 'completion')}, {group['failed']} failed  {tokens}{median}  {cost}"
    )


def _answer(completion: dict[str, Any]) -> str:
    choices = completion.get("choices") or [{}]
    return _said(choices[0].get("message") or {})


def _said(message: dict[str, Any]) -> str:
    parts = [message.get("content"), message.get("refusal"), message.get("tool_calls")]
    return "\n".join(stack.text(part) for part in parts if part)
