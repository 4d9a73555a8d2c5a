"""The criteria that the cards of a form describe, as POST /v1/evals takes them.

Raises ApiError naming the field as the API would: `testing_criteria[0].pass_threshold`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import orjson

from dashboard.grader_cards import Card, CardField
from foundation.errors import ApiError


def criteria_of(cards: Sequence[Card]) -> list[Any]:
    """A criterion for each card. Raises ApiError where there is none."""
    if not cards:
        raise ApiError("Add a grader: an eval asks at least one thing.", code="invalid_value", param="add")
    return [_criterion(card, f"testing_criteria[{number}]") for number, card in enumerate(cards)]


def param_of(number: int, field: CardField) -> str:
    """The API's name of a card's field."""
    name = field.param or ("" if field.name == "definition" else field.name)
    return f"testing_criteria[{number}].{name}".rstrip(".")


def _criterion(card: Card, param: str) -> Any:
    values = {field.name: _value(field, card.values[field.name], param) for field in card.kind.fields}
    if not card.kind.type:
        return values["definition"]
    given = {name: value for name, value in values.items() if value is not None}
    named: dict[str, Any] = {"type": card.kind.type, "name": card.values["name"]}
    if "question" in values:
        given["input"] = [
            {"role": "system", "content": given.pop("question", "")},
            {"role": "user", "content": given.pop("shown", "")},
        ]
    if "low" in values:
        given["range"] = [given.pop("low", 0.0), given.pop("high", 1.0)]
    return named | given


def _value(field: CardField, typed: str, param: str) -> Any:
    """What was typed, as the API takes it; None for what was left empty and may be."""
    named = f"{param}.{field.param or field.name}"
    # A browser ends the lines of a form in its own way.
    text = typed.replace("\r\n", "\n").strip()
    if field.kind == "flag":
        return bool(text)
    if not text:
        if field.required:
            raise ApiError(f"'{field.label}' is empty.", code="missing_required_parameter", param=named)
        return None
    match field.kind:
        case "number":
            return _number(text, field.label, named)
        case "names":
            return [name.strip() for name in text.split(",") if name.strip()]
        case "path":
            return text if "{{" in text or not text.startswith(("item.", "sample.")) else f"{{{{ {text} }}}}"
        case "json":
            return _json(text, field.label, named if field.name != "definition" else param)
        case _:
            return text


def _number(text: str, label: str, param: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ApiError(f"'{label}' takes a number.", code="invalid_value", param=param)
    return number


def _json(text: str, label: str, param: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ApiError(f"'{label}' is no JSON: {error}.", code="invalid_json", param=param) from error
