"""A very large set whose end is a chain of stages, each of which goes on where a worker was killed.

In: the results of the parts. Out: the set, decided; its files are the pieces of its ranges, one behind the other. What
a task holds in memory is a share of 50,000 completions, four bytes for each completion of the set, and the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import zip_longest

import orjson

from assembly.figures import Figures
from assembly.files import link_examples, write
from assembly.report.survey import Counted, Production
from assembly.stages import settle, slices
from assembly.stages.doubtful import doubtful
from assembly.stages.gather import gather
from assembly.stages.near import near
from assembly.stages.plan import Stage, stages_of
from assembly.stages.ranges import FILES, Ranges
from assembly.stages.work import ShareOf, Work
from distillations.grades import Agreement, Augmented
from distillations.lineage import Node
from foundation import blobs

type Take = Callable[[Work, Stage, Sequence[str], ShareOf], list[str]]

_TAKE: dict[str, Take] = {
    "question": settle.by_question,
    "shard": settle.by_shard,
    "near": near,
    "doubtful": doubtful,
    "slices": slices.balance,
}


class Staged:
    """A set that its stages hold."""

    def __init__(self, work: Work) -> None:
        """Decide about the set. Raises GoesOn where another invocation has to go on."""
        self._work = work
        stages = stages_of(work.making.recipe)
        after = [_share_of(work, stage) for stage in stages] + [_share_of(work, None)]
        names = gather(work, after[0])
        noted = list(names)
        for stage, share_of in zip_longest(stages, after[1:]):
            names = _TAKE[stage.kind](work, stage, names, share_of)
            noted += names
        names, held_back = slices.split(work, names)
        self._ranges = Ranges(work, names, noted, held_back)
        self._ranges.write()

    @property
    def agreement(self) -> list[Agreement]:
        """None: no step that asks the teacher is taken in stages."""
        return []

    @property
    def augmented(self) -> list[Augmented]:
        return []

    @cached_property
    def figures(self) -> Figures:
        return self._ranges.figures()

    def write_files(self) -> None:
        for file in FILES:
            self._write(file)

    def write_rows(self) -> None:
        self._write("rows")

    def link(self, dataset: Node) -> None:
        def linked(number: int) -> bytes:
            key = self._ranges.piece("manifest", number)
            ids = (orjson.loads(line)["completion_id"] for line in blobs.raw_lines(key) or ())
            link_examples(((name, False) for name in ids), dataset)
            return b""

        self._work.each("linked", linked)

    def counted(self) -> tuple[Counted, Production]:
        return self._ranges.counted()

    def _write(self, file: str) -> None:
        def written() -> bytes:
            write(self._work.making.dataset_id, file, self._ranges.pieces(file))
            return b""

        self._work.once(f"written-{file}", written)


def _share_of(work: Work, stage: Stage | None) -> ShareOf:
    """The share in which a stage looks for a row; None is the end."""
    if stage is None:
        return work.by_range if work.making.recipe.stratify_by is None else lambda row: slices.by_unit(work, row)
    return work.by_shard if stage.kind in {"shard", "near", "doubtful"} else work.by_question
