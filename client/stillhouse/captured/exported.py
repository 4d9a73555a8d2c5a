"""The completions of a filter as a file of JSON lines, page by page.

In: the API's filter and a path. Out: the file, whole or not there at all, and how many lines it has. A line that is too
large for an answer is fetched by its link.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlencode

from stillhouse import stack

_NEXT = "x-stillhouse-after"
_LINK = b'{"object":"completion.link"'


def write(to: str, wanted: dict[str, str], output: Path, told: Callable[[int], None]) -> int:
    """Write all completions that `wanted` narrows to; `told` hears how many there are after each page."""
    partial = output.with_name(f"{output.name}.part")
    lines = 0
    try:
        with partial.open("wb") as file:
            query = dict(wanted)
            while True:
                page, after = stack.page(to, f"/exports/completions?{urlencode(query)}", _NEXT)
                lines += _written(page, file)
                told(lines)
                if not after:
                    break
                query["after"] = after
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    return lines


def _written(page: bytes, file: BinaryIO) -> int:
    lines = page.splitlines()
    file.writelines(_whole(line) + b"\n" for line in lines)
    return len(lines)


def _whole(line: bytes) -> bytes:
    return stack.linked(json.loads(line)["url"]).rstrip(b"\n") if line.startswith(_LINK) else line
