"""What is wrong with a request is said by its POST, before anything is measured or paid for, and names the field.
What only results can show, a criterion that tells nothing apart, is said beside them.
"""

from __future__ import annotations

from typing import Any

import pytest

from evals.files import File, file_key
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System
from tests.hostile import acts


def asked(system: System, **change: Any) -> tuple[int, Any]:
    """A distillation that nothing is wrong with but the change."""
    if not system.ok("GET", "/v1/chat/completions?limit=1")["data"]:
        loop.capture(system, "ask", train=24, test=6)
    body = {
        "name": "asked",
        "eval_id": loop.create_eval(system),
        "test": loop.source("test", "ask"),
        "train": loop.source("train", "ask"),
        "teacher": loop.TEACHER,
        "student": loop.STUDENT,
        **change,
    }
    return system.call("POST", "/v1/distillations", body)


def test_a_sound_distillation_is_taken(shared: System) -> None:
    assert asked(shared)[0] == 201
    sound = {"n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": 0.5}
    assert asked(shared, hyperparameters=sound)[0] == 201
    assert asked(shared, hyperparameters={"n_epochs": "auto", "batch_size": "auto"})[0] == 201


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_epochs", "x"),
        ("n_epochs", -1),
        ("n_epochs", 0),
        ("n_epochs", 1.5),
        ("n_epochs", True),
        ("n_epochs", [3]),
        ("n_epochs", 10**9),
        ("batch_size", "x"),
        ("batch_size", -4),
        ("learning_rate_multiplier", "x"),
        ("learning_rate_multiplier", 0),
        ("learning_rate_multiplier", -0.1),
    ],
)
def test_a_wrong_hyperparameter_is_refused_by_name(name: str, value: Any, shared: System) -> None:
    status, answer = asked(shared, hyperparameters={name: value})
    assert status == 400, answer
    assert answer["error"]["param"] == f"hyperparameters.{name}"


@pytest.mark.parametrize(("name", "nearest"), [("epochs", "n_epochs"), ("learning_rate", "learning_rate_multiplier")])
def test_an_unknown_hyperparameter_is_refused_with_the_nearest(name: str, nearest: str, shared: System) -> None:
    status, answer = asked(shared, hyperparameters={name: 3})
    assert status == 400, answer
    assert (answer["error"]["param"], nearest in answer["error"]["message"]) == (f"hyperparameters.{name}", True)


def test_a_test_set_that_is_the_training_set_is_refused(shared: System) -> None:
    status, answer = asked(shared, test=loop.source("train", "ask"), train=loop.source("train", "ask"))
    assert status == 400, answer
    assert answer["error"]["param"] in {"test", "train"}
    assert "test" in answer["error"]["message"]
    assert "train" in answer["error"]["message"]


def test_a_test_set_that_holds_the_training_set_is_refused(shared: System) -> None:
    """Every training completion would be a leak: nothing is left to train on."""
    wider = {"type": "stored_completions", "metadata": {"tag": "ask"}}
    status, answer = asked(shared, test=wider)
    assert (status, acts.refusal(answer)["param"]) == (400, "train"), answer


def test_training_conversations_that_go_on_from_a_test_row_are_refused(shared: System) -> None:
    """Each shows a test question with its answer; by their group alone they are leaks as well."""
    records = [loop.record(2000 + number, split="test", tag="turns") for number in range(12)]
    for row in records[:]:
        went_on = [*row["request"]["messages"], row["response"]["choices"][0]["message"], *build.asked("and then?")]
        later = {**row, "request": {**row["request"], "messages": went_on}}
        response = {**row["response"], "id": f"{row['response']['id']}-later"}
        records.append({**later, "response": response, "metadata": {"split": "train", "tag": "turns"}})
    build.captured(shared, records)
    status, answer = asked(shared, test=loop.source("test", "turns"), train=loop.source("train", "turns"))
    assert (status, acts.refusal(answer)["code"]) == (400, "too_few_examples"), answer
    assert (
        "12 of them are rows of 'test' too, ask the same, or belong to one conversation" in answer["error"]["message"]
    )
    status, answer = asked(shared, gate={"group_by": "tag"})
    assert (status, acts.refusal(answer)["code"]) == (400, "too_few_examples"), answer


def test_too_few_training_completions_are_refused(shared: System) -> None:
    status, answer = asked(shared, train={**loop.source("train", "ask"), "limit": 3})
    assert (status, acts.refusal(answer)["code"]) == (400, "too_few_examples"), answer


