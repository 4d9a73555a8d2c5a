"""`json_schema`: whether a rendered text is JSON of a schema. Passes with score 1, fails with score 0 and the errors.

JSON Schema 2020-12, or the draft that `$schema` names. References stay within the schema, since nothing is fetched;
patterns are RE2's. `patternProperties` is refused, and so is `$schema` below the root, which would bring its own
patterns: the library would match them with Python's `re`, whose time has no bound and which no step counter sees
(`schema_validation.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal

import orjson
from pydantic import field_validator

from graders.grade import Grade, GraderModel, Models, NotGradable
from graders.patterns import compiled
from graders.schema_validation import Validation
from graders.template import render

_SHOWN_ERRORS = 5
_SHOWN_CHARACTERS = 300
_NO_PATTERN_PROPERTIES = "patternProperties is not supported; say it with propertyNames and additionalProperties"
_SCHEMA_BELOW = "$schema may only stand at the root of the schema"
_DATA = frozenset({"const", "default", "enum", "examples"})


class JsonSchema(GraderModel):
    """`input` is the template of the text that must be JSON, by default the whole answer."""

    type: Literal["json_schema"]
    input: str = "{{ sample.output_text }}"
    json_schema: dict[str, Any]

    @field_validator("json_schema")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any]) -> dict[str, Any]:
        # Imported here: jsonschema takes 0.3 s, and most functions that know the graders see no schema.
        from jsonschema import SchemaError
        from jsonschema.validators import validator_for

        for keyword, value in _keywords(schema):
            _refuse(keyword, value)
        for value in schema.values():
            _refuse_unbounded(value)
        try:
            validator_for(schema).check_schema(schema)
        except SchemaError as error:
            raise ValueError(f"{error.message}, at {error.json_path}") from error
        return schema

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:  # noqa: ARG002
        from referencing.exceptions import Unresolvable

        text = render(self.input, {"item": item, "sample": sample})
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            return Grade(passed=False, score=0.0, sample={"errors": [f"not JSON: {error}"]})
        try:
            errors = self._validation.errors(document, _SHOWN_ERRORS)
        except Unresolvable as error:
            raise NotGradable(f"the schema has no '{error.ref}' that its $ref names") from error
        except RecursionError as error:
            raise NotGradable("the schema refers to itself without end") from error
        shown = [f"{error.json_path}: {error.message}"[:_SHOWN_CHARACTERS] for error in errors]
        return Grade(passed=not errors, score=float(not errors), sample={"errors": shown})

    @cached_property
    def _validation(self) -> Validation:
        return Validation(self.json_schema)


def _keywords(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every keyword of a schema and of those inside it."""
    inside = [schema]
    while inside:
        here = inside.pop()
        if isinstance(here, list):
            inside += here
        elif isinstance(here, dict):
            yield from here.items()
            inside += [value for keyword, value in here.items() if keyword not in _DATA]


def _refuse(keyword: str, value: Any) -> None:
    if keyword == "pattern" and isinstance(value, str):
        compiled(value)
    if keyword == "patternProperties":
        raise ValueError(_NO_PATTERN_PROPERTIES)
    if keyword in {"$ref", "$dynamicRef"} and isinstance(value, str) and not value.startswith("#"):
        raise ValueError(f"nothing is fetched: {keyword} '{value}' has to stay within the schema, as '#/$defs/…'")


def _refuse_unbounded(below: Any) -> None:
    """Refuse unbounded keywords at any depth, also in `const`, `enum` and other data, which a `$ref` may point to."""
    inside = [below]
    while inside:
        here = inside.pop()
        if isinstance(here, list):
            inside += here
        elif isinstance(here, dict):
            if isinstance(here.get("$schema"), str):
                raise ValueError(_SCHEMA_BELOW)  # noqa: TRY004 (the type is right, the place is not)
            if "patternProperties" in here:
                raise ValueError(_NO_PATTERN_PROPERTIES)
            inside += here.values()
