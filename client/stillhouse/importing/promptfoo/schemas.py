"""Read the JSON schema of an `is-json` assert; the draft is 7 unless the schema names another.

In: the assert's value: an object, a text in YAML or JSON, or a file of one. Out: a JSON schema, empty if the assert has
none. Raises Unmapped if the schema is no object.
"""

from __future__ import annotations

from typing import Any

from stillhouse.importing.promptfoo.files import Beside, yaml_of
from stillhouse.importing.source import Unmapped

_DRAFT = "http://json-schema.org/draft-07/schema#"


def schema_of(value: Any, beside: Beside) -> dict[str, Any]:
    schema = beside.of(value)
    if isinstance(schema, str) and schema:
        schema = yaml_of(schema, "the schema")
    if schema in (None, ""):
        return {}
    if not isinstance(schema, dict):
        raise Unmapped("a schema that is no object")
    return {"$schema": _DRAFT, **schema} if schema else {}


def has_format(schema: Any) -> bool:
    """Tell whether a schema has the keyword `format` anywhere; a property of that name holds no text and is ignored."""
    if isinstance(schema, dict):
        return isinstance(schema.get("format"), str) or any(has_format(part) for part in schema.values())
    return isinstance(schema, list) and any(has_format(part) for part in schema)
