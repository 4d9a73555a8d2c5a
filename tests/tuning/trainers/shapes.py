"""What a request of a hosted trainer may have, and what it must: a table of fields, held against each request.

The tables were written from the types of the trainers' own SDKs, which are no dependencies here: one of them cannot be
installed beside what the tests need.
"""

from __future__ import annotations

from typing import Any, NamedTuple

type Fields = dict[str, type | tuple[type, ...] | Fields]


class Shape(NamedTuple):
    """The fields of a JSON object, those that it must have, and the names in the query."""

    fields: Fields
    required: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()


def hold(document: dict[str, Any], shape: Shape, what: str) -> None:
    """Fails where the document has a field that the shape lacks, lacks one that it must have, or has another type."""
    _hold(document, shape.fields, what)
    assert shape.required <= set(document), f"{what} lacks {shape.required - set(document)}"


def _hold(document: dict[str, Any], fields: Fields, what: str) -> None:
    for name, value in document.items():
        assert name in fields, f"{what} has the field {name}, which nobody knows"
        wanted = fields[name]
        if isinstance(wanted, dict):
            _hold(value, wanted, f"{what}.{name}")
        else:
            assert isinstance(value, wanted), f"{what}.{name} is {value!r}"
            assert not (isinstance(value, bool) and wanted is int), f"{what}.{name} is {value!r}"
