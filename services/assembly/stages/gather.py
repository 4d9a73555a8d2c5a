"""The first stage: what became of each completion in its part goes to the stage that asks for it.

In: the results of the parts. Out: by shard, the rows that are left, the evidence so far, and what the report notes.
What was deleted meanwhile is left out, as if it had never come: from here on the completions of the set are fixed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from io import BytesIO

from assembly.parts import Parts
from assembly.report.survey import Survey
from assembly.stages import shares
from assembly.stages.work import Output, ShareOf, Work
from completions.selection import MOST_IN_A_PART, Part
from foundation import blobs


def gather(work: Work, share_of: ShareOf) -> list[str]:
    """Gather all shards. Returns the names of what is left."""

    def of_shard(number: int) -> bytes:
        shard = work.shards[number]
        of_it = Parts(work.making, shard)
        return _gathered(work, share_of, list(zip(shard, of_it.gone(), strict=True)), f"notes-{number:04}")

    work.find_bounds()
    return work.each("00-gathered", of_shard)


def _gathered(work: Work, share_of: ShareOf, shard: list[tuple[Part, set[str]]], notes: str) -> bytes:
    output = Output(work, share_of)
    noted = [bytearray() for _ in range(work.total)]
    with BytesIO() as spool:
        survey = Survey(spool)
        for part, gone in shard:
            _gather_part(work, part, gone, output)
            survey.take(work.parts.notes(part), but=gone)
        for created, name, line in survey.lines():
            noted[work.range_of(created, name)] += line
        ordered = array("q", sorted(survey.times)).tobytes()
        blobs.put(work.key(notes), shares.packed([*noted, survey.sample.packed(), ordered]))
    return output.packed()


def _gather_part(work: Work, part: Part, gone: set[str], output: Output) -> None:
    place = 0
    for entry in work.parts.entries(part):
        row = entry.row
        if row:
            row.number, row.lies = part.number * MOST_IN_A_PART + place, row.offset
            place += 1
        if entry.id not in gone:
            output.note(entry)
            if row:
                output.add(row)


def notes_of(work: Work, number: int) -> Iterator[bytes]:
    """What the report notes of the completions of a range, a line each."""
    for share in work.shares(_names(work), number, of=work.total + 2):
        yield from share.splitlines(keepends=True)


def samples(work: Work) -> Iterator[bytes]:
    """The samples of all shards, packed."""
    return work.shares(_names(work), work.total, of=work.total + 2)


def times(work: Work) -> list[array[int]]:
    """The times of all completions of each shard, in order."""
    return [array("q", raw) for raw in work.shares(_names(work), work.total + 1, of=work.total + 2)]


def _names(work: Work) -> list[str]:
    return [f"notes-{number:04}" for number in range(work.total)]
