"""The fields of a training set's report as cells, in which the traffic is counted beside them.

In: the report, and the features of the traffic. Out: for each field the cells of the traffic beside those of what
trains, and beside those of what was selected for training. Values that hardly anybody has are one cell, so that the
test of a field knows how likely its statistic is.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import ceil
from typing import Literal, NamedTuple

from assembly.drift.observed import Observed
from assembly.report.compare import CellName, Cells, Separate, range_of
from assembly.report.features import HOUR, TOOLS, WEEKDAY, Features
from assembly.report.survey import TOPIC
from assembly.report.tally import MOST_VALUES, least_of, step_of
from assembly.report.topics import topics_of
from distillations.recipe import ANSWER
from distillations.report.document import DatasetReport
from distillations.report.fields import AmountField, Bin, LabelField, ValueCount

LEAST = 50
"""The completions without which nothing is told of a field."""
_UNTOLD = frozenset({HOUR, WEEKDAY, "model", "prompt_tokens"})
"""Times of day, who answers, and tokens, which each model counts its own way: they say nothing of what is asked."""
_ANSWERED = frozenset({ANSWER, TOOLS, "finish_reason", "answer_characters", "answer_tokens"})
"""Fields of the answer. They are compared where a model answered whose answers the set has: another model's differ
without any change of the traffic."""
_LEAST_IN_CELL = 5.0
_MOST_BINS = 10
_MOST_EXAMPLES = 5
_OTHERS: CellName = ("", "long")
RARE: CellName = ("(each of few rows)", "value")
"""The cell of the values that hardly anybody has."""

type Kind = Literal["labels", "amounts", "topics"]


class Beside(NamedTuple):
    """A field of the traffic beside the training set, as two comparisons."""

    trained: Cells
    """Beside the lines that train."""
    selected: Cells
    """Beside what was selected for training, before rules dropped and repeated some of it."""
    examples: Mapping[str, list[str]]
    """The ids of the newest completions of the traffic by value, at most five of each; of amounts there are none."""


class _Counts(NamedTuple):
    """One value: how often it is in the traffic, among the lines that train, and in what was selected."""

    name: CellName
    traffic: int
    trained: int
    selected: int


def fields_of(report: DatasetReport, traffic: Observed, questions: Observed) -> list[Beside]:
    """Every field that can be compared. `questions` are some completions that were selected for training."""
    ours = traffic.separate()
    # Of a set whose completions are all deleted since nobody can say: it is taken to be as the traffic is.
    theirs = (questions.separate(report.selected), questions.separate()) if questions.features else (ours, ours)
    whole, sampled = ((ours, other) for other in theirs)
    labels = (field for field in report.labels if field.closed and field.field not in _UNTOLD)
    amounts = (field for field in report.amounts if field.field not in _UNTOLD and field.bins)
    fields = [
        *(_labels(field, report, traffic, whole) for field in labels),
        *(_amounts(field, report, traffic, whole) for field in amounts),
        _topics(traffic, questions, sampled),
    ]
    return [field for field in fields if field]


def counted_in(report: DatasetReport, rows: Sequence[Features]) -> DatasetReport:
    """The report with the counts of these completions alone, in its own values and ranges. Each trains once."""
    labels = [field.model_copy(update={"values": _values_in(field, rows)}) for field in report.labels]
    amounts = [field.model_copy(update={"bins": _bins_in(field, rows)}) for field in report.amounts]
    every = {"selected": len(rows), "train_lines": len(rows)}
    return report.model_copy(update={"labels": labels, "amounts": amounts, **every})


def _values_in(field: LabelField, rows: Sequence[Features]) -> list[ValueCount]:
    seen = Counter(_label(features, field.field) for features in rows)
    counts = [seen[(one.value or "", one.kind)] for one in field.values]
    return [
        one.model_copy(update={"selected": count, "train_lines": count})
        for one, count in zip(field.values, counts, strict=True)
    ]


def _bins_in(field: AmountField, rows: Sequence[Features]) -> list[Bin]:
    if not field.bins:
        return []
    seen = _places(field, rows)
    return [
        one.model_copy(update={"selected": seen[place], "train_lines": seen[place]})
        for place, one in enumerate(field.bins)
    ]


def _rows(field: str, report: DatasetReport, traffic: Observed) -> Sequence[Features]:
    """The traffic that tells something of a field."""
    if field not in _ANSWERED:
        return traffic.features
    models = next((known.values for known in report.labels if known.field == "model"), [])
    known = {value.value for value in models if value.selected}
    return [features for features in traffic.features if features.labels.get("model") in known]


def _labels(field: LabelField, report: DatasetReport, traffic: Observed, separate: Separate) -> Beside | None:
    rows = _rows(field.field, report, traffic)
    if len(rows) < LEAST:
        return None
    seen = Counter(_label(features, field.field) for features in rows)
    counts = []
    for one in field.values:
        name: CellName = (one.value or "", one.kind)
        counts.append(_Counts(name, seen.pop(name, 0), one.train_lines, one.selected))
    counts += [_Counts(name, number, 0, 0) for name, number in seen.most_common(MOST_VALUES)]
    others = seen.total() - sum(number for _, number in seen.most_common(MOST_VALUES))
    counts.append(_Counts(_OTHERS, others, 0, 0))
    examples = _newest((features.id, features.labels.get(field.field)) for features in rows)
    return _beside(field.field, "labels", counts, separate, examples)


def _label(features: Features, field: str) -> CellName:
    if field not in features.labels:
        return "", "none"
    value = features.labels[field]
    return ("", "long") if value is None else (value, "value")


def _amounts(field: AmountField, report: DatasetReport, traffic: Observed, separate: Separate) -> Beside | None:
    rows = _rows(field.field, report, traffic)
    if len(rows) < LEAST:
        return None
    starts, end = _borders(field.bins)
    seen = _places(field, rows)
    least = (len(rows) + report.selected) / _MOST_BINS
    counts = list(_ranges(field.bins, starts, seen, least))
    counts.append(_Counts((f"more than {ceil(least_of(end)) - 1:,}", "value"), seen[len(starts)], 0, 0))
    rest = [total - sum(column) for total, column in zip(_totals(report), _columns(field.bins), strict=True)]
    counts.append(_Counts(("", "none"), seen[-1], *rest))
    return _beside(field.field, "amounts", counts, separate)


def _borders(bins: Sequence[Bin]) -> tuple[list[int], int]:
    """The steps at which the ranges begin, and that at which the last one ends."""
    return [_step_at(bin_.low) for bin_ in bins], _step_at(bins[-1].high)


def _places(field: AmountField, rows: Sequence[Features]) -> Counter[int]:
    """How many amounts lie in each range of a field, by its number, as `_place` has them."""
    starts, end = _borders(field.bins)
    return Counter(_place(features.amounts.get(field.field), starts, end) for features in rows)


def _totals(report: DatasetReport) -> tuple[int, int]:
    return report.train_lines, report.selected


def _columns(bins: Sequence[Bin]) -> tuple[list[int], list[int]]:
    return [one.train_lines for one in bins], [one.selected for one in bins]


def _step_at(low: float) -> int:
    """The step that begins at this amount: reports write it to a tenth."""
    return min(range(step_of(int(low)), step_of(int(low) + 1) + 1), key=lambda step: abs(least_of(step) - low))


def _place(amount: int | None, starts: Sequence[int], end: int) -> int:
    """The number of an amount's range; that after the last one where it is above all, -1 where there is none."""
    if amount is None:
        return -1
    step = step_of(amount)
    if step >= end:
        return len(starts)
    return max(0, sum(start <= step for start in starts) - 1)


