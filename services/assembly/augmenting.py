"""What the runs of the step `augment` ask: one has inputs of rare slices written, another has them answered.

In: briefs, or written inputs, and what the dataset is made of. Out: a `Wanted` for each run, whose rows are graded in
it; and what the answered inputs are as completions, which are marked as synthetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from assembly import results
from assembly.budget import afforded
from assembly.criteria import eval_of, own_eval
from assembly.grading import Brief, Completions, Written
from assembly.making import Making
from assembly.wanted import Wanted, asked_model
from completions.completion import Completion
from completions.messages import text_of
from distillations.grades import DatasetRun
from distillations.grading_steps import Augment
from distillations.recipe import ANSWER
from evals.estimate import asking_nanodollars, grading_nanodollars, sample_of
from foundation.ids import derived_id
from graders import Criterion

SYNTHETIC = "synthetic"
"""The metadata key by which what was written is told from what was captured."""
_INSTRUCTIONS = ("system", "developer")
_WRITE = (
    "Write one more input of the kind '{slice}', as a person would send it. It should be another case than the "
    "examples, in other words, and no easier; it is number {number} of a series in which no two are alike. Answer with "
    "the input alone.\n{instruction}\nExamples:\n{examples}"
)
_PLAUSIBLE = (
    "Examples of inputs of the kind '{{ item.slice }}':\n{{ item.examples }}\n\nIs the following a plausible input of "
    "this kind, complete in itself, and another case than the examples?\n\nInput:\n{{ sample.output_text }}"
)


def inputs_name(number: int, settings: Augment) -> str:
    """The name of the run that has inputs written."""
    return f"{number}-{settings.rule}-inputs"


def answers_name(number: int, settings: Augment) -> str:
    """The name of the run that has them answered."""
    return f"{number}-{settings.rule}-answers"


def to_write(
    number: int,
    settings: Augment,
    briefs: Sequence[Brief],
    making: Making,
    earlier: Iterable[DatasetRun],
    *,
    teacher: str | None,
) -> Wanted:
    """The run that has inputs written and graded. Its budget is for their answers, too."""
    model = asked_model(settings.rule, settings.model or teacher)
    eval_ = own_eval(settings.input_criteria or [_plausible(model)])
    linked = list(dict.fromkeys(row for brief in briefs for row in brief.examples))
    some = sample_of(linked, making.completions)
    asking = asking_nanodollars(model, some)
    # A brief shows several examples, so writing is taken to cost as much as asking all of them.
    writing = _sum(asking, grading_nanodollars(eval_.testing_criteria, some), times=len(briefs[0].examples))
    each = _sum(writing, asking, grading_nanodollars(eval_of(settings).testing_criteria, some))
    rows = afforded([brief.id for brief in briefs], each, settings, making.recipe, earlier)
    usd = None if writing is None else round(writing * len(rows.ids) / 1e9, 6)
    chosen = set(rows.ids)
    lines = partial(_briefs, [brief for brief in briefs if brief.id in chosen], settings)
    name = [inputs_name(number, settings)]
    return Wanted(name, eval_, rows._replace(estimated_usd=usd), lines, linked, model)


def to_answer(
    number: int,
    settings: Augment,
    written: Sequence[Written],
    making: Making,
    earlier: Sequence[DatasetRun],
    *,
    teacher: str | None,
) -> Wanted:
    """The run that has written inputs answered as the examples of their slice were, and graded by the criteria."""
    model = asked_model(settings.rule, settings.model or teacher)
    eval_ = eval_of(settings)
    linked = list(dict.fromkeys(one.brief.examples[0] for one in written))
    some = sample_of(linked, making.completions)
    each = _sum(asking_nanodollars(model, some), grading_nanodollars(eval_.testing_criteria, some))
    ids = [synthetic_id(making.dataset_id, one) for one in written]
    rows = afforded(ids, each, _what_is_left(number, settings, earlier), making.recipe, earlier)
    by_id = dict(zip(ids, written, strict=True))
    lines = partial(_questions, {row: by_id[row] for row in rows.ids}, settings)
    return Wanted([answers_name(number, settings)], eval_, rows, lines, linked, model)


def synthetic_id(dataset_id: str, written: Written) -> str:
    """The id of a written input and its answer as a completion."""
    return derived_id("synthetic-", dataset_id, written.brief.id, written.text)


def read_input() -> results.Read:
    """Reads the text of an input, and its grade."""
    graded = results.graded()
    return lambda item: {**graded(item), "text": _text(item)}


def read_answer() -> results.Read:
    """Reads an answer with its question as a completion, and its grade."""
    graded = results.graded()
    return lambda item: {**graded(item), "completion": _completion(item)}


def _completion(item: dict[str, Any]) -> dict[str, Any]:
    """What would be pushed, had the answered input been captured."""
    asked, sample = item["datasource_item"], item["sample"]
    choices = [
        {"index": place, "message": message, "finish_reason": sample["finish_reason"]}
        for place, message in enumerate(sample["output"])
    ]
    about = {"id": asked["completion_id"], "object": "chat.completion", "created": item["created_at"]}
    return {
        "request": {**asked["request"], "model": sample["model"], "messages": asked["input"]},
        "response": {**about, "model": sample["model"], "choices": choices, "usage": sample["usage"]},
        "metadata": asked["metadata"],
    }


def _text(item: dict[str, Any]) -> str:
    messages = item["sample"]["output"]
    return text_of(messages[0].get("content")).strip() if messages else ""


def _what_is_left(number: int, settings: Augment, earlier: Iterable[DatasetRun]) -> Augment:
    """The step with what its budget has left behind the writing of its inputs."""
    if settings.max_cost_usd is None:
        return settings
    spent = sum(run.usd for run in earlier if run.name == inputs_name(number, settings))
    return settings.model_copy(update={"max_cost_usd": max(0.0, settings.max_cost_usd - spent)})


def _sum(*costs: float | None, times: int = 1) -> float | None:
    return None if None in costs else times * sum(cost or 0 for cost in costs)


def _plausible(model: str) -> Criterion:
    judge = {
        "type": "label_model",
        "name": "plausible",
        "model": model,
        "input": [{"role": "user", "content": _PLAUSIBLE}],
        "labels": ["yes", "no"],
        "passing_labels": ["yes"],
    }
    criterion: Criterion = TypeAdapter(Criterion).validate_python(judge)
    return criterion


def _briefs(briefs: Sequence[Brief], settings: Augment, completions: Completions) -> Iterator[dict[str, Any]]:
    shown = _those(completions, {row for brief in briefs for row in brief.examples}, _asked)
    for brief in briefs:
        examples = "\n".join(f"- {shown[row]}" for row in brief.examples if row in shown)
        text = _WRITE.format(
            slice=brief.slice, number=brief.number, instruction=settings.instruction or "", examples=examples
        )
        item = {"input": [{"role": "user", "content": text}], "slice": brief.slice, "examples": examples}
        yield {
            "item": {**item, "reference": None, "completion_id": brief.id},
            "request": {"temperature": settings.temperature},
        }


def _questions(written: Mapping[str, Written], settings: Augment, completions: Completions) -> Iterator[dict[str, Any]]:
    shown = _those(completions, {one.brief.examples[0] for one in written.values()}, _lent)
    for row_id, one in written.items():
        base = shown.get(one.brief.examples[0])
        if base is None:
            continue
        instructions, parameters = base
        slice_ = {} if settings.by == ANSWER else {settings.by: one.brief.slice}
        item = {
            "input": [*instructions, {"role": "user", "content": one.text}],
            "reference": None,
            "metadata": {**slice_, SYNTHETIC: "true"},
            "completion_id": row_id,
            "request": parameters,
        }
        yield {"item": item, "request": parameters}


def _those[Kept](completions: Completions, ids: set[str], kept: Callable[[Completion], Kept]) -> dict[str, Kept]:
    """What is kept of the completions with these ids: not the whole of each, since there may be thousands."""
    return {completion.id: kept(completion) for completion in completions() if completion.id in ids}


def _lent(completion: Completion) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What an example lends an input: its instructions, and its parameters."""
    return [message for message in completion.messages if message.get("role") in _INSTRUCTIONS], completion.parameters


def _asked(completion: Completion) -> str:
    """What a person said last."""
    said = [message for message in completion.messages if message.get("role") == "user"]
    return text_of(said[-1].get("content")) if said else ""
