"""Write numbers and read comma-separated lists as Promptfoo does.

Source: `src/util/parseCommaSeparatedValues.ts`. A list that Promptfoo refuses raises Unmapped.
"""

from __future__ import annotations

import re
from decimal import Decimal

from stillhouse.importing.source import Unmapped

_FIELD = re.compile(r'(?:"((?:[^"\\]|\\["\\]|\\(?!["\\])|"")*)"|([^",][^,]*?))\s*(?:,[\s,]*|$)')
_ESCAPED = re.compile(r'\\(["\\])|""')


def of_number(number: float) -> str:
    """Write a number with all its digits and no exponent. JavaScript writes an exponent from 1e21 on and below 1e-6."""
    return str(int(number)) if float(number).is_integer() else format(Decimal(repr(number)), "f")


def split(text: str) -> list[str]:
    """Split a list at its commas, except for those in quotes; empty fields are dropped."""
    rest, at, fields = text.strip(" \t\r\n,"), 0, []
    while at < len(rest):
        field = _FIELD.match(rest, at)
        if not field:
            raise Unmapped("a list with quotes that do not close")
        at = field.end()
        quoted = field[1] is not None
        fields.append(_ESCAPED.sub(lambda sign: sign[1] or '"', field[1]) if quoted else field[2])
    return fields
