"""The headlines of a training set's report, in five lines: what trains, what was kept out, and what to look at.

In: the report. Out: the lines that the demo prints before the student trains.
"""

from collections.abc import Iterable

from distillations.report.document import DatasetReport

_LEAKS = ("test_leaks", "near_leaks", "test_conversations")
_DOUBLED = ("duplicates", "near_duplicates")
_CONTRADICTED = ("contradictions", "doubtful")
_NOT_ANSWERS = {*_LEAKS, *_DOUBLED, *_CONTRADICTED, "balance", "dropped_by_hand"}
_MOST_SHOWN = 3


def headlines(report: DatasetReport) -> list[str]:
    """Five lines, also where nothing was dropped: that is news as well."""
    dropped = {step.rule: step.dropped for step in report.steps}
    broken = [rule for rule in dropped if rule not in _NOT_ANSWERS]
    kept_out = {
        "leaks of test rows": _LEAKS,
        "doubled": _DOUBLED,
        "contradicted by other rows": _CONTRADICTED,
        "answers that teach nothing good": broken,
    }
    split = f"{report.train_rows:,} train, {report.validation_rows:,} validate"
    return [
        f"{report.rows:,} of {report.selected:,} completions: {split}",
        f"kept out: {'; '.join(f'{what} {_counts(dropped, rules)}' for what, rules in kept_out.items())}",
        f"beside recent traffic: {_skew(report)}; over time: {_drift(report)}",
        f"the task: {_task(report)}",
        f"look at: {_warnings(report)}",
    ]


def _counts(dropped: dict[str, int], rules: Iterable[str]) -> str:
    return f"{sum(dropped.get(rule, 0) for rule in rules):,}"


def _skew(report: DatasetReport) -> str:
    if report.production is None:
        return "there is none"
    differing = [comparison.field for comparison in report.skew if comparison.differs]
    if not differing:
        return f"none of {len(report.skew)} fields differs by more than chance"
    return f"{_named(differing)} differ by more than chance"


def _drift(report: DatasetReport) -> str:
    if report.drift is None:
        return "too few rows to say"
    return _named([comparison.field for comparison in report.drift.fields if comparison.differs])


def _named(fields: list[str]) -> str:
    more = len(fields) - _MOST_SHOWN
    return ", ".join(fields[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "") if fields else "none"


def _task(report: DatasetReport) -> str:
    placed = report.suitability
    if placed is None:
        return "nothing trains"
    return f"{placed.breadth} and {placed.precision}. {placed.advice.split('. ')[0].split(': ')[0].rstrip('.')}"


def _warnings(report: DatasetReport) -> str:
    more = len(report.warnings) - 1
    return report.warnings[0] + (f" ({more} more in the report)" if more > 0 else "") if report.warnings else "nothing"
