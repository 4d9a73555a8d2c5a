"""Show the demo's stages while it runs: one line each, which changes in place on a terminal and is printed elsewhere.

The seconds of each stage are kept; those of a stage that is entered twice are summed.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column


class Stage:
    """One stage: how far it is, and a note."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task
        self.done, self.total = 0, 0
        self.note = ""

    def advance(self, count: int) -> None:
        self.move(self.done + count, self.total)

    def move(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._show()

    def say(self, note: str) -> None:
        self.note = note
        self._show()

    def counts(self) -> str:
        if not self.total:
            return f"{self.done:,}" if self.done else ""
        return f"{self.done:,} of {self.total:,}"

    def _show(self) -> None:
        self._progress.update(
            self._task,
            completed=self.done,
            total=self.total or None,
            counts=self.counts(),
            note=escape(self.note),
        )


class Screen:
    """The stages so far. A context manager, at whose end the lines stop changing."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}
        self._started = time.monotonic()
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(table_column=Column(min_width=12, max_width=20)),
            TextColumn("{task.fields[counts]}", table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(min_width=7, no_wrap=True)),
            TextColumn("[dim]{task.fields[note]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
            console=console,
            disable=not console.is_terminal,
            expand=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        self.console.print(escape(text), highlight=False, soft_wrap=True)

    @contextmanager
    def stage(self, key: str, title: str, total: int = 0) -> Iterator[Stage]:
        task = self._progress.add_task(title, total=total or None, counts="", note="")
        stage = Stage(self._progress, task)
        stage.move(0, total)
        started = time.monotonic()
        if not self.console.is_terminal:
            self.say(f"{self.elapsed():6.1f} s  {title} …")
        try:
            yield stage
        finally:
            took = time.monotonic() - started
            self.seconds[key] = self.seconds.get(key, 0.0) + took
            self._end(task, stage, title, took)

    def _end(self, task: TaskID, stage: Stage, title: str, took: float) -> None:
        self._progress.update(task, total=1, completed=1)
        self._progress.stop_task(task)
        if not self.console.is_terminal:
            summary = "; ".join(part for part in (stage.counts(), stage.note) if part)
            self.say(f"{self.elapsed():6.1f} s  {title}: {summary or 'done'} ({took:.1f} s)")

    def elapsed(self) -> float:
        return time.monotonic() - self._started
