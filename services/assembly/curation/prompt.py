"""`prompt`: replaces the system messages of an example by a short one, or by none."""

from __future__ import annotations

from typing import Any

from assembly.curation.rule import Candidate, Finding, Known
from distillations.recipe import Prompt

_INSTRUCTIONS = ("system", "developer")


def judge(candidate: Candidate, settings: Prompt, known: Known) -> Finding | None:  # noqa: ARG001
    messages = _prompted(candidate.line["messages"], settings.text)
    if messages == candidate.line["messages"]:
        return None

    def rewrite(changed: Candidate) -> None:
        changed.line = {**changed.line, "messages": messages}
        changed.changed = True

    return Finding("Its system messages were replaced by the recipe's prompt.", rewrite=rewrite)


def _prompted(messages: list[dict[str, Any]], text: str | None) -> list[dict[str, Any]]:
    rest = [message for message in messages if message["role"] not in _INSTRUCTIONS]
    return [{"role": "system", "content": text}, *rest] if text else rest
