"""Whether a value is what a caller's own JSON schema asks for, in bounded work.

In: a value and a schema as it was captured. Out: the kind and the place of the first fault, without a word of the
value; None where there is none, and where the schema cannot be used, which says nothing about the value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError

from foundation.bounds import LONGEST_NAME, cut
from graders.grade import NotGradable

if TYPE_CHECKING:
    from graders.schema_validation import Validation

_REMEMBERED = 32


def problem_with(value: Any, schema: Any) -> str | None:
    """The first fault of the value by the schema."""
    validation = _validation(orjson.dumps(schema)) if isinstance(schema, dict) else None
    if validation is None:
        return None
    # Imported here: most completions have no schema, and the function starts sooner without.
    from referencing.exceptions import Unresolvable

    try:
        faults = validation.errors(value, 1)
    except (NotGradable, RecursionError, Unresolvable):
        return None
    if not faults:
        return None
    place = _place(faults[0])
    return f"'{faults[0].validator}' at {place}" if place else f"'{faults[0].validator}'"


def _place(fault: Any) -> str:
    """The steps to the fault, a star for each name that is the value's own and none of the schema's."""
    named = set(fault.absolute_schema_path)
    steps = (str(step) if isinstance(step, int) or step in named else "*" for step in fault.absolute_path)
    return cut(".".join(steps), LONGEST_NAME)


@lru_cache(maxsize=_REMEMBERED)
def _validation(schema: bytes) -> Validation | None:
    """The validation by a schema, which many completions share; None where it would not be bounded, or is no schema."""
    from graders.json_schema import JsonSchema
    from graders.schema_validation import Validation

    document = orjson.loads(schema)
    try:
        JsonSchema(type="json_schema", name="response_format", json_schema=document)
    except (RecursionError, ValidationError):
        return None
    return Validation(document)