def _ranges(bins: Sequence[Bin], starts: Sequence[int], seen: Mapping[int, int], least: float) -> Iterator[_Counts]:
    """Ranges with about as many rows each, both sides together."""
    first, traffic, trained, selected = 0, 0, 0, 0
    for place, bin_ in enumerate(bins):
        traffic, trained = traffic + seen.get(place, 0), trained + bin_.train_lines
        selected += bin_.selected
        if traffic + selected >= least or place == len(bins) - 1:
            low, high = ceil(least_of(starts[first])), ceil(least_of(_step_at(bin_.high))) - 1
            yield _Counts((range_of(low, high), "value"), traffic, trained, selected)
            first, traffic, trained, selected = place + 1, 0, 0, 0


def _topics(traffic: Observed, questions: Observed, separate: Separate) -> Beside | None:
    """Topics of both sides' questions together: which side a question is of decides nothing of its topic."""
    if min(len(traffic.words), len(questions.words)) < LEAST:
        return None
    topics = topics_of({**questions.words, **traffic.words}).of
    ours = Counter(topics[name] for name in traffic.words if name in topics)
    theirs = Counter(topics[name] for name in questions.words if name in topics)
    counts = [_Counts((name, "value"), ours[name], theirs[name], theirs[name]) for name in sorted({*ours, *theirs})]
    examples = _newest((features.id, topics.get(features.id)) for features in traffic.features)
    return _beside(TOPIC, "topics", counts, separate, examples)


def _newest(values: Iterable[tuple[str, str | None]]) -> dict[str, list[str]]:
    """The last ids of each value, the newest first. What comes in is in the order of time."""
    newest: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_MOST_EXAMPLES))
    for name, value in values:
        if value is not None:
            newest[value].appendleft(name)
    return {value: list(names) for value, names in newest.items()}


def _beside(
    field: str,
    kind: Kind,
    counts: Sequence[_Counts],
    separate: Separate,
    examples: Mapping[str, list[str]] | None = None,
) -> Beside:
    trained = _cells(field, kind, counts, lambda one: one.trained, separate)
    selected = _cells(field, kind, counts, lambda one: one.selected, separate)
    return Beside(trained, selected, examples or {})


def _cells(
    field: str, kind: Kind, counts: Sequence[_Counts], other: Callable[[_Counts], int], separate: Separate
) -> Cells:
    """The cells of both sides, those with fewer than five separate rows, both sides together, in one."""
    first, second = separate
    by_name: dict[CellName, list[int]] = defaultdict(lambda: [0, 0])
    for one in counts:
        if not one.traffic + other(one):
            continue
        is_rare = first * one.traffic + second * other(one) < _LEAST_IN_CELL
        name = RARE if is_rare else one.name
        by_name[name][0] += one.traffic
        by_name[name][1] += other(one)
    ours, theirs = ([pair[side] for pair in by_name.values()] for side in (0, 1))
    return Cells(field, kind, list(by_name), ours, theirs, separate=separate)
