"""A training set that is decided: its figures, and how its files are written.

`Whole` is one that a curator holds; a very large one is held by its stages in S3 (`stages/staged.py`).
"""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from assembly.curate import Curator
from assembly.figures import Figures
from assembly.files import examples_of, link_examples, manifest_of, rows_of, write
from assembly.making import Making
from assembly.report.survey import Counted, Production
from assembly.report.write import production
from distillations.grades import Agreement, Augmented
from distillations.lineage import Node


class Settled(Protocol):
    """A set that is decided."""

    @property
    def figures(self) -> Figures: ...

    @property
    def agreement(self) -> list[Agreement]:
        """How far the teacher agreed with itself."""
        ...

    @property
    def augmented(self) -> list[Augmented]:
        """What was written for rare slices."""
        ...

    def write_files(self) -> None:
        """Write the four files over whatever an earlier delivery left."""
        ...

    def write_rows(self) -> None:
        """Write what became of each completion, and the index of that."""
        ...

    def link(self, dataset: Node) -> None:
        """Record that the examples went into the dataset."""
        ...

    def counted(self) -> tuple[Counted, Production]:
        """The counts for the report, and the recent traffic that the set is held against."""
        ...


class Whole:
    """A set that a curator holds."""

    def __init__(self, making: Making, curator: Curator) -> None:
        self._making = making
        self._curator = curator

    @cached_property
    def figures(self) -> Figures:
        return Figures.of(self._curator)

    @property
    def agreement(self) -> list[Agreement]:
        return self._curator.agreement

    @property
    def augmented(self) -> list[Augmented]:
        return self._curator.augmented

    def write_files(self) -> None:
        write(self._making.dataset_id, "train", examples_of(self._curator, "train"))
        write(self._making.dataset_id, "validation", examples_of(self._curator, "validation"))
        write(self._making.dataset_id, "manifest", manifest_of(self._curator))
        self.write_rows()

    def write_rows(self) -> None:
        write(self._making.dataset_id, "rows", rows_of(self._curator))

    def link(self, dataset: Node) -> None:
        link_examples(((row.id, row.synthetic) for row, _ in self._curator.examples), dataset)

    def counted(self) -> tuple[Counted, Production]:
        survey = self._curator.survey
        if survey is None:
            raise ValueError("a report needs a survey: give the curator one")
        traffic = production(self._making, self.figures.selected, survey.everything)
        return survey.counted(self._curator.places().get, traffic), traffic