def test_a_budget_without_a_price_is_refused(shared: System) -> None:
    """The lab's students have no price: the budget could never be checked."""
    status, answer = asked(shared, gate={"max_cost_usd": 5.0})
    assert (status, acts.refusal(answer)["param"]) == (400, "gate.max_cost_usd"), answer


def test_an_expected_gain_that_no_number_of_rows_shows_is_refused(shared: System) -> None:
    status, answer = asked(shared, gate={"expected_gain": 0.05, "min_gain": 0.1})
    assert (status, acts.refusal(answer)["param"]) == (400, "gate.expected_gain"), answer


def test_a_group_that_no_test_row_has_is_refused(shared: System) -> None:
    status, answer = asked(shared, gate={"group_by": "customer"})
    assert (status, acts.refusal(answer)["param"]) == (400, "gate.group_by"), answer


def test_a_teacher_who_can_neither_answer_nor_has_answered_is_refused(system: System) -> None:
    """It answered the training completions once, and no provider has it any more: each test row would be errored."""
    records = [build.record(n, f"train {n}", split="train", model="gone-teacher") for n in range(12)]
    records += [build.record(100 + n, f"test {n}", split="test", model="other-model") for n in range(4)]
    build.captured(system, records)
    body = {
        "name": "gone",
        "eval_id": acts.new_eval(system),
        "test": build.source("test"),
        "train": build.source("train"),
        "teacher": "gone-teacher",
        "student": "lab-small",
    }
    status, answer = system.call("POST", "/v1/distillations", body)
    assert (status, acts.refusal(answer)["param"]) == (404, "teacher"), answer


def test_a_test_file_without_messages_is_refused(shared: System) -> None:
    _, file = acts.upload(shared, [{"item": {"question": "q"}}])
    status, answer = asked(shared, test={"type": "file_id", "id": file["id"]})
    assert status == 400, answer
    assert answer["error"]["param"].startswith("test")


def test_a_training_file_as_test_set_of_a_run_is_refused(shared: System) -> None:
    """A file of another purpose, from an earlier version, holds no rows: its run would fail once it is planned."""
    File(id="file-old", created_at=1, bytes=1, filename="f", purpose="fine-tune", key=file_key("file-old")).create()
    source = {"type": "jsonl", "source": {"type": "file_id", "id": "file-old"}}
    status, answer = shared.call("POST", f"/v1/evals/{acts.new_eval(shared)}/runs", {"data_source": source})
    assert (status, acts.refusal(answer)["param"]) == (400, "data_source.source.id"), answer


JUDGE = {
    "type": "label_model",
    "name": "judged",
    "model": "lab-judge",
    "input": [{"role": "user", "content": "Reference: nothing of the kind\nAnswer: {{ sample.output_text }}"}],
    "labels": ["correct", "incorrect"],
    "passing_labels": ["correct"],
}


def answers(model: str, texts: list[str]) -> dict[str, Any]:
    rows = [
        {"item": {"reference": "yes", "n": number}, "sample": {"output_text": text, "model": model}}
        for number, text in enumerate(texts)
    ]
    return acts.inline(*rows, model=model)


def test_a_criterion_that_gives_one_answer_to_two_models_is_said_by_the_second_run(system: System) -> None:
    eval_id = acts.new_eval(system, acts.CHECK, JUDGE)
    first = acts.graded(system, eval_id, answers("model-a", ["yes", "no", "yes", "no"] * 3))
    second = acts.graded(system, eval_id, answers("model-b", ["no", "yes", "yes", "no"] * 3))
    assert (first["status"], second["status"]) == ("completed", "completed")
    warnings = " ".join(map(str, second["warnings"]))
    assert "judged" in warnings
    assert "correct-" not in warnings, "the criterion that tells rows apart is not named"


def test_a_run_whose_criteria_tell_rows_apart_warns_of_nothing(system: System) -> None:
    eval_id = acts.new_eval(system)
    acts.graded(system, eval_id, answers("model-a", ["yes", "no"] * 6))
    second = acts.graded(system, eval_id, answers("model-b", ["no", "yes"] * 6))
    assert second["warnings"] == []


def test_a_gate_names_the_criterion_that_fails_every_row_of_every_model(system: System) -> None:
    """Not only that there is no gap to close: why there is none."""
    build.captured(system, [build.record(n, f"q{n}", split="train") for n in range(12)])
    distillation = build.distillation("measuring", student=loop.STUDENT)
    for role in ("teacher", "baseline"):
        build.graded(distillation, role, "f" * 12)
    acts.deliver_all(system)
    reasons = " ".join(loop.fetched(system, distillation.id)["plan"]["reasons"])
    assert "correct" in reasons
    assert "every row" in reasons
