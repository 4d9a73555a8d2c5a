"""A report as Markdown, with its plots in it.

In: a report. Out: a text that renders wherever Markdown does. Plots are images in the text itself, which can neither
run nor load anything, each with its numbers as a table beneath for where images are not shown. What callers and models
wrote is shown as text whatever it is.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterable, Iterator, Sequence

from distillations.learning_curve import LearningCurve
from distillations.report import figures
from distillations.report.comparison import Drift, FieldComparison
from distillations.report.document import DatasetReport
from distillations.report.steps import RowExample, RuleReport
from distillations.report.suitability import Suitability
from plots import Figure

_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", ":": "&#58;"}
_NOT_KNOWN = "unknown"
_SCORES = {"doubtful": "Margin", "language": "How rare", "quality": "Score"}
"""What the score of a rule is; of the others it is how alike two questions are."""


def markdown(report: DatasetReport) -> str:
    """The whole report."""
    return "\n".join(
        [
            *_head(report),
            *_section("What to look at", [f"- {text(warning)}" for warning in report.warnings]),
            *_section("Rules", _rules(report.steps)),
            *_section("Beside recent traffic", _skew(report)),
            *_section("Over time", _over_time(report)),
            *_section("Slices", _figures(figures.slice_figures(report))),
            *_section("Rare slices", _rare(report)),
            *_section("Lengths", _figures(figures.length_figures(report))),
            *_section("What a training takes", _estimates(report)),
            *_section("What more examples would bring", _learning_curve(report.learning_curve)),
            *_section("Does the task suit distillation?", _suitability(report.suitability)),
            *_section("Terms of the teachers' providers", _terms(report)),
            *_section("How exact this is", [_EXACT]),
        ]
    )


_EXACT = (
    "Counts are exact, over all rows. Topics are of a sample of 1,000 questions of each side that does not depend on "
    "the order of the rows; recent traffic is the newest 5,000 completions; quantiles are known to 5%. A field differs "
    "where Holm's p over all fields is below 0.01 and the population stability index is over 0.1. Rows of one "
    "conversation or user count as separate ones, which makes differences look surer than they are."
)


def text(value: str) -> str:
    """A text of anybody as text: on one line, without a mark that Markdown or HTML would read."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in value).split())
    return "".join(_ENTITIES.get(letter, letter) for letter in _MARKS.sub(r"\\\1", line))


def _head(report: DatasetReport) -> list[str]:
    made = time.strftime("%Y-%m-%d %H:%M", time.gmtime(report.created_at))
    counts = (
        f"{report.rows:,} of {report.selected:,} completions: {report.train_rows:,} train, on {report.train_lines:,} "
        f"lines with {report.train_tokens:,} tokens, and {report.validation_rows:,} validate."
    )
    return [f"# Training set {text(report.id)}", "", f"Made {made} UTC. {counts}", ""]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    """A heading and what stands under it; nothing where that is nothing."""
    shown = list(lines)
    return [f"## {title}", "", *shown, ""] if shown else []


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    columns = ["---", *("---:" for _ in head[1:])]
    lines = (f"| {' | '.join(row)} |" for row in [head, columns, *rows])
    return [*lines, ""]


def _figures(shown: Iterable[Figure]) -> Iterator[str]:
    for figure in shown:
        packed = base64.b64encode(figure.svg.encode()).decode()
        yield f"### {text(figure.title)}"
        yield ""
        yield f"![{text(f'{figure.title}. {figure.description}')}](data:image/svg+xml;base64,{packed})"
        yield ""
        yield from _table([text(name) for name in figure.head], [[text(cell) for cell in row] for row in figure.rows])


def _rules(steps: Sequence[RuleReport]) -> Iterator[str]:
    if not steps:
        return
    rows = [[text(s.rule), f"{s.before:,}", f"{s.dropped:,}", f"{s.changed:,}", f"{s.after:,}"] for s in steps]
    yield from _table(["rule", "before", "dropped", "changed", "after"], rows)
    for step in steps:
        if step.examples:
            yield f"### Examples of {text(step.rule)}"
            yield ""
            yield from (_example(example, _SCORES.get(step.rule, "Alike")) for example in step.examples)
            yield ""


def _example(example: RowExample, score: str) -> str:
    beside = f" Beside {', '.join(text(other) for other in example.others)}." if example.others else ""
    scored = f" {score}: {example.score:.2f}." if example.score is not None else ""
    said = f" Asked: “{text(example.question)}”" if example.question else ""
    answered = f" Answered: “{text(example.answer)}”" if example.answer else ""
    return f"- {text(example.id)}, {example.action}: {text(example.reason)}{beside}{scored}{said}{answered}"


