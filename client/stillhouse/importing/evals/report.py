"""The report of an import of evals, for people: what was imported, compared, changed, and left out by name.

Out: lines of text, a line for each figure. Names are those of the origin; the content of rows is never shown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from stillhouse.wording import counted

_LONGEST = 300


@dataclass
class Report:
    """Counts, and the names of what was left out, changed or graded differently."""

    evals: int = 0
    runs: int = 0
    rows: int = 0
    evals_known: int = 0
    runs_known: int = 0
    agreed: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    ready: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def leave(self, name: str, why: str) -> None:
        """Record that the thing of this name was not imported, and why."""
        self.left.append((name, why[:_LONGEST]))

    def change(self, name: str, how: str) -> None:
        """Record that the thing of this name was imported in another form, and how it differs."""
        self.changed.append((name, how[:_LONGEST]))

    @property
    def so_far(self) -> str:
        return f"{counted(self.evals, 'eval')}, {counted(self.runs, 'run')}, {counted(self.rows, 'row')}"

    def summary(self) -> str:
        lines = [f"imported {self.so_far}"]
        if self.evals_known or self.runs_known:
            known = f"{counted(self.evals_known, 'eval')} and {counted(self.runs_known, 'run')}"
            lines.append(f"{known} were here already")
        if self.compared:
            lines.append("graded anew, compared with the recorded grades")
            lines += [f"  {kind}: {self.agreed[kind]} of {of} agree" for kind, of in self.compared.most_common()]
            lines += [f"  differs: {where}" for where in self.differing]
        if self.kept:
            lines.append("grades that stand as they were recorded")
            lines += [f"  {kind}: {number}" for kind, number in self.kept.most_common()]
        for title, named in (("imported, but changed", self.changed), ("not imported", self.left)):
            if named:
                lines.append(title)
                lines += [f"  {name}: {why}" for name, why in named]
        if self.notes:
            lines.append("to know, and how often")
            lines += [f"  {number} {note}" for note, number in self.notes.most_common()]
        return "\n".join(lines + self.ready)
