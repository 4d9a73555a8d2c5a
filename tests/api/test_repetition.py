"""A distillation is repeated elsewhere: on the same frozen rows, with the answers that the teacher gave."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from distillations.distillation import Distillation
from distilling.advance import advance
from evals.run import Run
from foundation import blobs
from tests.flow import loop
from tests.flow.system import System


@pytest.fixture
def earlier(system: System) -> Distillation:
    """A distillation that has frozen its rows, four of them, answered by a teacher that no provider has."""
    loop.capture(system, "d", train=24, test=4)
    made = loop.distill(system, "d", hyperparameters={"n_epochs": 2}, metadata={"team": "mail"}, seed=7)
    advance(made["id"])
    return Distillation.load(made["id"])


def repeated(system: System, earlier: Distillation, **fields: Any) -> Distillation:
    made = system.ok("POST", f"/v1/distillations/{earlier.id}/repeat", fields)
    return Distillation.load(made["id"])


def test_what_is_not_said_stays(system: System, earlier: Distillation) -> None:
    again = repeated(system, earlier)
    same = ("name", "eval_id", "train", "teacher", "student", "trainer", "hyperparameters", "gate", "seed", "metadata")
    assert again.model_dump(include=set(same)) == earlier.model_dump(include=set(same))
    assert (again.repeats, earlier.repeats, again.id != earlier.id) == (earlier.id, None, True)
    assert again.test.model_dump() == {"type": "file_id", "id": earlier.test_file_id}


def test_all_attempts_are_repeated_whichever_was_chosen(system: System, earlier: Distillation) -> None:
    several = [{"n_epochs": 1}, {"n_epochs": 2}]
    again = repeated(system, earlier, student=["lab-small", "lab-judge"], hyperparameters=several)
    advance(again.id)
    again.change({"student": "lab-judge"})
    third = repeated(system, again)
    assert third.orders == again.orders
    assert len(third.orders) == 4
    elsewhere = repeated(system, again, trainer="file", student="lab-small")
    assert elsewhere.orders == [("lab-small", {})]


def test_the_rows_are_the_same_bytes_and_the_teachers_answers_stand(system: System, earlier: Distillation) -> None:
    again = repeated(system, earlier, student="lab-judge", name="elsewhere")
    advance(again.id)
    measured = Distillation.load(again.id)
    assert (measured.name, measured.student, measured.test_rows) == ("elsewhere", "lab-judge", 4)
    assert list(blobs.lines(measured.rows_key)) == list(blobs.lines(earlier.rows_key))
    assert "sample" in orjson.loads(next(iter(blobs.lines(measured.rows_key))))
    assert Run.load(measured.runs["teacher"]).answers == "stored"


def test_answers_in_a_file_of_anybody_are_not_the_teachers(system: System, earlier: Distillation) -> None:
    body = earlier.model_dump(include={"name", "eval_id", "train", "student"})
    file = {"type": "file_id", "id": earlier.test_file_id}
    status, answer = system.call("POST", "/v1/distillations", {**body, "teacher": loop.TEACHER, "test": file})
    assert (status, answer["error"]["param"]) == (404, "teacher")


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"student": "nobody"}, 404, "student"),
        ({"student": ""}, 400, "student"),
        ({"trainer": "moon"}, 400, "trainer"),
        ({"hyperparameters": {"epochs": 1}}, 400, "hyperparameters.epochs"),
        ({"contenders": ["lab-small"]}, 400, "contenders[0]"),
        ({"teacher": "lab-small"}, 400, "teacher"),
        ({"seed": "x"}, 400, "seed"),
    ],
)
def test_what_cannot_work_is_refused(
    fields: dict[str, Any], status: int, param: str, system: System, earlier: Distillation
) -> None:
    answered, answer = system.call("POST", f"/v1/distillations/{earlier.id}/repeat", fields)
    assert (answered, answer["error"]["param"]) == (status, param)


def test_without_frozen_rows_there_is_nothing_to_repeat(system: System) -> None:
    loop.capture(system, "d", train=24, test=4)
    made = loop.distill(system, "d")
    status, answer = system.call("POST", f"/v1/distillations/{made['id']}/repeat", {})
    assert (status, answer["error"]["code"]) == (409, "not_frozen")
    assert system.call("POST", "/v1/distillations/distill_nobody/repeat", {})[0] == 404


def test_a_retried_repetition_makes_one(system: System, earlier: Distillation) -> None:
    path, headers = f"/v1/distillations/{earlier.id}/repeat", {"Idempotency-Key": "once"}
    first, second = (system.call("POST", path, {}, headers=headers)[1]["id"] for _ in range(2))
    assert first == second
