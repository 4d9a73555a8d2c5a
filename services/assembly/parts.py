"""The results of a large dataset's parts, each kept in S3, so that whoever makes the dataset goes on where it stood.

In: a part of the selection. Out: an object with what became of its completions, one with what the report notes of
them, and one with the signatures of its questions. Each is written once, and is the same whoever writes it. All are
deleted once the dataset is made.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from typing import IO, Any, NamedTuple

import orjson

from assembly.curate import Curator, Entry
from assembly.curation.rule import Known
from assembly.making import Making
from assembly.masking import mask_of
from assembly.questions import SIGNED, Questions, question_in, sample, template_of
from assembly.report.survey import Survey
from assembly.row import Row
from completions.selection import Part
from distillations.dataset import Dataset, dataset_key
from distillations.grading_steps import Augment
from distillations.recipe import NearDuplicates, NearLeaks, Recipe
from distillations.text_steps import PersonalData
from foundation import blobs

_HEAD = struct.Struct(">QQ")
"""How an object of rows begins: with the lengths of its sample and of its rows. Behind these stand the lines."""
_CHOSEN = ("selection.jsonl", "held_out.jsonl", "corrections.jsonl")
"""What is written before a dataset is recorded: one that is asked for anew may have these already."""
_READERS = 8
_WRITTEN = f"-{Augment.model_fields['rule'].default}-"
"""What stands in the names of the runs that texts are kept of."""


class _Sampled(NamedTuple):
    """A row whose question may be looked at for the templates, and how it is read."""

    row: Row
    line: Callable[[], bytes]


class Parts:
    """The results of the parts of one dataset."""

    def __init__(self, making: Making, parts: Sequence[Part]) -> None:
        self._making = making
        self._parts = parts
        self._there = set(blobs.keys(work_of(making.dataset_id)))

    @property
    def all(self) -> Sequence[Part]:
        return self._parts

    def unread(self) -> list[Part]:
        """The parts whose completions nobody has looked at."""
        return [part for part in self._parts if self._key(part, "rows") not in self._there]

    def unsigned(self) -> list[Part]:
        """The parts whose questions have no signatures."""
        return [part for part in self._parts if self._key(part, "signatures") not in self._there]

    def read(self, part: Part, known: Known) -> None:
        """Look at each completion of a part alone."""
        with BytesIO() as spool, BytesIO() as notes:
            mask = mask_of(self._making.recipe.steps_of(PersonalData))
            survey = Survey(notes, self._making.recipe.slice_keys, known.corrections, mask)
            curator = Curator(self._making.recipe, known, spool, survey=survey)
            curator.read(self._making.completions(part))
            entries = list(curator.part())
            sampled = orjson.dumps(sample(entry.row for entry in entries if entry.row))
            rows = b"\n".join(orjson.dumps(tuple(entry)) for entry in entries)
            # Before the rows, by which a part counts as read.
            blobs.put_new(self._key(part, "notes"), survey.part())
            head = _HEAD.pack(len(sampled), len(rows))
            blobs.put_new(self._key(part, "rows"), b"".join((head, sampled, rows, spool.getvalue())))

    def template(self) -> frozenset[str]:
        """The pieces of the prompts' templates: those that `Questions` would find with all rows in memory."""
        key = f"{work_of(self._making.dataset_id)}template"
        pieces = blobs.find(key)
        if pieces is None:
            # No piece has a line break: it is made of words.
            pieces = "\n".join(sorted(self._template())).encode()
            blobs.put(key, pieces)
        return frozenset(pieces.decode().splitlines())

    def sign(self, part: Part, template: frozenset[str]) -> None:
        """Make the signatures of a part's questions."""
        entries = self.entries(part)
        with BytesIO(self.lines(part)) as spool:
            questions = Questions(spool, [], (), template)
            signed = b"".join(questions.signed(entry.row) for entry in entries if entry.row)
        blobs.put_new(self._key(part, "signatures"), signed)

    def give(self, curator: Curator, spool: IO[bytes], *, signed: bool) -> None:
        """Let a curator go on with what was read; lines and signatures are written to its spool.

        What was deleted since it was read is left out, as if it had never come.
        """
        for part, gone in zip(self._parts, list(self.gone()), strict=True):
            entries, lines = self.entries(part), self.lines(part)
            start = spool.seek(0, 2)
            spool.write(lines)
            if signed:
                spool.write(self.signatures(part))
            rows = [entry.row for entry in entries if entry.row]
            for number, row in enumerate(rows):
                row.offset += start
                row.signed = start + len(lines) + number * SIGNED if signed else None
            curator.take(entry for entry in entries if entry.id not in gone)
            if curator.survey:
                curator.survey.take(self.notes(part), but=gone)

    def entries(self, part: Part) -> list[Entry]:
        """What became of a part's completions, in the order in which they were read."""
        sampled, length = self._head(part)
        rows = blobs.get(self._key(part, "rows"), offset=_HEAD.size + sampled, length=length)
        return [_entry(orjson.loads(row)) for row in rows.splitlines()]

    def lines(self, part: Part) -> bytes:
        """The lines of a part's rows, one behind the other."""
        sampled, length = self._head(part)
        return blobs.get(self._key(part, "rows"), offset=_HEAD.size + sampled + length)

    def signatures(self, part: Part) -> bytes:
        """The signatures of a part's rows, in their order."""
        return blobs.get(self._key(part, "signatures"))

    def notes(self, part: Part) -> bytes:
        """What the report notes of a part's completions."""
        return blobs.get(self._key(part, "notes"))

    def gone(self) -> Iterator[set[str]]:
        """Of each part, what was deleted since it was chosen."""
        with ThreadPoolExecutor(_READERS) as readers:
            yield from readers.map(self._making.deleted, self._parts)

    def _head(self, part: Part) -> tuple[int, int]:
        sampled, length = _HEAD.unpack(blobs.get(self._key(part, "rows"), offset=0, length=_HEAD.size))
        return sampled, length

    def _template(self) -> frozenset[str]:
        with ThreadPoolExecutor(_READERS) as readers:
            of_all = [one for of_part in readers.map(self._sampled, self._parts) for one in of_part]
            lines = {id(one.row): one.line for one in of_all}
            chosen = sample(one.row for one in of_all)
            words = readers.map(lambda row: question_in(lines[id(row)]()).words, chosen)
            return template_of(words)

    def _sampled(self, part: Part) -> Iterator[_Sampled]:
        key = self._key(part, "rows")
        sampled, length = self._head(part)
        start = _HEAD.size + sampled + length
        for fields in orjson.loads(blobs.get(key, offset=_HEAD.size, length=sampled)):
            row = Row(**fields)
            yield _Sampled(row, partial(blobs.get, key, offset=start + row.offset, length=row.length))

    def _key(self, part: Part, name: str) -> str:
        return f"{work_of(self._making.dataset_id)}{part.number:05}.{name}"


def compares(recipe: Recipe) -> bool:
    """Whether a step compares questions by their signatures."""
    return bool(recipe.steps_of(NearLeaks, NearDuplicates, Augment))


def work_of(dataset_id: str) -> str:
    """Where the results of the parts of a dataset lie."""
    return dataset_key(dataset_id, "work/")


def discard(dataset_id: str) -> None:
    """Delete the results of all parts, and the texts that steps had written: nothing has masked them.

    Of a dataset that was canceled and deleted while it was made, what has been written since goes, too.
    """
    written = (key for key in blobs.keys(dataset_key(dataset_id, "grades/")) if _WRITTEN in key)
    blobs.delete([*blobs.keys(work_of(dataset_id)), *written])
    if Dataset.find(dataset_id) is None:
        chosen = {dataset_key(dataset_id, name) for name in _CHOSEN}
        blobs.delete([key for key in blobs.keys(dataset_key(dataset_id, "")) if key not in chosen])


def _entry(fields: Any) -> Entry:
    name, created, evidence, row = fields
    return Entry(name, created, evidence, Row(**row) if row else None)
