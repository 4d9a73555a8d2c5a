"""Shapes as JSON schemas: the models, typed dicts and unions that routes declare, by class or by dotted name.

In: a declared shape. Out: what pydantic describes. The text below a field, where a class has no other, becomes the
field's description.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from itertools import pairwise
from textwrap import dedent
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

REFERENCE = "#/components/schemas/{model}"
# A generic model is called by its parameters, too.
_GENERIC = re.compile(r"[A-Z][a-z]+_\w{40,}")


class _Schemas(GenerateJsonSchema):
    """Pydantic's schemas, with the text below each field and without what only a validator can say."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        properties = described.get("properties", {})
        for name, text in _texts(schema["cls"]).items():
            if name in properties:
                properties[name].setdefault("description", text)
        return described

    def emit_warning(self, kind: Any, detail: str) -> None:
        """Say nothing: a default that is no JSON is left out."""


@cache
def shape_named(name: str) -> Any:
    """The class or type behind a dotted name."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def parts_of(shape: Any) -> list[Any]:
    """The types that a declared shape consists of."""
    several = shape if isinstance(shape, tuple) else (shape,)
    return [shape_named(part) if isinstance(part, str) else part for part in several]


def schemas_of(wanted: Iterable[Any]) -> tuple[dict[Any, JsonSchemaValue], dict[str, JsonSchemaValue]]:
    """The schema of each type, and the definitions that they refer to."""
    kinds = list(dict.fromkeys(wanted))
    # What is accepted describes what is answered too, so that a model has one schema and one name.
    inputs: list[tuple[int, Literal["validation"], TypeAdapter[Any]]] = [
        (number, "validation", TypeAdapter(kind)) for number, kind in enumerate(kinds)
    ]
    by_key, whole = TypeAdapter.json_schemas(inputs, schema_generator=_Schemas, ref_template=REFERENCE)
    definitions = whole.get("$defs", {})
    text = json.dumps([[by_key[number, "validation"] for number in range(len(kinds))], definitions])
    for name in filter(_GENERIC.match, definitions):
        text = text.replace(json.dumps(name)[1:-1], name.partition("_")[0])
    schemas, definitions = json.loads(text)
    return dict(zip(kinds, schemas, strict=True)), definitions


def _texts(model: type[BaseModel]) -> dict[str, str]:
    """The string below each field, of the class and of its bases."""
    texts: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, BaseModel) and not kind.__module__.startswith(("pydantic", "openai")):
            texts |= _texts_below(kind)
    return texts


def _texts_below(kind: type[Any]) -> dict[str, str]:
    try:
        tree = ast.parse(dedent(inspect.getsource(kind))).body[0]
    except (OSError, TypeError):  # made at run time, as the variants of a generic model are
        return {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    pairs = pairwise(body)
    return {
        field.target.id: inspect.cleandoc(text.value.value).replace("\n", " ")
        for field, text in pairs
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }
