"""What the user sees of an import: a bar while it runs, the counts at its end.

In: the source and the counts. Out: a bar on standard error, by bytes where the source knows its size; lines of text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stillhouse.importing.source import Source
from stillhouse.importing.state import Counts

_KINDS = {"skipped": "no completions", "unmapped": "without a chat shape", "refused": "refused by Stillhouse"}
_SAME = "the same as another one"


@contextmanager
def bar(total: int | None = None) -> Iterator[Callable[[str, int | None], None]]:
    """A bar. Its function shows a sentence, and how much of `total` is done if that is known."""
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress_bar:
        task = progress_bar.add_task("nothing read yet", total=total)

        def show(words: str, done: int | None = None) -> None:
            progress_bar.update(task, completed=done, description=words)

        yield show


@contextmanager
def progress(source: Source) -> Iterator[Callable[[Counts], None]]:
    """A bar. Its function shows the counts."""
    with bar(source.total) as show:

        def show_counts(counts: Counts) -> None:
            left_out = [f"{reasons.total()} {words}" for words, reasons in _left_out(counts)]
            same = [f"{counts.duplicates} {_SAME}"] if counts.duplicates else []
            show(", ".join([f"{counts.accepted} imported", *left_out, *same]), source.position)

        yield show_counts


def _left_out(counts: Counts) -> Iterator[tuple[str, Counter[str]]]:
    """The kinds of what was not imported, with their reasons."""
    for kind, words in _KINDS.items():
        reasons: Counter[str] = getattr(counts, kind)
        if reasons:
            yield words, reasons


def summary(counts: Counts, refusals: Path) -> str:
    """One line a figure; reasons under theirs, most frequent first."""
    lines = [f"read {counts.read}, imported {counts.accepted}"]
    if counts.renamed:
        lines.append(f"{counts.renamed} under a new id: other bytes already hold theirs")
    for words, reasons in _left_out(counts):
        lines.append(f"{reasons.total()} {words}")
        lines += [f"  {number} {reason}" for reason, number in reasons.most_common()]
    if counts.duplicates:
        lines.append(f"{counts.duplicates} {_SAME}")
    if counts.notes:
        lines.append("imported, but not whole")
        lines += [f"  {number} {note}" for note, number in counts.notes.most_common()]
    if counts.unmapped or counts.refused:
        lines.append(f"which ones: {refusals}")
    return "\n".join(lines)
