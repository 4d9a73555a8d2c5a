"""The lines of an uploaded file of training examples as completions, so that they are curated like all others.

In: a file of the purpose `fine-tune`. Out: a reference to each line that holds something; and for references, or ids
of rows, what the lines say. A line that is no example of OpenAI's supervised format is a completion that says why it is
malformed. Some megabytes are held at a time. A line that is not what it was when it was chosen, since its file was
deleted or written over, is left out.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from completions.completion import Completion
from completions.postings import Reference
from distillations.file_source import FileSource, line_of, row_id
from distillations.formats import Fault
from evals.files import File
from foundation import blobs
from foundation.blobs import LineTooLong
from foundation.errors import ApiError

_PURPOSE = "fine-tune"
_HASH_LETTERS = 20
_READ_BYTES = 8 * 1024 * 1024
UNKNOWN = "(unknown)"
"""The model of answers of which nobody said whose they are."""


def references(source: FileSource, *, param: str) -> Iterator[Reference]:
    """A reference to each line that is not empty, lazily and in order.

    Raises ApiError about the field `param` where there is no such file, or it holds no lines to train on.
    """
    file = File.load(source.id, param=param)
    if file.purpose != _PURPOSE:
        raise ApiError(
            f"The file {file.id} has the purpose '{file.purpose}': examples are read from files of the purpose "
            f"'{_PURPOSE}'.",
            code="invalid_purpose",
            param=param,
        )
    lines = blobs.raw_lines(file.key)
    if lines is None:
        raise ApiError(
            f"The file {file.id} has no content yet: PUT it to its upload_url.", code="file_not_found", param=param
        )
    try:
        yield from _references(file, lines, source.model or UNKNOWN, param)
    except LineTooLong as error:
        raise ApiError(f"The file {file.id}: {error.message}", code=error.code, param=param) from error


def _references(file: File, lines: Iterable[bytes], model: str, param: str) -> Iterator[Reference]:
    offset, empty = 0, True
    for number, raw in enumerate(lines, start=1):
        text = _text(raw)
        if text.strip():
            empty = False
            yield _reference(file, number, offset, text, model)
        offset += len(raw)
    if empty:
        raise ApiError(f"The file {file.id} holds no rows.", code="no_rows", param=param)


def _reference(file: File, number: int, offset: int, text: bytes, model: str) -> Reference:
    place = (_hash(text), file.key, offset, len(text))
    return Reference(file.created_at, row_id(file.id, number), *place, (model,), {})


def completions(chosen: Iterable[Reference]) -> Iterator[Completion]:
    """What the lines with these references say, in their order."""
    for together in _stretches(chosen):
        first, last = together[0], together[-1]
        body = blobs.find(first.object, offset=first.offset, length=last.offset + last.length - first.offset)
        for reference in together if body else ():
            start = reference.offset - first.offset
            text = (body or b"")[start : start + reference.length]
            if _hash(text) == reference.hash:
                yield _completion(reference, text)


def of_rows(row_ids: Iterable[str]) -> Iterator[Completion]:
    """What the lines say that are rows with these ids, file by file; without those of files that are gone.

    Ids of other rows are passed over, and so are lines that are no examples.
    """
    wanted: dict[str, set[int]] = defaultdict(set)
    for line in filter(None, map(line_of, row_ids)):
        wanted[line.file_id].add(line.line)
    for file_id, numbers in wanted.items():
        file = File.find(file_id)
        lines = blobs.raw_lines(file.key) if file else None
        for number, raw in enumerate(islice(lines or (), max(numbers)), start=1):
            if file and number in numbers:
                completion = _completion(_reference(file, number, 0, _text(raw), UNKNOWN), _text(raw))
                yield from () if completion.malformed else (completion,)


def _stretches(chosen: Iterable[Reference]) -> Iterator[list[Reference]]:
    """The references in lists, each of lines of one file that follow each other."""
    stretch: list[Reference] = []
    for reference in chosen:
        if stretch and not _goes_on(stretch, reference):
            yield stretch
            stretch = []
        stretch.append(reference)
    if stretch:
        yield stretch


def _goes_on(stretch: list[Reference], reference: Reference) -> bool:
    first, last = stretch[0], stretch[-1]
    near = last.offset < reference.offset <= first.offset + _READ_BYTES
    return near and reference.object == first.object


def _completion(reference: Reference, text: bytes) -> Completion:
    """A line as a completion; of one that is no example all but the reason is empty."""
    # Imported here: only lines of files need the formats.
    from distillations.formats.validator import example_on

    example = example_on(text)
    if isinstance(example, Fault):
        return _of(reference, {"messages": []}, [], malformed=str(example))
    *asked, answer = map(_without_weight, example["messages"])
    choice = {"index": 0, "finish_reason": "stop", "message": answer}
    return _of(reference, {**example, "messages": asked}, [choice])


def _without_weight(message: dict[str, Any]) -> dict[str, Any]:
    """A message without the field that trainers alone read: models are asked with the messages, too."""
    return {name: value for name, value in message.items() if name != "weight"}


def _of(reference: Reference, request: dict[str, Any], choices: list[Any], **about: Any) -> Completion:
    response = {"id": reference.id, "object": "chat.completion", "created": reference.created}
    return Completion(
        id=reference.id,
        created=reference.created,
        model=reference.model,
        request={"model": reference.model, **request},
        response={**response, "model": reference.model, "choices": choices},
        metadata={},
        content_hash=reference.hash,
        **about,
    )


def _text(raw: bytes) -> bytes:
    return raw.rstrip(b"\r\n")


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:_HASH_LETTERS]
