"""A selection: completions chosen once, by reference, so that whoever reads them later reads the same ones.

In: sources, and references to lines of uploaded files. Out: an object in S3 with a reference a line, and a digest that
is equal for the same completions with the same metadata, however they were chosen. What is deleted after it was chosen
is not read any more.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched, groupby, islice
from typing import NamedTuple

import orjson

from completions import index
from completions.completion import Completion
from completions.postings import Reference
from completions.scan import Scan
from completions.sources import StoredCompletions
from foundation import blobs
from foundation.errors import ApiError

_MEDIA = "application/jsonl"
_AT_ONCE = 1000
"""The references that are looked up together: whether they were deleted, or have a text."""
MOST_IN_A_PART = 5_000
_BYTES_OF_A_PART = 16 * 1024 * 1024
"""Compressed, as completions lie in S3."""
_FILES = "files/"
"""Where the lines of uploaded files lie."""

type ReadLines = Callable[[Iterable[Reference]], Iterator[Completion]]
"""Gives what lines of uploaded files say."""


def chosen(
    sources: Sequence[StoredCompletions], scan: Scan, *, param: str = "source", lines: Iterable[Reference] = ()
) -> list[Reference]:
    """What the sources select together, each completion once, in the order of time and id.

    `lines` are references to lines of uploaded files, which are chosen, too. Raises ApiError about the field `param`
    where the scan ends before they do.
    """
    by_id = {reference.id: reference for source in sources for reference in of(source, scan)}
    for reference in lines:
        if not scan.goes_on(reference):
            break
        by_id[reference.id] = reference
    if scan.exhausted:
        raise ApiError(
            f"The {param} selects more completions than one call can look through, {scan.most:,} at most. Narrow it by "
            "time or by tags, or make several sets; the lines of a file count, too. A distillation whose 'train' is "
            "the filter itself has no such limit.",
            code="too_many_completions",
            param=param,
        )
    return sorted(by_id.values(), key=lambda reference: (reference.created, reference.id))


def digest(references: Iterable[Reference]) -> str:
    """A digest of what completions with these references say and are tagged with."""
    whole = hashlib.sha256()
    for reference in references:
        identity = [reference.id, reference.hash, reference.metadata]
        whole.update(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS))
    return whole.hexdigest()


def write(key: str, references: Iterable[Reference]) -> None:
    """Write the selection unless it is there."""
    blobs.put_new_lines(key, (orjson.dumps(_packed(one)) + b"\n" for one in references), content_type=_MEDIA)


class Part(NamedTuple):
    """Some completions of a selection that follow each other: the bytes of the selection that name them."""

    number: int
    """From 0."""
    offset: int
    length: int


def parts(key: str) -> Iterator[Part]:
    """The parts of a selection, each of which can be held in memory."""
    offset = length = count = weight = number = 0
    for line in blobs.raw_lines(key) or ():
        size = _unpacked(orjson.loads(line)).length
        if count and (count == MOST_IN_A_PART or weight + size > _BYTES_OF_A_PART):
            yield Part(number, offset, length)
            number, offset, length, count, weight = number + 1, offset + length, 0, 0, 0
        length, count, weight = length + len(line), count + 1, weight + size
    if count:
        yield Part(number, offset, length)


def read(
    key: str, *, part: Part | None = None, model: str | None = None, read_lines: ReadLines | None = None
) -> Iterator[Completion]:
    """The completions of a selection, lazily and in order; none where it is empty. Those deleted since are left out.

    With a `part` only those of this part; with a `model` only those that it was asked for or answered, as in a filter.
    `read_lines` reads the lines of uploaded files; without it they are left out.
    """
    lines = _lines(key, part) if part else blobs.raw_lines(key) or ()
    completions = _read(_present(lines), read_lines)
    return (completion for completion in completions if model is None or model in completion.models)


def some(
    key: str, most: int, *, read_lines: ReadLines | None = None, is_meant: Callable[[Reference], bool] | None = None
) -> Iterator[Completion]:
    """At most so many completions of a selection, chosen by a digest of their lines, lazily and in order.

    Those deleted since are left out; none where there is no selection of this key. With `is_meant` only of those for
    which it is true.
    """
    lines = (line for line in blobs.raw_lines(key) or () if is_meant is None or is_meant(_unpacked(orjson.loads(line))))
    chosen_lines = heapq.nsmallest(most, lines, key=lambda line: hashlib.blake2b(line).digest())
    return _read(_present(sorted(chosen_lines)), read_lines)


def deleted(key: str, part: Part) -> set[str]:
    """The ids of the completions of a part that were deleted since they were chosen."""
    references = (_unpacked(orjson.loads(line)) for line in _lines(key, part))
    captured = (reference for reference in references if not _is_line(reference))
    return {one.id for together in batched(captured, _AT_ONCE, strict=False) for one in index.deleted(together)}


def _lines(key: str, part: Part) -> list[bytes]:
    return blobs.get(key, offset=part.offset, length=part.length).splitlines()


def _read(references: Iterable[Reference], read_lines: ReadLines | None) -> Iterator[Completion]:
    for of_files, together in groupby(references, key=_is_line):
        if not of_files:
            yield from index.read(together)
        elif read_lines:
            yield from read_lines(together)


def _is_line(reference: Reference) -> bool:
    """Whether it is a line of an uploaded file, and no captured completion."""
    return reference.object.startswith(_FILES)


def _present(lines: Iterable[bytes]) -> Iterator[Reference]:
    """The references in lines that are not deleted, lazily: whoever stops early has waited for few of them."""
    references = (_unpacked(orjson.loads(line)) for line in lines)
    for together in batched(references, _AT_ONCE, strict=False):
        captured = [reference for reference in together if not _is_line(reference)]
        gone = {reference.id for reference in index.deleted(captured)}
        yield from (reference for reference in together if _is_line(reference) or reference.id not in gone)


def of(source: StoredCompletions, scan: Scan | None = None) -> Iterator[Reference]:
    """What a source selects, lazily, in the order of time and id."""
    references = index.select(source, scan=scan)
    if source.text is None:
        return islice(references, source.limit)
    return islice(_with_text(source, references), source.limit)


def _with_text(source: StoredCompletions, references: Iterator[Reference]) -> Iterator[Reference]:
    """Those with the source's text. It is about bodies, which a reference has not: they are read, some at a time."""
    for together in batched(references, _AT_ONCE, strict=False):
        by_id = {reference.id: reference for reference in together}
        yield from (by_id[completion.id] for completion in index.read(together, source))


def _packed(reference: Reference) -> list[object]:
    place = [reference.object, reference.offset, reference.length]
    # Whose answer a line of a file has is told by the reference alone.
    models = reference.models if _is_line(reference) else ()
    return [reference.created, reference.id, reference.hash, *place, reference.metadata, *models]


def _unpacked(fields: list[object]) -> Reference:
    created, name, content, key, offset, length, metadata, *models = fields
    return Reference(created, name, content, key, offset, length, tuple(models), metadata)  # type: ignore[arg-type]
