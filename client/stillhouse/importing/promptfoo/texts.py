"""Texts as Promptfoo writes and reads them: numbers like JavaScript, lists with commas between.

Source: `src/util/parseCommaSeparatedValues.ts`. A list that Promptfoo refuses raises Unmapped.
"""

from __future__ import annotations

import re
from decimal import Decimal

from stillhouse.importing.source import Unmapped

_FIELD = re.compile(r'(?:"((?:[^"\\]|\\["\\]|\\(?!["\\])|"")*)"|([^",][^,]*?))\s*(?:,[\s,]*|$)')
_ESCAPED = re.compile(r'\\(["\\])|""')


def of_number(number: float) -> str:
    """All its digits, without an exponent; JavaScript has one from 1e21 on and below 1e-6."""
    return str(int(number)) if float(number).is_integer() else format(Decimal(repr(number)), "f")


def split(text: str) -> list[str]:
    """The fields of a list; in quotes a comma belongs to the field. Empty ones do not count."""
    rest, at, fields = text.strip(" \t\r\n,"), 0, []
    while at < len(rest):
        field = _FIELD.match(rest, at)
        if not field:
            raise Unmapped("a list with quotes that do not close")
        at = field.end()
        quoted = field[1] is not None
        fields.append(_ESCAPED.sub(lambda sign: sign[1] or '"', field[1]) if quoted else field[2])
    return fields
