"""Completions in numbers, as the recorder writes them, without what it takes to push each of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import batched

from capture.odd import completion_of
from completions import frames, index, postings
from foundation import blobs, table
from tests.bench.records import record

_AN_OBJECT = 400
_DISTINCT = 4000


def fill(count: int, *, named: int = 0) -> None:
    """Objects and lists. Only the newest `named` have rows by id, by which one is found; a list does not read them."""
    lines = [completion_of(record(number)) for number in range(min(count, _DISTINCT))]
    for number, some in enumerate(batched(range(count), _AN_OBJECT, strict=False)):
        copies = [
            replace(lines[completion % len(lines)], id=f"c-{completion:07d}", created=1_790_000_000 + completion // 100)
            for completion in some
        ]
        key = frames.key_of(f"2026/11/22/{number:06d}")
        body, references = frames.together([frames.packed(completion.line()) for completion in copies], key)
        blobs.put(key, body)
        rows = index.rows if some[-1] >= count - named else postings.rows
        table.write_all(rows(f"{number:06d}", references))
