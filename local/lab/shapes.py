"""Structured output: an answer that conforms to the JSON schema of a request's `response_format`.

In: a `response_format`, and what a model has to say (a label, a reason, a score). Out: the JSON text. The lab
fills objects, enums, strings, numbers, booleans and arrays (left empty); a schema with `$ref` or a union is a
400.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from local.lab.wire import ApiError


@dataclass(frozen=True, slots=True)
class Finding:
    """A model's finding, from which an answer of any schema is filled: its label, the reason, and a score (0 to 1)."""

    choose: Callable[[list[str]], str]
    reason: str
    score: float


def schema_of(response_format: dict[str, Any] | None) -> dict[str, Any] | None:
    if not response_format or response_format.get("type") != "json_schema":
        return None
    schema = (response_format.get("json_schema") or {}).get("schema")
    if not isinstance(schema, dict):
        raise ApiError(
            400,
            "'response_format.json_schema.schema' must be a JSON schema.",
            param="response_format.json_schema.schema",
            code="missing_required_parameter",
        )
    return schema


def fill(schema: dict[str, Any], finding: Finding) -> str:
    return orjson.dumps(_value(schema, finding)).decode()


def _value(schema: dict[str, Any], finding: Finding) -> Any:
    if enum := schema.get("enum"):
        labels = [option for option in enum if isinstance(option, str)]
        return finding.choose(labels) if labels else enum[0]
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "object":
        return {name: _value(child, finding) for name, child in (schema.get("properties") or {}).items()}
    return _plain_value(schema, finding)


def _plain_value(schema: dict[str, Any], finding: Finding) -> Any:
    match schema.get("type"):
        case "string":
            return finding.reason
        case "number" | "integer" as kind:
            return _number(schema, finding.score, whole=kind == "integer")
        case "boolean":
            return finding.score >= 0.5  # noqa: PLR2004 - the middle of 0 to 1
        case "array":
            return []
        case other:
            raise ApiError(
                400,
                f"The lab cannot fill a schema of type {other!r}; it knows object, string, number, integer, "
                "boolean, array and enum, without $ref and unions.",
                param="response_format.json_schema.schema",
                code="unsupported_schema",
            )


def _number(schema: dict[str, Any], score: float, *, whole: bool) -> float | int:
    low, high = float(schema.get("minimum", 0)), float(schema.get("maximum", 1))
    value = low + score * (high - low)
    return round(value) if whole else value
