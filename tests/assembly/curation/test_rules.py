"""Every rule of curation, on the examples beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from assembly import curation
from assembly.curate import Curator
from assembly.curation import BY_ROW, FIRST, LAST, RULES, TOGETHER
from assembly.curation.rule import Candidate, Known
from assembly.questions import TestQuestion
from completions.completion import Completion
from completions.same_input import answer_key, input_key
from distillations.held_out import HeldOut
from distillations.pairs import RunAnswer, RunAnswers
from distillations.recipe import ROW_STEPS, SET_STEPS, Balance, Recipe, Step, default_steps
from tests.assembly.curating import correction
from tests.assembly.grading import Given
from tests.distilling import build

FOLDER = Path(curation.__file__).parent
SHARED = {"__init__", "rule"}
ONE_BY_ONE = {**FIRST, **BY_ROW, **LAST}
STEP: TypeAdapter[Any] = TypeAdapter(Step)


def examples_of(rule: str) -> list[dict[str, Any]]:
    beside = FOLDER / f"{rule}.json"
    return json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else []


def params(rules: Any) -> list[Any]:
    return [
        pytest.param(rule, example, id=f"{rule}-{number}")
        for rule in rules
        for number, example in enumerate(examples_of(rule))
    ]


def completion(
    *,
    id: str = "chatcmpl-1",  # noqa: A002
    created: int = 0,
    input: Any = "mail",  # noqa: A002
    messages: list[dict[str, Any]] | None = None,
    request: dict[str, Any] | None = None,
    metadata: dict[str, str] | None = None,
    untrainable: str = "",
    **choice: Any,
) -> Completion:
    """A completion as an example describes it; without a word on its answer that is `yes`, and whole."""
    message = {"role": "assistant", "content": "yes", **choice.pop("message", {})}
    record = build.record(1, input, choice={"message": message, **choice})
    record["request"] |= {"messages": messages} if messages else {}
    record["request"] |= request or {}
    if metadata is not None:
        record["metadata"] = metadata
    record["response"] |= {"id": id, "created": build.AT + created}
    made = Completion.of(record, at=build.AT)
    return replace(made, untrainable=untrainable) if untrainable else made


def step_of(rule: str, settings: dict[str, Any]) -> Any:
    return STEP.validate_python({"rule": rule, **settings})


def rows_of_test(example: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"input": build.asked(row["input"]), "metadata": row.get("metadata"), "completion_id": row["id"]}
        for row in example.get("test", [])
    ]


def known(example: dict[str, Any]) -> Known:
    held_out = HeldOut(example.get("group_by"))
    for item in rows_of_test(example):
        held_out.add(item)
    corrected = {"chatcmpl-1": correction(1, **example["correction"])} if "correction" in example else {}
    by_hand = {name: frozenset(example.get(name, ())) for name in ("keep", "drop")}
    return Known(held_out=held_out, corrections=corrected, answers=answers_of(example), **by_hand)


def answers_of(example: dict[str, Any]) -> RunAnswers | None:
    """What runs answered to the question "mail": texts, and whether each passed."""
    if "answers" not in example:
        return None
    said = [({"role": "assistant", "content": text}, passed) for text, passed in example["answers"]]
    asked = input_key(build.asked("mail"))
    return RunAnswers(
        orjson.dumps(
            tuple(RunAnswer(asked, answer_key(message), passed, "evalrun_1", row, None if passed else message))
        )
        for row, (message, passed) in enumerate(said)
    )


def test_every_module_of_the_folder_is_a_rule_of_its_name() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} - SHARED == set(RULES)
    assert {path.stem for path in FOLDER.glob("*.json")} == set(RULES)
    assert all(rule.__module__ == f"assembly.curation.{name}" for name, rule in (ONE_BY_ONE | TOGETHER).items())


def test_every_rule_but_those_that_always_hold_is_a_step_of_a_recipe() -> None:
    assert {kind.model_fields["rule"].default for kind in ROW_STEPS} == set(BY_ROW)
    assert {kind.model_fields["rule"].default for kind in SET_STEPS} == set(TOGETHER)
    assert {step.rule for step in default_steps()} <= set(BY_ROW) | set(TOGETHER)


def test_a_slice_is_not_to_have_more_rows_than_it_may() -> None:
    with pytest.raises(ValidationError, match="at_least is more than at_most") as refused:
        Balance(by="kind", at_most=2, at_least=3)
    assert [error["loc"] for error in refused.value.errors()] == [("at_least",)]


@pytest.mark.parametrize("step", [{"rule": "best_of"}, {"rule": "duplicates", "keep": "best"}])
def test_the_best_graded_is_not_kept_before_anything_is_graded(step: dict[str, Any]) -> None:
    with pytest.raises(
        ValidationError, match=f"'{step['rule']}' keeps the best graded: put a step 'quality' before it"
    ):
        Recipe.model_validate({"steps": [step, {"rule": "quality", "eval_id": "eval_1"}]})
    Recipe.model_validate({"steps": [{"rule": "quality", "eval_id": "eval_1"}, step]})


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_examples_of_what_it_finds_and_of_what_it_leaves(rule: str) -> None:
    finds = {
        bool(example.get("drops") or example.get("found") or example.get("becomes")) for example in examples_of(rule)
    }
    assert finds == {True, False}, f"write {rule}.json beside the rule"


@pytest.mark.parametrize(("rule", "example"), params(ONE_BY_ONE))
def test_one_completion(rule: str, example: dict[str, Any]) -> None:
    """`drops` says whether it is dropped, and `becomes` what its messages are changed to."""
    settings = step_of(rule, example.get("settings", {})) if rule in BY_ROW else None
    candidate = Candidate(completion(**example["completion"]))
    finding = ONE_BY_ONE[rule](candidate, settings, known(example))
    assert bool(finding and not finding.rewrite) is example.get("drops", False)
    if finding:
        assert finding.reason.strip()
        assert list(finding.others) == example.get("others", list(finding.others))
    if finding and finding.rewrite:
        finding.rewrite(candidate)
        assert candidate.line["messages"] == example["becomes"]
    else:
        assert "becomes" not in example


def grading_of(example: dict[str, Any]) -> Given | None:
    """The grades that an example names, as those of a run; without any nobody grades."""
    if not example.keys() & {"grades", "repetitions", "inputs"}:
        return None
    given = Given(example.get("grades", {}), example.get("repetitions", ()))
    return given.of_written(
        [{"text": one["input"], "completion": completion(**one)} for one in example.get("inputs", [])]
    )


@pytest.mark.parametrize(("rule", "example"), params(TOGETHER))
def test_all_completions(rule: str, example: dict[str, Any]) -> None:
    """`found` is what becomes of completions, by id: `[others…]` of one that is dropped, or how often one stands."""
    graded = [step_of("quality", {"eval_id": "eval_1", "keep": "all", "ungraded": "keep"})]
    before = graded if "grades" in example and rule != "quality" else []
    recipe = Recipe(steps=[*before, step_of(rule, example.get("settings", {}))], validation_share=0)
    completions = [
        completion(**{"id": f"chatcmpl-{number}", **fields}) for number, fields in enumerate(example["completions"])
    ]
    for order in (completions, completions[::-1]):
        with TemporaryFile() as spool:
            test = [TestQuestion(item["completion_id"], item["input"]) for item in rows_of_test(example)]
            curator = Curator(recipe, Known(), spool, test, grading_of(example))
            curator.read(order)
            curator.decide()
            rows = list(curator.rows())
        found = {row.id: row.evidence[0].others if row.outcome == "dropped" else row.copies for row in rows}
        assert {row: what for row, what in found.items() if what != 1} == example["found"]
