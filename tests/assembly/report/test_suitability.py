"""The placement on both axes, by what is known of the rows."""

from __future__ import annotations

from typing import Any

from assembly.report.suitability import Known
from completions.completion import Completion
from distillations.report.suitability import Suitability
from tests.assembly.reporting import reported
from tests.distilling import build

STORY = "Once upon a time there was a mail that said a great many things, and none of them twice. " * 4


def asked(number: int, answer: str | None, prompt: str | None = None, **more: Any) -> Completion:
    turns: list[dict[str, Any]] = [{"role": "system", "content": prompt}] if prompt else []
    request = {"model": build.TEACHER, "messages": [*turns, *build.asked(f"mail {number}")], **more.pop("request", {})}
    return Completion.of(build.record(number, "", answer, request=request, **more), at=build.AT)


def placed(rows: list[Completion], **known: Any) -> Suitability:
    suitability = reported(rows, known=Known(**known)).suitability
    assert suitability
    return suitability


def test_a_few_short_answers_are_narrow_and_precise() -> None:
    suitability = placed([asked(number, ["yes", "no"][number % 2], "Sort the mail.") for number in range(40)])
    assert (suitability.breadth, suitability.precision) == ("narrow", "precise")
    clues = {clue.name: clue.value for clue in suitability.evidence}
    assert (clues["distinct answers"], clues["answer entropy"], clues["one system prompt"]) == (2.0, 1.0, 1.0)


def test_texts_to_one_prompt_are_narrow_and_tolerant() -> None:
    rows = [asked(number, f"{STORY}{number}", "Answer the mail.") for number in range(40)]
    assert (placed(rows).breadth, placed(rows).precision) == ("narrow", "tolerant")


def test_texts_to_anything_are_broad_and_tolerant() -> None:
    rows = [asked(number, f"{STORY}{number}", f"You are the assistant of {number}.") for number in range(40)]
    assert (placed(rows).breadth, placed(rows).precision) == ("broad", "tolerant")


def test_structured_answers_to_anything_are_broad_and_precise() -> None:
    schema = {"response_format": {"type": "json_schema"}}
    rows = [asked(n, f'{{"total": {n}, "text": "{STORY}"}}', f"Prompt {n}.", request=schema) for n in range(40)]
    suitability = placed(rows, teacher_score=0.71)
    assert (suitability.breadth, suitability.precision) == ("broad", "precise")
    assert "Split the task" in suitability.advice
    assert {clue.name: clue.value for clue in suitability.evidence}["teacher's score"] == 0.71


def test_numbers_that_never_come_again_are_precise() -> None:
    assert placed([asked(number, str(number * 7)) for number in range(40)]).precision == "precise"
