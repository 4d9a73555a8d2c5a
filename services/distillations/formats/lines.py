"""The lines of a training file as trainers may read them: what harms no example is mended, and said.

In: raw lines. Out: each with its number and what was mended. A byte order mark is taken off, an empty line has no text,
and NUL, which many readers end a text at, is taken out. Nothing else is changed.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

import orjson

from distillations.formats.comparing import without_fence

_BOM = b"\xef\xbb\xbf"
_ESCAPE = b"\\u0000"
# An even number of backslashes before it: those are backslashes of the text.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)(?:\\u0000)+")


class Line(NamedTuple):
    """A line. `mended` has a code of `codes.REMEDIES` for everything that was changed."""

    number: int
    text: bytes
    end: bytes
    mended: tuple[str, ...] = ()


def mended(lines: Iterable[bytes]) -> Iterator[Line]:
    """All lines, the empty ones too."""
    for number, raw in enumerate(lines, start=1):
        text, codes = raw.rstrip(b"\r\n"), []
        end = raw[len(text) :]
        if number == 1 and text.startswith(_BOM):
            text = text.removeprefix(_BOM)
            codes.append("utf8_bom")
        if not text.strip():
            text = b""
            codes.append("blank_line")
        elif _ESCAPE in text:
            without = _NUL.sub(rb"\1", text)
            if without != text:
                text = without
                codes.append("control_characters")
        yield Line(number, text, end, tuple(codes))


def examples(lines: Iterable[bytes], but: Container[int] = (), fenced: Container[int] = ()) -> Iterator[bytes]:
    """The mended lines that hold something, with their ends. Of a file in which nothing is to be mended, its bytes.

    Lines with the numbers in `but` are left out; of the answers on those in `fenced` the code fence is taken off.
    """
    for line in mended(lines):
        if line.text and line.number not in but:
            yield (_unfenced(line.text) if line.number in fenced else line.text) + line.end


def _unfenced(text: bytes) -> bytes:
    row = orjson.loads(text)
    answer = row["messages"][-1]
    answer["content"] = without_fence(answer["content"]) or answer["content"]
    return orjson.dumps(row)