def _skew(report: DatasetReport) -> Iterator[str]:
    if report.production is None:
        yield "There is no recent traffic to hold it against."
        return
    yield f"The newest {report.production.rows:,} completions, of which {report.production.in_training:,} train."
    yield ""
    yield from _compared(report.skew, "recent traffic", "this set")
    yield from _figures(figures.skew_figures(report.model_copy(update={"drift": None})))


def _over_time(report: DatasetReport) -> Iterator[str]:
    if report.drift:
        yield from _compared(report.drift.fields, "earlier", "later")
        yield from _ended(report.drift)
        yield from _figures(figures.skew_figures(report.model_copy(update={"skew": []})))
    yield from _figures(figures.time_figures(report))


def _compared(comparisons: Sequence[FieldComparison], first: str, second: str) -> Iterator[str]:
    """The fields that differ, each with the values that make it."""
    differing = [one for one in comparisons if one.differs]
    if not differing:
        yield f"No field differs by more than chance, of {len(comparisons)} that were compared."
        yield ""
    for one in differing:
        yield (
            f"**{text(one.field)}** differs: index {one.psi:.2f} (chance: {one.psi_noise_95:.2f}), Jensen-Shannon "
            f"{one.jensen_shannon:.3f} bits (chance: {one.jensen_shannon_noise_95:.3f}), p {one.adjusted_p_value:.1g}."
        )
        yield ""
        rows = [
            [
                text(change.value) or figures.KINDS.get(change.kind, ""),
                f"{change.share:.1%}",
                f"{change.other_share:.1%}",
            ]
            for change in one.changes
        ]
        yield from _table([text(one.field), first, second], rows)


def _ended(drift: Drift) -> Iterator[str]:
    for said, by_field in (("no more seen after", drift.ended), ("first seen", drift.began)):
        for field, values in by_field.items():
            for one in values:
                at = one.last_at if by_field is drift.ended else one.first_at
                yield f"- {text(field)} {text(figures.name_of(one))} ({one.selected:,}): {said} {_day(at)}"
    yield ""


def _day(at: int | None) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at or 0))


def _rare(report: DatasetReport) -> list[str]:
    if not report.rare_slices:
        return []
    rows = [
        [
            text(f"{one.field} {one.value}"),
            f"{one.train_rows:,}",
            f"{one.train_lines:,}",
            f"{one.even_share_rows:,.0f}",
            _NOT_KNOWN if one.production_share is None else f"{one.production_share:.1%}",
        ]
        for one in report.rare_slices
    ]
    return _table(["slice", "training rows", "lines", "an even share", "of recent traffic"], rows)


def _estimates(report: DatasetReport) -> list[str]:
    rows = [
        [
            text(one.trainer),
            _NOT_KNOWN if one.epochs is None else str(one.epochs),
            _NOT_KNOWN if one.tokens is None else f"{one.tokens:,}",
            _NOT_KNOWN if one.cost_usd is None else f"{one.cost_usd:,.2f}",
            _NOT_KNOWN if one.minutes is None else f"{one.minutes:,.0f}",
        ]
        for one in report.estimates
    ]
    return _table(["trainer", "epochs", "tokens", "US dollars", "minutes"], rows)


def _suitability(placed: Suitability | None) -> list[str]:
    if placed is None:
        return []
    rows = [
        [text(clue.name), _NOT_KNOWN if clue.value is None else f"{clue.value:.3g}", clue.says, text(clue.meaning)]
        for clue in placed.evidence
    ]
    told = f"It is **{placed.breadth}** and **{placed.precision}**. {text(placed.advice)}"
    return [told, "", *_table(["evidence", "value", "speaks for", "what it is"], rows)]


def _terms(report: DatasetReport) -> list[str]:
    said = {"yes": "may train other models", "no": "may not train other models", "unknown": "not looked at yet"}
    notes = [(terms, f" ({text(terms.note)})" if terms.note else "") for terms in report.terms]
    return [f"- {text(terms.provider)}: {said[terms.trains_others]}{note}" for terms, note in notes]


def _learning_curve(curve: LearningCurve | None) -> list[str]:
    if curve is None:
        return []
    rows = []
    for point in curve.points:
        score = point.score
        shown = (
            [f"{score.score:.1%}", f"{score.interval.low:.1%} to {score.interval.high:.1%}"] if score else ["-", "-"]
        )
        rows.append([f"{point.examples:,}", *shown])
    told = [f"{text(curve.student)}: {text(curve.sentence)}", ""]
    return [*told, *_table(["examples", "passed", "95% interval"], rows)]
