"""The stage of near-duplicates: by bands of their signatures, questions are found that may be nearly the same.

Each shard gives the bands of its questions to buckets; each bucket tells which questions meet in one; those that meet,
directly or by others, are a group (`groups.py`). Rows of a group then lie in one share with their lines, and the rule
looks at that share. All other rows go on as they are.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby
from tempfile import TemporaryFile

from assembly.neighbours import joined, roots_of
from assembly.row import Row
from assembly.signatures import LENGTH, bands
from assembly.stages import shares
from assembly.stages.laid import laid, packed
from assembly.stages.plan import Stage
from assembly.stages.spool import signature_in, spooled
from assembly.stages.work import Output, ShareOf, Work
from completions.selection import MOST_IN_A_PART
from foundation import blobs

_BUCKETS = 4
"""By so many more there are buckets than shares: one holds sixteen bands of each question of a quarter of a shard."""
_BAND = struct.Struct(">QI")


def near(work: Work, stage: Stage, names: Sequence[str], share_of: ShareOf) -> list[str]:
    """Take the step. Returns the names of what is left: rows of no group, and those of groups that stay."""
    of_bands = work.each(stage.name("bands"), lambda number: _banded(work, stage, work.rows(names, number)))
    of_pairs = work.each(stage.name("pairs"), lambda number: _meeting(work, of_bands, number))
    work.once(stage.name("groups"), lambda: _groups(work, of_pairs))
    alone = work.each(
        stage.name("alone"), lambda number: _apart(work, stage, number, list(work.rows(names, number)), share_of)
    )
    settled = work.each(stage.name("settled"), lambda number: _settled(work, stage, number, share_of))
    return [*alone, *settled]


def _banded(work: Work, stage: Stage, rows: Iterator[Row]) -> bytes:
    """The bands of the questions of a shard, by bucket."""
    [step] = stage.steps
    number, found = bands(step.similarity), [bytearray() for _ in range(work.total * _BUCKETS)]
    for row, signature in _signed(work, rows):
        for band in _bands(row, signature, number):
            found[band % len(found)] += _BAND.pack(band, row.number)
    return shares.packed(found)


def _meeting(work: Work, of_bands: Sequence[str], number: int) -> bytes:
    """Pairs of questions that meet in a band of some of the buckets."""
    pairs, buckets = array("I"), work.total * _BUCKETS
    for bucket in range(number, buckets, work.total):
        first: dict[int, int] = {}
        for share in work.shares(of_bands, bucket, of=buckets):
            for band, place in _BAND.iter_unpack(share):
                met = first.setdefault(band, place)
                if met != place:
                    pairs.extend((met, place))
    return pairs.tobytes()


def _settled(work: Work, stage: Stage, number: int, share_of: ShareOf) -> bytes:
    """Look at the groups of a share."""
    output = Output(work, share_of)
    together = [_together(stage, of_task) for of_task in range(work.total)]
    with TemporaryFile() as spool:
        rows = list(laid(work.shares(together, number, of=work.total), spool))
        output.take(work.settled(rows, stage.steps, spool))
    return output.packed()


def _together(stage: Stage, number: int) -> str:
    """What a task has laid where groups are looked at."""
    return stage.name(f"together-{number:04}")


def _signed(work: Work, rows: Iterator[Row]) -> Iterator[tuple[Row, bytes]]:
    """Each row with its signature."""
    by_number = sorted(rows, key=lambda row: row.number)
    for number, of_part in groupby(by_number, key=lambda row: row.number // MOST_IN_A_PART):
        signatures = work.parts.signatures(work.parts.all[number])
        for row in of_part:
            yield row, signature_in(signatures, row)


def _bands(row: Row, signed: bytes, number: int) -> Iterator[int]:
    """A hash of each band of a question, with its answer and its other parts: only what is equal in these meets.

    Where two are equal by chance, two groups are looked at as one, and nothing else changes.
    """
    kind = hashlib.blake2b(row.answer_key.encode() + signed[LENGTH:], digest_size=16).digest()
    width = LENGTH // number
    for at in range(0, LENGTH, width):
        digest = hashlib.blake2b(signed[at : at + width], digest_size=8, key=kind, salt=at.to_bytes(2)).digest()
        yield int.from_bytes(digest)


def _groups(work: Work, of_pairs: Sequence[str]) -> bytes:
    """The rows of groups with the number of their group's first, by shard. In memory are four bytes for each row."""
    parents = array("I", range(len(work.parts.all) * MOST_IN_A_PART))
    for name in of_pairs:
        pairs = array("I", blobs.get(work.key(name)))
        for at in range(0, len(pairs), 2):
            joined(parents, pairs[at], pairs[at + 1])
    found = [array("I") for _ in range(work.total)]
    for number, root in roots_of(parents):
        found[work.shard_of(number)].extend((number, root))
    return shares.packed([of_shard.tobytes() for of_shard in found])


def _apart(work: Work, stage: Stage, number: int, rows: list[Row], share_of: ShareOf) -> bytes:
    """Lay the rows of groups, with their lines, where their group is looked at. Returns the others."""
    members = array("I", shares.read(work.key(stage.name("groups")), number, of=work.total))
    root_of = dict(zip(members[::2], members[1::2], strict=True))
    output = Output(work, share_of)
    grouped = []
    for row in rows:
        if row.number in root_of:
            grouped.append(row)
        else:
            output.add(row)
    apart = [bytearray() for _ in range(work.total)]
    with spooled(work, grouped, signed=True) as spool:
        for row in grouped:
            apart[root_of[row.number] % work.total] += packed(row, spool)
    blobs.put(work.key(_together(stage, number)), shares.packed(apart))
    return output.packed()
