"""Validate a document against a JSON schema, and count the work: a small schema can demand endless work.

In: a schema that `json_schema` has accepted, and a document. Out: the first errors. Raises TooLarge if the document
takes more steps than one row may; a step is one look at one keyword, about ten microseconds. The keywords
`uniqueItems`, `const`, `enum` and `pattern` are our own: the library compares each value with each other one, and
matches patterns with Python's `re`, whose time has no bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from graders.canonical import canonical
from graders.grade import TooLarge
from graders.patterns import compiled, steps

_MOST_STEPS = 60_000
# So much of other work takes about the time of a step.
_VALUES_A_STEP = 16
_LETTERS_A_STEP = 256
_PATTERN_STEPS_A_STEP = 500

type _Keyword = Callable[[Any, Any, Any, Any], Iterator[Any] | None]


class Validation:
    """A schema that documents can be checked against, one after the other."""

    def __init__(self, schema: dict[str, Any]) -> None:
        # Imported here: most functions that know the graders never validate, and start sooner without.
        from jsonschema.validators import extend, validator_for
        from referencing import Registry

        self._left = 0
        library: Any = validator_for(schema)
        ours: dict[str, _Keyword] = {
            "uniqueItems": self._unique,
            "const": self._const,
            "enum": self._enum,
            "pattern": self._pattern,
        }
        keywords = {name: self._counted(ours.get(name, keyword)) for name, keyword in library.VALIDATORS.items()}
        bounded = extend(library, keywords)  # type: ignore[no-untyped-call]
        # With `$schema` left in, a reference to the root would switch to the library's own, uncounted validator.
        rest = {name: value for name, value in schema.items() if name != "$schema"}
        self._validator = bounded(rest, registry=Registry())

    def errors(self, document: Any, most: int) -> list[Any]:
        """The first errors. Raises TooLarge, and what the library raises where a reference has no target or no end."""
        self._left = _MOST_STEPS
        return list(islice(self._validator.iter_errors(document), most))

    def _spend(self, taken: int) -> None:
        self._left -= taken
        if self._left < 0:
            raise TooLarge(f"checking this document against the schema takes more than {_MOST_STEPS} steps")

    def _counted(self, keyword: _Keyword) -> _Keyword:
        def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            self._spend(1 + (_length(value) + _length(instance)) // _VALUES_A_STEP)
            for error in keyword(validator, value, instance, schema) or ():
                # The message repeats the instance, whatever its size, so writing it is work too.
                self._spend(len(error.message) // _LETTERS_A_STEP)
                yield error

        return counted

    def _unique(self, validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG002
        if wanted and validator.is_type(instance, "array") and len(set(self._read(instance))) < len(instance):
            yield _error(f"{instance!r} has non-unique elements")

    def _const(self, validator: Any, const: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG002
        expected, actual = self._read([const, instance])
        if expected != actual:
            yield _error(f"{const!r} was expected")

    def _enum(self, validator: Any, enums: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG002
        (actual,) = self._read([instance])
        if actual not in self._read(list(enums)):
            yield _error(f"{instance!r} is not one of {enums!r}")

    def _pattern(self, validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG002
        if not validator.is_type(instance, "string"):
            return
        program = compiled(pattern)
        self._spend(steps(program, instance) // _PATTERN_STEPS_A_STEP)
        if not program.search(instance):
            yield _error(f"{instance!r} does not match {pattern!r}")

    def _read(self, values: list[Any]) -> list[Any]:
        """The values in comparable form (`canonical`). Counts as steps by their size."""
        self._spend(sum(map(_size, values)) // _VALUES_A_STEP)
        return [canonical(value) for value in values]


def _error(message: str) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, dict | list) else 0


def _size(value: Any) -> int:
    """How many values a value is made of, itself included; a long text counts as several."""
    size, inside = 0, [value]
    while inside:
        here = inside.pop()
        size += 1 + (len(here) // _LETTERS_A_STEP if isinstance(here, str) else 0)
        if isinstance(here, list):
            inside += here
        elif isinstance(here, dict):
            inside += here.values()
    return size
