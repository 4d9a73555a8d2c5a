"""Turn pydantic's findings about a body into one refusal in OpenAI's shape.

In: pydantic's error, the caller's document, and the model that the document should have been. Out: an ApiError that
names every field which is missing, unknown or wrong, with the nearest valid name of an unknown one. Its `param` is the
first of them. No value is repeated: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAliasType, get_args, get_origin

from pydantic import BaseModel, ValidationError

from foundation.errors import ApiError
from foundation.parameters import remedy

_LONGEST_STEP = 64
_MOST_NAMED = 10

type Steps = Sequence[str | int]


def field_error(error: ValidationError, document: Any = None, model: Any = None) -> ApiError:
    """The refusal that names every wrong field; its `param` is the first one.

    Pydantic puts the tags of unions into its paths. With the `document`, paths are written as the caller knows them.
    """
    findings = error.errors(include_url=False, include_input=False)
    missing = [place_in(document, finding) for finding in findings if finding["type"] == "missing"]
    sentences = [_missing_sentence(missing[:_MOST_NAMED])] if missing else []
    others = [finding for finding in findings if finding["type"] != "missing"]
    sentences += [_sentence(document, finding, model) for finding in others[:_MOST_NAMED]]
    first = findings[0]
    return ApiError(
        " ".join(dict.fromkeys(sentences)), code=_code(first["type"]), param=place_in(document, first) or None
    )


def _code(kind: str) -> str:
    known = {"missing": "missing_required_parameter", "extra_forbidden": "unknown_parameter"}
    return known.get(kind, "invalid_value")


def _missing_sentence(names: Sequence[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in dict.fromkeys(names))
    return f"Missing required parameter{'s' if len(names) > 1 else ''}: {quoted}."


def _sentence(document: Any, finding: Any, model: Any) -> str:
    where = place_in(document, finding)
    if finding["type"] != "extra_forbidden":
        return f"Invalid '{where}': {finding['msg']}."
    *above, name = _steps(document, finding) or [""]
    # Another arm of a union may have a field of this very name.
    known = [field for field in dict.fromkeys(field_names(model, above)) if field != name]
    return f"Unknown parameter: '{where}'.{f' {remedy(str(name), known)}' if known else ''}"


def place_in(document: Any, finding: Any) -> str:
    """The place of one of pydantic's findings as a caller writes it: `rows[1].size`."""
    where = ""
    for step in _steps(document, finding):
        name = f"[{step}]" if isinstance(step, int) else step[:_LONGEST_STEP]
        where += name if isinstance(step, int) or not where else f".{name}"
    return where


def _steps(document: Any, finding: Any) -> list[str | int]:
    if document is None:
        return list(finding["loc"])
    return list(_steps_in(document, finding["loc"], missing=finding["type"] == "missing"))


def _steps_in(document: Any, path: Steps, *, missing: bool) -> Iterator[str | int]:
    """The steps of a path that the document has, and the missing field at its end."""
    here = document
    for position, step in enumerate(path):
        if _holds(here, step):
            here = here[step]
            yield step
        elif missing and position == len(path) - 1:
            yield step


def _holds(here: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(here, list) and step < len(here)
    return isinstance(here, dict) and step in here


def field_names(kind: Any, steps: Steps) -> Iterator[str]:
    """The names of the fields that a model takes at the end of a path; for a union, those of all its arms."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
        if not steps:
            yield from fields
        elif steps[0] in fields:
            yield from field_names(fields[str(steps[0])], steps[1:])
    elif isinstance(kind, TypeAliasType):
        yield from field_names(kind.__value__, steps)
    elif get_origin(kind) in {list, dict}:
        yield from field_names(get_args(kind)[-1], steps[1:])
    else:
        for arm in get_args(kind):
            yield from field_names(arm, steps)
