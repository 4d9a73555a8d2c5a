"""The last stage: each range of the completions, in the order of time and id, writes its piece of the set's files.

In: what the stages before have left and noted. Out: by range, its lines of each file, its figures, and its counts for
the report. A range knows how many lines stand before it, so the pieces behind each other are the files.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from assembly.curate import Curator, Entry
from assembly.curation.rule import Known
from assembly.figures import Figures
from assembly.files import examples_of, manifest_of, rows_of
from assembly.report.features import Features
from assembly.report.survey import Counted, Overview, Production, Sample, Times, production_in
from assembly.report.tally import Table
from assembly.report.topics import Topics
from assembly.report.write import production
from assembly.row import Row
from assembly.stages import gather
from assembly.stages.slices import HeldBack
from assembly.stages.spool import spooled
from assembly.stages.work import Work
from distillations.dataset_row import Outcome
from foundation import blobs

FILES = ("train", "validation", "manifest", "rows")


class Ranges:
    """The pieces of a set, range by range."""

    def __init__(self, work: Work, names: Sequence[str], noted: Sequence[str], held_back: HeldBack) -> None:
        """`names` are of the rows that are left, `noted` of all tasks that did something to completions, in order."""
        self._work = work
        self._names = names
        self._noted = noted
        self._held_back = held_back

    def write(self) -> None:
        """Write the pieces that are not there yet."""
        work = self._work
        counts = work.each("counted", self._count)
        work.once("placed", lambda: _placed([orjson.loads(blobs.get(work.key(name))) for name in counts]))
        placed = orjson.loads(blobs.get(work.key("placed")))
        work.once("times", lambda: array("q", heapq.merge(*gather.times(work))).tobytes())
        work.once("overview", self._overview)
        overview, _ = self.overview()
        work.each("range", lambda number: self._write(number, placed[number], overview))

    def piece(self, file: str, number: int) -> str:
        """The key of the piece of a file."""
        return self._work.key(f"{file}-{number:04}.jsonl")

    def pieces(self, file: str) -> Iterator[bytes]:
        """The lines of a file."""
        for number in range(self._work.total):
            yield from blobs.raw_lines(self.piece(file, number)) or ()

    def figures(self) -> Figures:
        """The figures of the set."""
        return Figures.sum(Figures.model_validate(result["figures"]) for result in self._results())

    def counted(self) -> tuple[Counted, Production]:
        """The counts of all that was noted and of production, and production."""
        overview, traffic = self.overview()
        counted = Counted(Table(), Table(), overview)
        for result in self._results():
            counted.whole.take(result["whole"])
            counted.sampled.take(result["sampled"])
        counted.add_production(traffic)
        return counted, traffic

    def overview(self) -> tuple[Overview, Production]:
        """What counting a range must know of all, and production."""
        found = orjson.loads(blobs.get(self._work.key("overview")))
        times = Times(array("q", blobs.get(self._work.key("times"))))
        known = {name: frozenset(found[name]) for name in ("ours", "theirs", "shared")}
        overview = Overview(times, Topics(found["topics"]["of"], found["topics"]["words"]), **known)
        return overview, Production([Features(*features) for features in found["production"]], Sample())

    def _overview(self) -> bytes:
        work, sample = self._work, Sample()
        for packed in gather.samples(work):
            sample.take(packed)
        times = array("q", blobs.get(work.key("times")))
        traffic = production(work.making, len(times), lambda: production_in(self._all_notes(), sample))
        overview = Overview.of(times, sample, traffic)
        sets = {name: sorted(getattr(overview, name)) for name in ("ours", "theirs", "shared")}
        topics = {"of": overview.topics.of, "words": overview.topics.words}
        return orjson.dumps({**sets, "topics": topics, "production": [tuple(one) for one in traffic.features]})

    def _all_notes(self) -> Iterator[bytes]:
        for number in range(self._work.total):
            yield from gather.notes_of(self._work, number)

    def _results(self) -> Iterator[dict[str, Any]]:
        for number in range(self._work.total):
            yield orjson.loads(blobs.get(self._work.key(f"range-{number:04}")))

    def _count(self, number: int) -> bytes:
        rows = list(self._work.rows(self._names, number))
        held = self._held_back.of(rows)
        lines = {"train": sum(row.copies for row in rows if row.id not in held), "validation": 0}
        lines["validation"] = sum(row.id in held for row in rows)
        return orjson.dumps(lines)

    def _write(self, number: int, before: Mapping[Outcome, int], overview: Overview) -> bytes:
        work = self._work
        rows = list(work.rows(self._names, number))
        with spooled(work, rows, signed=False) as spool:
            curator = Curator(work.making.recipe, Known(), spool)
            curator.take(self._entries(number, {row.id: row for row in rows}))
            curator.place(self._held_back.of(rows), before)
            for file, lines in _lines_of(curator).items():
                blobs.put_lines(self.piece(file, number), lines)
        counted = Counted(Table(), Table(), overview)
        counted.add_noted(gather.notes_of(work, number), curator.places().get)
        figures = Figures.of(curator).model_dump(mode="json")
        result = {"figures": figures, "whole": counted.whole.packed(), "sampled": counted.sampled.packed()}
        return orjson.dumps(result)

    def _entries(self, number: int, rows: Mapping[str, Row]) -> Iterator[Entry]:
        """What became of each completion of a range, with the evidence of all stages."""
        came: dict[str, tuple[int, list[Any]]] = {}
        for created, name, evidence in self._work.evidence(self._noted, number):
            came.setdefault(name, (created, []))[1].extend(evidence)
        for name, (created, evidence) in came.items():
            yield Entry(name, created, evidence, rows.get(name))


def _lines_of(curator: Curator) -> dict[str, Iterable[bytes]]:
    return {
        "train": examples_of(curator, "train"),
        "validation": examples_of(curator, "validation"),
        "manifest": manifest_of(curator),
        "rows": rows_of(curator),
    }


def _placed(counts: Sequence[Mapping[str, int]]) -> bytes:
    """How many lines of each file stand before each range."""
    before, placed = {"train": 0, "validation": 0}, []
    for lines in counts:
        placed.append(before)
        before = {name: before[name] + lines[name] for name in before}
    return orjson.dumps(placed)
