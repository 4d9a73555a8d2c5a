"""Pairs for preference training: the teacher's answer that passed, and another one to the same question that failed.

In: completed runs, whose rows ask what stored completions ask. Out: an object with what each row was answered and
whether that passed, written once, so that the same runs make the same set; then for a question all answers to it.
Rows that could not be graded, and answers that were cut off, are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from completions.same_input import answer_key, input_key
from distillations.formats import Row
from evals.counts import graded_chunks
from evals.outcomes import cut_short
from evals.output_items import read_output_items
from evals.run import Run
from foundation import blobs

_MOST_OF_ONE = 64
_SPEAKERS = ("role", "content", "tool_calls", "refusal")


class RunAnswer(NamedTuple):
    """What a row of a run was answered."""

    input_key: str
    answer_key: str
    passed: bool
    run_id: str
    row: int
    message: Row | None
    """The answer; None for one that passed, which is the completion's own."""


def freeze(key: str, run_ids: Sequence[str]) -> None:
    """Write down what the rows of these runs were answered, unless an earlier delivery has. Raises NotFound."""
    if run_ids and not blobs.exists(key):
        runs = [Run.load(run_id, param="recipe.runs") for run_id in run_ids]
        lines = (orjson.dumps(tuple(answer)) + b"\n" for run in runs for answer in _answers(run))
        blobs.put_lines(key, lines, content_type="application/jsonl")


class RunAnswers:
    """The answers to each question, held as the lines that they were stored in."""

    def __init__(self, answers: Iterable[bytes]) -> None:
        self._lines: dict[str, list[bytes]] = defaultdict(list)
        for line in answers:
            self._lines[orjson.loads(line)[0]].append(line)

    def to(self, asked: str) -> Iterator[RunAnswer]:
        """The first answers to the question of this key, run by run."""
        lines = self._lines.get(asked, [])
        return (RunAnswer(*orjson.loads(line)) for line in lines[:_MOST_OF_ONE])


def pair_of(example: Row, failed: Row) -> Row:
    """A supervised example as a pair with an answer that failed, in OpenAI's shape.

    What stands before an answer is context, so `weight` says nothing there.
    """
    *before, answer = example["messages"]
    asked = [{name: value for name, value in message.items() if name != "weight"} for message in before]
    tools = {name: example[name] for name in ("tools", "parallel_tool_calls") if name in example}
    preferred = {name: value for name, value in answer.items() if name != "weight"}
    return {
        "input": {"messages": asked, **tools},
        "preferred_output": [preferred],
        "non_preferred_output": [failed],
    }


def _answers(run: Run) -> Iterator[RunAnswer]:
    chunks = [chunk.chunk for chunk in graded_chunks(run.id)]
    found = read_output_items(run.id, chunks, lambda item: _answer(run.id, item))
    return (answer for answer in found if answer)


def _answer(run_id: str, item: dict[str, Any]) -> RunAnswer | None:
    asked = item["datasource_item"].get("input")
    outputs = item["sample"].get("output") or ()
    if item["errored"] or cut_short(item["sample"]["finish_reason"]) or not outputs or not _is_chat(asked):
        return None
    message = {name: outputs[0][name] for name in _SPEAKERS if outputs[0].get(name) is not None}
    passed = item["status"] == "pass"
    kept = None if passed else message
    return RunAnswer(input_key(asked), answer_key(message), passed, run_id, item["datasource_item_id"], kept)


def _is_chat(asked: Any) -> bool:
    return isinstance(asked, list) and bool(asked) and all(isinstance(message, dict) for message in asked)
