"""Where a task stands on the two axes of OpenAI's talk on distillation (DevDay, October 2024).

In: what is known of the training rows, and of the teacher. Out: the placement, with every figure that speaks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assembly.report.features import FORMAT, NO_TOOLS, PROMPT, TOOLS
from distillations.recipe import ANSWER
from distillations.report.fields import AmountField, LabelField
from distillations.report.suitability import Clue, Suitability

_MOSTLY = 0.5
_FEW_ANSWERS = 50
_FEW_TOOL_SETS = 10
_LONG_ANSWER = 200
_SHORT_ANSWER = 64
_ADVICE = {
    ("narrow", "tolerant"): "The best fit for distillation: a small model learns such a task from some hundred good "
    "examples.",
    (
        "narrow",
        "precise",
    ): "A good fit that asks for more: rows enough for the rare cases too, and a teacher that is right "
    "first, since the student learns its mistakes. Measure it before you train.",
    (
        "broad",
        "tolerant",
    ): "It can work with a larger and more varied set: collect what production really asks, and look "
    "at each slice of the verdict.",
    ("broad", "precise"): "The hardest kind: a small model misses what the large one knows. Split the task into narrow "
    "ones, or keep the large model for it.",
}


class Known(NamedTuple):
    """What is known of the teacher from elsewhere; None where nobody has measured it."""

    teacher_score: float | None = None
    """Its own score by the eval, from 0 to 1."""
    consensus: float | None = None
    """The share of questions on which it agrees with itself, asked again."""


def suitability_of(
    labels: Sequence[LabelField], amounts: Sequence[AmountField], rows: int, known: Known
) -> Suitability | None:
    """The placement; None where nothing trains."""
    if not rows:
        return None
    by_name = {field.field: field for field in labels}
    answers = next((field.train for field in amounts if field.field == "answer_characters"), None)
    length = answers.median if answers else 0.0
    evidence = [
        *_of_answers(by_name.get(ANSWER), rows, length),
        _of_prompts(by_name.get(PROMPT), rows),
        _of_tools(by_name.get(TOOLS), rows),
        _of_formats(by_name.get(FORMAT), rows),
        *_of_teacher(known),
    ]
    says = [clue.says for clue in evidence]
    narrow = says.count("narrow") >= max(1, says.count("broad"))
    precise = says.count("precise") >= max(1, says.count("tolerant"))
    breadth, precision = "narrow" if narrow else "broad", "precise" if precise else "tolerant"
    return Suitability.model_validate(
        {"breadth": breadth, "precision": precision, "evidence": evidence, "advice": _ADVICE[breadth, precision]}
    )


def _share(field: LabelField | None, rows: int, *, but: Sequence[str] = ()) -> float:
    """The share of the training rows that have a value, other than some."""
    if field is None:
        return 0.0
    has = sum(one.train_rows for one in field.values if one.kind == "value" and one.value not in but)
    return has / rows


def _of_answers(field: LabelField | None, rows: int, length: float) -> list[Clue]:
    closed = field is not None and field.closed and _share(field, rows) > _MOSTLY
    few = closed and field is not None and field.distinct <= _FEW_ANSWERS
    kinds = Clue(
        name="distinct answers",
        value=float(field.distinct) if field and closed else None,
        says="narrow" if few else "broad" if closed else "nothing",
        meaning="How many different answers there are, where they are short and come again; null where they do not.",
    )
    bits = Clue(
        name="answer entropy",
        value=field.entropy_bits if field and closed else None,
        says="precise" if closed else "nothing",
        meaning="In bits: how much an answer tells. Short answers that come again are right or wrong, nothing between.",
    )
    free = not closed and length > _LONG_ANSWER
    # Short answers that never come again are names, numbers or fields: one of them is right.
    exact = not closed and 0 < length <= _SHORT_ANSWER
    letters = Clue(
        name="answer length",
        value=length,
        says="tolerant" if free else "precise" if exact else "nothing",
        meaning="The median of its characters: a long text may be said in many ways.",
    )
    return [kinds, bits, letters]


def _of_prompts(field: LabelField | None, rows: int) -> Clue:
    most = max((one.train_rows for one in field.values if one.kind == "value"), default=0) if field else 0
    share = most / rows
    varied = field is not None and not field.closed
    return Clue(
        name="one system prompt",
        value=share if field else None,
        says="narrow" if share > _MOSTLY else "broad" if varied else "nothing",
        meaning="The share of the rows with the most frequent system prompt: one prompt is one task.",
    )


def _of_tools(field: LabelField | None, rows: int) -> Clue:
    share = _share(field, rows, but=[NO_TOOLS])
    many = field is not None and field.distinct > _FEW_TOOL_SETS
    return Clue(
        name="tool calls",
        value=share,
        says="broad" if many else "precise" if share > _MOSTLY else "nothing",
        meaning="The share of the answers that call tools: a call has one right form.",
    )


def _of_formats(field: LabelField | None, rows: int) -> Clue:
    share = _share(field, rows, but=["text"])
    return Clue(
        name="structured answers",
        value=share,
        says="precise" if share > _MOSTLY else "nothing",
        meaning="The share of the requests that ask for JSON or for a schema.",
    )


def _of_teacher(known: Known) -> list[Clue]:
    meanings: Mapping[str, tuple[float | None, str]] = {
        "teacher's score": (known.teacher_score, "Its pass rate by the eval. A student learns its mistakes, too."),
        "teacher's consensus": (known.consensus, "How often it agrees with itself; null where it was not asked again."),
    }
    return [
        Clue(name=name, value=value, says="nothing", meaning=meaning) for name, (value, meaning) in meanings.items()
    ]
