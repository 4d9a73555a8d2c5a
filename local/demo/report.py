"""The demo's result: the JSON file, and the tables at the end.

In: what the loop fetched. Out: a `Report`; fields are null where the loop stopped before them.
"""

from collections.abc import Iterator
from typing import Any, Self

from pydantic import BaseModel
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.tree import Tree

Json = dict[str, Any]


class Score(BaseModel):
    """One model on the test set."""

    model: str
    passed: int
    total: int
    score: float
    interval: tuple[float, float]


class Decision(BaseModel):
    """The verdict, in figures."""

    outcome: str
    gain: float
    interval: tuple[float, float] | None
    p_value: float
    gap_closed: float | None
    rows_needed: dict[str, int | None]


class DatasetFigures(BaseModel):
    """The training set, in figures."""

    id: str
    rows: int
    dropped: dict[str, int]


class Report(BaseModel):
    """What `--json` writes."""

    teacher: Score | None = None
    baseline: Score | None = None
    distilled: Score | None = None
    verdict: Decision | None = None
    notification: Json | None = None
    dataset: DatasetFigures | None = None
    lineage: Json | None = None
    seconds: dict[str, float]

    @classmethod
    def of(
        cls,
        distillation: Json,
        *,
        card: Json | None,
        notification: Json | None,
        lineage: Json | None,
        seconds: dict[str, float],
    ) -> Self:
        verdict = distillation["verdict"]
        scores = verdict["scores"] if verdict else distillation["plan"] or {}
        return cls(
            **{role: scores.get(role) for role in ("teacher", "baseline", "distilled")},
            verdict=verdict,
            notification=notification,
            dataset=card,
            lineage=lineage,
            seconds={stage: round(took, 2) for stage, took in seconds.items()},
        )


def show(console: Console, report: Report, distillation: Json, completion: str | None) -> None:
    """The end of the demo: everything it found out."""
    for part in _parts(report, distillation, completion):
        console.print()
        console.print(part)


def _parts(report: Report, distillation: Json, completion: str | None) -> Iterator[RenderableType]:
    verdict = distillation["verdict"]
    yield _scores(report, verdict["cost_ratio"] if verdict else None)
    if report.dataset:
        yield _dataset(report.dataset)
    if verdict:
        yield Panel(escape(verdict["sentence"]), title=f"Verdict: {verdict['outcome']}", title_align="left")
    if report.notification:
        yield _notification(report.notification)
    if report.lineage and completion:
        yield Group("Lineage of one captured completion", tree(report.lineage, completion))
    yield _times(report.seconds)


def _scores(report: Report, cost: Json | None) -> Table:
    table = Table(title="The same eval on the same rows", title_justify="left")
    table.add_column("")
    table.add_column("model", overflow="fold")
    for column in ("right", "score", "95% interval", "cost / teacher"):
        table.add_column(column, justify="right", no_wrap=True)
    scores = {"teacher": report.teacher, "baseline": report.baseline, "distilled": report.distilled}
    for role, score in scores.items():
        if score is None:
            continue
        low, high = score.interval
        table.add_row(
            role,
            escape(score.model),
            f"{score.passed:,} of {score.total:,}",
            f"{score.score:.1%}",
            f"{low:.1%} to {high:.1%}",
            _cost(cost, role),
        )
    return table


def _cost(cost: Json | None, role: str) -> str:
    if cost is None:
        return "not decided"
    ratio = cost.get(role)
    return "no price" if ratio is None else f"{ratio:.3g}"


def _notification(notification: Json) -> Panel:
    # The evidence stands in the table above; what is left is what a subscriber reads first.
    head = [f"{name}: {value}" for name, value in notification.items() if isinstance(value, str)]
    title = "Notification, as delivered (its figures are in .local/notifications.jsonl)"
    return Panel(escape("\n".join(head)), title=title, title_align="left")


def _dataset(dataset: DatasetFigures) -> str:
    dropped = ", ".join(f"{count:,} {why.replace('_', ' ')}" for why, count in dataset.dropped.items() if count)
    return escape(f"Training set {dataset.id}: {dataset.rows:,} rows; dropped: {dropped or 'none'}.")


def tree(graph: Json, start: str) -> Tree:
    """The graph downwards from `start`; what several paths reach is drawn out once."""
    kinds = {node["id"]: node["kind"] for node in graph["nodes"]}
    drawn: set[str] = set()

    def label(node: str) -> str:
        return f"{kinds.get(node, '?').replace('_', ' ')} [dim]{escape(node)}[/dim]"

    def grow(branch: Tree, node: str) -> None:
        drawn.add(node)
        for edge in graph["edges"]:
            if edge["from"] != node:
                continue
            if edge["to"] in drawn:
                branch.add(f"{label(edge['to'])} [dim](above)[/dim]")
            else:
                grow(branch.add(label(edge["to"])), edge["to"])

    root = Tree(label(start))
    grow(root, start)
    return root


def _times(seconds: dict[str, float]) -> Table:
    table = Table(title="Where the time went", title_justify="left")
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    for stage, took in seconds.items():
        table.add_row(stage, f"{took:.1f}", style="bold" if stage == "total" else "")
    return table
