"""`pairs`: sets an answer that passed beside one that failed on the same question, where the recipe asks for pairs.

Drops a completion whose answer is not known to pass, and one to whose question no run has a failing answer.
"""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known
from assembly.training_line import answer_line
from distillations.pairs import RunAnswer


def judge(candidate: Candidate, settings: None, known: Known) -> Finding | None:  # noqa: ARG001
    if known.answers is None:
        return None
    answers = list(known.answers.to(candidate.input_key))
    verdicts = {answer.passed for answer in answers if answer.answer_key == candidate.answer_key}
    by_hand = candidate.corrected is not None or candidate.kept
    if not by_hand and False in verdicts:
        return Finding("Its answer failed in a run: it is none to prefer.")
    if not by_hand and not verdicts and not known.graded_later:
        return Finding("No run has graded its answer, so nothing says that it is one to prefer.")
    failed = next((answer for answer in answers if _is_worse(answer, candidate)), None)
    if failed is None:
        return Finding("No run has another answer to its question that failed.")
    worse = answer_line(failed.message or {})

    def rewrite(changed: Candidate) -> None:
        changed.failed = changed.mask(worse) if changed.mask else worse

    return Finding(f"It is paired with the failing answer of row {failed.row} of {failed.run_id}.", rewrite=rewrite)


def _is_worse(answer: RunAnswer, candidate: Candidate) -> bool:
    message = answer.message or {}
    return answer.answer_key != candidate.answer_key and bool(message.get("content") or message.get("tool_calls"))
