"""Criteria to start from, as a form offers them: the known right answer, and judges of the usual questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from foundation.errors import ApiError

_ANSWER = "{{ sample.output_text }}"


class Judge(NamedTuple):
    """A judge's question, and what the judge gets to see."""

    name: str
    question: str
    shown: str


JUDGES = {
    "answers": Judge(
        "Answers what was asked",
        "Does the answer do what the user asked for, completely and without contradicting the conversation?",
        f"Conversation:\n{{{{ item.input }}}}\n\nAnswer:\n{_ANSWER}",
    ),
    "same": Judge(
        "Means the same as the known answer",
        "Does the answer mean the same as the reference? Other words are no fault; another fact, or one left out, is.",
        f"Reference:\n{{{{ item.reference }}}}\n\nAnswer:\n{_ANSWER}",
    ),
    "faithful": Judge(
        "Says only what the conversation supports",
        "Is every statement of the answer supported by the conversation? One that is invented makes it incorrect.",
        f"Conversation:\n{{{{ item.input }}}}\n\nAnswer:\n{_ANSWER}",
    ),
    "addressed": Judge(
        "Is addressed to the right person",
        "Is the answer addressed to the person who wrote, by the right name and with nothing meant for somebody else?",
        f"Conversation:\n{{{{ item.input }}}}\n\nAnswer:\n{_ANSWER}",
    ),
    "tone": Judge(
        "Keeps the tone",
        "Is the answer polite, plain and calm, as the conversation's first message asks for?",
        f"Conversation:\n{{{{ item.input }}}}\n\nAnswer:\n{_ANSWER}",
    ),
}


def criterion_of(form: Mapping[str, str]) -> dict[str, Any]:
    """The criterion that a form describes. Raises ApiError naming the field that is wrong."""
    kind = form.get("kind", "")
    if kind == "reference":
        right = form.get("right_answer", "").strip() or "item.reference"
        return {
            "type": "string_check",
            "name": "right answer",
            "operation": "eq",
            "input": _ANSWER,
            "reference": f"{{{{ {right} }}}}",
        }
    if kind not in JUDGES:
        raise ApiError("Choose what is asked of an answer.", code="invalid_value", param="kind")
    if not form.get("judge"):
        raise ApiError("Name the model that judges.", code="invalid_value", param="judge")
    judge = JUDGES[kind]
    return {
        "type": "label_model",
        "name": judge.name,
        "model": form["judge"],
        "input": [
            {"role": "system", "content": judge.question},
            {"role": "user", "content": judge.shown},
        ],
        "labels": ["correct", "incorrect"],
        "passing_labels": ["correct"],
    }
