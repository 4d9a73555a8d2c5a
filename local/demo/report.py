"""The demo's result: the JSON file, and the tables at the end.

In: what the loop fetched, as the API's own documents. Out: a `Report`; fields are null where the loop stopped before
them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.tree import Tree

from distillations.dataset import DatasetCard
from distillations.distillation import Distillation
from distillations.model_score import ModelScore
from distillations.roles import ROLES, Role
from distillations.verdict import Verdict

Json = dict[str, Any]

_VERDICT_FIGURES = {"outcome", "gain", "interval", "p_value", "gap_closed", "rows_needed"}
_STOP = (("make local-down", "stop the stack; what was captured stays"),)
_NEXT = (
    ("make demo ARGS=--keep", "once more, and the stack stays up, with its web pages to look at"),
    ("make local-up", "the stack again, with all that this demo captured, and its web pages"),
    (
        ".venv/bin/python examples/first_distillation.py",
        "a distillation of your own: docs/tutorial/first-distillation.md",
    ),
    (".venv/bin/stillhouse demo --data FILE", "your rows, also with recorded answers: docs/how-to/local-stack.md"),
)
_DATASET_FIGURES = {"id", "rows", "dropped"}


@dataclass(frozen=True, kw_only=True)
class Report:
    """The demo's result: `notification` as it was delivered, `lineage` of a completion, `seconds` by stage."""

    distillation: Distillation
    card: DatasetCard | None
    notification: Json | None
    lineage: Json | None
    seconds: dict[str, float]
    look: tuple[str, str] | None = None
    """Where the web pages are and the key to sign in with, where the stack stays up."""

    @property
    def verdict(self) -> Verdict | None:
        return self.distillation.verdict

    @property
    def scores(self) -> dict[Role, ModelScore]:
        """The models' scores from the verdict, or those that the plan has."""
        if self.verdict:
            return self.verdict.scores
        plan = self.distillation.plan
        return {"teacher": plan.teacher, "baseline": plan.baseline} if plan else {}

    def document(self) -> Json:
        """What `--json` writes."""
        scores = {role: score.model_dump(mode="json") for role, score in self.scores.items()}
        return {
            **{role: scores.get(role) for role in ROLES},
            "verdict": self.verdict.model_dump(mode="json", include=_VERDICT_FIGURES) if self.verdict else None,
            "notification": self.notification,
            "dataset": self.card.model_dump(mode="json", include=_DATASET_FIGURES) if self.card else None,
            "lineage": self.lineage,
            "seconds": {stage: round(took, 2) for stage, took in self.seconds.items()},
        }


def show(console: Console, report: Report, completion: str | None) -> None:
    """Print the demo's whole result."""
    for part in _parts(report, completion):
        console.print()
        console.print(part)


def _parts(report: Report, completion: str | None) -> Iterator[RenderableType]:
    verdict = report.verdict
    yield _scores(report)
    if report.card:
        yield _dataset(report.card)
    if verdict:
        tried = f"the best of {verdict.attempts_tried} attempts" if verdict.attempts_tried > 1 else None
        yield Panel(escape(verdict.sentence), title=f"Verdict: {verdict.outcome}", title_align="left", subtitle=tried)
    if report.notification:
        yield _notification(report.notification)
    if report.lineage and completion:
        yield Group("Lineage of one captured completion", tree(report.lineage, completion))
    yield _times(report.seconds)
    yield _next_steps(report)


def _next_steps(report: Report) -> Table:
    """What to do after the demo: the page to look at, and commands that run as they are, but for the file."""
    table = Table(title="Next", title_justify="left", show_header=False, box=None)
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    if report.look:
        url, key = report.look
        table.add_row(f"{url}/distillations/{report.distillation.id}", "all of this in a browser")
        table.add_row(key, "the key to sign in with there")
    for command, purpose in _STOP + _NEXT[2:] if report.look else _NEXT:
        table.add_row(command, purpose)
    return table


def _scores(report: Report) -> Table:
    table = Table(title="The same eval on the same rows", title_justify="left")
    table.add_column("")
    table.add_column("model", overflow="fold")
    for column in ("right", "score", "95% interval", "cost / teacher"):
        table.add_column(column, justify="right", no_wrap=True)
    for role, score in report.scores.items():
        low, high = score.interval
        table.add_row(
            role,
            escape(score.model),
            f"{score.passed:,} of {score.total:,}",
            f"{score.score:.1%}",
            f"{low:.1%} to {high:.1%}",
            _cost(report.verdict, role),
        )
    return table


def _cost(verdict: Verdict | None, role: Role) -> str:
    if verdict is None:
        return "not decided"
    ratio = verdict.cost_ratio.get(role)
    return "no price" if ratio is None else f"{ratio:.3g}"


def _notification(notification: Json) -> Panel:
    # The table above has the evidence, so only the text fields are shown, which a subscriber reads first.
    head = [f"{name}: {value}" for name, value in notification.items() if isinstance(value, str)]
    title = "Notification, as delivered (its figures are in .local/notifications.jsonl)"
    return Panel(escape("\n".join(head)), title=title, title_align="left")


def _dataset(card: DatasetCard) -> str:
    dropped = ", ".join(f"{count:,} {rule.replace('_', ' ')}" for rule, count in card.dropped.items() if count)
    return escape(f"Training set {card.id}: {card.rows:,} rows; dropped: {dropped or 'none'}.")


def tree(graph: Json, start: str) -> Tree:
    """The graph downwards from `start`. A node that several paths reach is drawn with its children only once."""
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
