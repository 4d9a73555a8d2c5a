"""`prompt`: replaces the system messages of an example by a short one, or by none."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known
from completions.system_prompt import instructed
from distillations.recipe import Prompt


def judge(candidate: Candidate, settings: Prompt, known: Known) -> Finding | None:  # noqa: ARG001
    messages = instructed(candidate.line["messages"], settings.text)
    if messages == candidate.line["messages"]:
        return None

    def rewrite(changed: Candidate) -> None:
        changed.line = {**changed.line, "messages": messages}
        changed.changed = True

    return Finding("Its system messages were replaced by the recipe's prompt.", rewrite=rewrite)
