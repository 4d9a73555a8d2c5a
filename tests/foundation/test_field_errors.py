"""Everything that is wrong with a body is named in one refusal, in the caller's own words and without any value."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from foundation.errors import ApiError
from foundation.field_errors import field_error, field_names


class Circle(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["circle"]
    radius: int


class Square(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["square"]
    side: int


type Shape = Annotated[Circle | Square, Field(discriminator="type")]


class Drawing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    shapes: list[Shape]
    tags: dict[str, str] = Field(default_factory=dict)


def refusal(document: Any, model: Any = Drawing) -> ApiError:
    with pytest.raises(ValidationError) as failed:
        TypeAdapter(model).validate_python(document)
    return field_error(failed.value, document, model)


def test_all_missing_fields_are_named_at_once() -> None:
    error = refusal({})
    assert error.message == "Missing required parameters: 'title', 'shapes'."
    assert (error.status, error.code, error.param) == (400, "missing_required_parameter", "title")


def test_a_wrong_field_is_named_by_its_path_without_the_unions_tag() -> None:
    error = refusal({"title": "t", "shapes": [{"type": "circle", "radius": 1}, {"type": "square", "side": "secret"}]})
    assert error.param == "shapes[1].side"
    assert error.code == "invalid_value"
    assert error.message.startswith("Invalid 'shapes[1].side': ")
    assert "secret" not in error.message


def test_a_missing_field_of_a_member_is_named_by_its_path() -> None:
    assert refusal({"title": "t", "shapes": [{"type": "circle"}]}).param == "shapes[0].radius"


def test_an_unknown_field_is_refused_with_the_nearest_name() -> None:
    error = refusal({"title": "t", "shapes": [], "tgas": {}})
    assert error.message == "Unknown parameter: 'tgas'. Did you mean 'tags'?"
    assert (error.code, error.param) == ("unknown_parameter", "tgas")


def test_missing_wrong_and_unknown_fields_stand_in_one_message() -> None:
    message = refusal({"shapes": 5, "tgas": {}}).message
    assert message.startswith("Missing required parameter: 'title'. ")
    assert "Invalid 'shapes': " in message
    assert "Unknown parameter: 'tgas'." in message


def test_many_findings_are_cut() -> None:
    shapes = [{"type": "circle", "radius": "x"} for _ in range(1_000)]
    assert refusal({"title": "t", "shapes": shapes}).message.count("Invalid '") == 10


def test_a_long_field_name_is_shown_in_part() -> None:
    param = refusal({"title": "t", "shapes": [], "x" * 10_000: 1}).param
    assert param == "x" * 64


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ([], {"title", "shapes", "tags"}),
        (["shapes", 0], {"type", "radius", "side"}),
        (["title"], set()),
        (["nothing"], set()),
    ],
)
def test_the_names_of_a_union_are_those_of_all_its_arms(path: list[str | int], names: set[str]) -> None:
    assert set(field_names(Drawing, path)) == names


def test_without_the_document_pydantics_own_path_is_given() -> None:
    with pytest.raises(ValidationError) as failed:
        Drawing.model_validate({"title": "t", "shapes": [{"type": "square", "side": "x"}]})
    assert field_error(failed.value).param == "shapes[0].square.side"
