"""Which trainings a distillation may ask for side by side, and what is refused, by field."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from distillations.attempts import MOST, Order, Students, SweptHyperparameters, job_id_of, most_models, orders_of
from foundation.field_errors import field_error


class Asked(BaseModel):
    student: Students
    trainer: str = "default"
    hyperparameters: SweptHyperparameters | None = None


def refused(document: dict[str, Any]) -> tuple[str | None, str]:
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate(document)
    error = field_error(caught.value, document, Asked)
    return error.param, error.message


def test_every_student_is_trained_with_every_set_in_their_order() -> None:
    orders = orders_of(["a", "b"], [{"n_epochs": 1}, {}])
    assert orders == [Order("a", {"n_epochs": 1}), Order("a", {}), Order("b", {"n_epochs": 1}), Order("b", {})]
    assert orders_of(["a"], {"n_epochs": 1}) == [Order("a", {"n_epochs": 1})]


def test_each_order_has_a_job_of_its_own_that_follows_from_the_dataset() -> None:
    jobs = [job_id_of("dataset_1", number) for number in range(MOST)]
    assert len(set(jobs)) == MOST
    assert jobs == [job_id_of("dataset_1", number) for number in range(MOST)]


def test_there_is_something_to_choose_with_several_orders_or_checkpoints() -> None:
    assert (most_models(1, "last"), most_models(3, "last")) == (0, 3)
    assert most_models(1, "best") > 1


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"hyperparameters": []}, "hyperparameters", "at least one"),
        ({"hyperparameters": [{}, {"n_epochs": 51}]}, "hyperparameters[1].n_epochs", "less than or equal to 50"),
        ({"hyperparameters": [{"n_epochs": 1}, {"epochs": 2}]}, "hyperparameters[1].epochs", "Unknown parameter"),
        ({"hyperparameters": [{"n_epochs": 1}, "auto"]}, "hyperparameters[1]", "valid dictionary"),
        ({"hyperparameters": [{"n_epochs": 1}, {"n_epochs": 1}]}, "hyperparameters[1]", "the same training"),
        ({"hyperparameters": [{}, {"n_epochs": "auto"}]}, "hyperparameters[1]", "the same training"),
        ({"hyperparameters": [{"n_epochs": epochs} for epochs in range(1, 10)]}, "hyperparameters", "8 or fewer"),
        (
            {"student": ["a", "b", "c"], "hyperparameters": [{"n_epochs": epochs} for epochs in range(1, 4)]},
            "hyperparameters",
            "2 or fewer",
        ),
        ({"trainer": "bedrock", "hyperparameters": [{}, {"n_epochs": 6}]}, "hyperparameters[1].n_epochs", "equal to 5"),
        ({"student": []}, "student", "at least 1"),
        ({"student": ["a", "a"]}, "student[1]", "named twice"),
        ({"student": ["a", ""]}, "student[1]", "at least 1"),
        ({"student": [str(number) for number in range(9)]}, "student", "at most 8"),
        ({"student": ""}, "student", "at least 1"),
        ({"student": 3}, "student", "valid string"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field(fields: dict[str, Any], param: str, words: str) -> None:
    where, message = refused({"student": "a", **fields})
    assert where == param
    assert words in message


def test_what_is_right_is_kept_as_it_was_asked() -> None:
    asked = Asked.model_validate({"student": ["a", "b"], "hyperparameters": [{"n_epochs": 1}, {"n_epochs": "auto"}]})
    assert isinstance(asked.hyperparameters, list)
    assert [each.given() for each in asked.hyperparameters] == [{"n_epochs": 1}, {"n_epochs": "auto"}]
    assert Asked.model_validate({"student": "a", "hyperparameters": {"n_epochs": 1}}).student == "a"
