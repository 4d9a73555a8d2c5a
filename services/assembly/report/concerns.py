"""What to look at before training, in plain sentences: leaks, skew, drift, uneven and rare slices, terms.

In: a report without them. Out: the sentences, the weightiest first. Values of callers stand in them as bounded text, in
quotes and on one line.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from assembly.report.features import HOUR, WEEKDAY
from distillations.report.comparison import Drift, FieldComparison, ShareChange
from distillations.report.document import DatasetReport
from distillations.report.fields import ValueCount
from foundation.bounds import cut

MOST = 24
"""The sentences of a report."""
MOST_OF_CARD = 8
"""The sentences that stand in the card, too."""
_LEAKS = ("test_leaks", "near_leaks", "test_conversations")
_MOST_NAMED = 3
_FOLLOWS = {
    "answer_characters": frozenset({"answer", "tools_called"}),
    "answer_tokens": frozenset({"answer", "tools_called", "answer_characters"}),
    "prompt_tokens": frozenset({"question_characters", "system_prompt"}),
}
"""Fields that change where one of these does."""
_MOST_FIELDS = 5
_LONGEST = 64
_FEW_ROWS = 50
_MUCH = 0.5
_MANY_CONTRADICTIONS = 0.05
_UNEVEN = 3.0


def concerns_of(report: DatasetReport) -> list[str]:
    """All sentences, at most 24."""
    sentences = [
        *(reason for terms in report.terms for reason in terms.reasons),
        *_leaks(report),
        *skew_sentences(report.skew),
        *(_drift(report.drift) if report.drift else ()),
        *_too_few(report),
        *_contradictions(report),
        *_uneven(report),
        *_rare(report),
        *(warning for terms in report.terms for warning in terms.warnings),
    ]
    return sentences[:MOST]


def quoted(value: str) -> str:
    """A caller's text on one line, bounded, without what is no letter or sign."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in value).split())
    return f"'{cut(line, _LONGEST)}'"


def _name(field: str) -> str:
    return quoted(field)[1:-1]


def _leaks(report: DatasetReport) -> Iterator[str]:
    leaks = sum(step.dropped for step in report.steps if step.rule in _LEAKS)
    if leaks:
        yield f"{leaks:,} of {report.selected:,} completions are, or nearly are, rows of the test: they were kept out."


def skew_sentences(skew: Iterable[FieldComparison]) -> Iterator[str]:
    """For each field that differs the change that is largest, and the next one if it is the other way.

    Times of day come last: a set is seldom of the same hours as the newest traffic, and that is seldom what is wrong.
    """
    differing = sorted(_telling(skew), key=lambda one: one.field in {HOUR, WEEKDAY})
    for comparison in differing[:_MOST_FIELDS]:
        first, *others = comparison.changes
        yield _share_sentence(comparison, first)
        grew = first.other_share > first.share
        yield from (_share_sentence(comparison, o) for o in others[:1] if (o.other_share > o.share) != grew)
    if len(differing) > _MOST_FIELDS:
        named = ", ".join(_name(one.field) for one in differing[_MOST_FIELDS:])
        yield f"This set differs from recent traffic also in {cut(named, 4 * _LONGEST)}."


def _telling(comparisons: Iterable[FieldComparison]) -> list[FieldComparison]:
    """Those that differ, without lengths that only follow from another field that does."""
    differing = [comparison for comparison in comparisons if comparison.differs]
    fields = {comparison.field for comparison in differing}
    return [one for one in differing if not fields & _FOLLOWS.get(one.field, frozenset())]


def _share_sentence(comparison: FieldComparison, change: ShareChange) -> str:
    ours, theirs = _percent(change.other_share), _percent(change.share)
    return f"{_what(comparison, change)} is {theirs} of recent traffic and {ours} of this set."


def _what(comparison: FieldComparison, change: ShareChange) -> str:
    field = _name(comparison.field)
    match change.kind, comparison.kind:
        case "none", _:
            return f"No {field}"
        case "long", _:
            return f"A long {field}"
        case _, "topics":
            return f"The topic {quoted(change.value)}"
        case _, "amounts":
            return f"{field} of {change.value}"
        case _:
            return f"{field} {quoted(change.value)}"


def _percent(share: float) -> str:
    if 0.0 < share < 0.01:  # noqa: PLR2004 - a hundredth
        return f"{share:.1%}" if share >= 0.001 else "under 0.1%"  # noqa: PLR2004
    return f"{share:.0%}"


def _drift(drift: Drift) -> Iterator[str]:
    drifting = _telling(drift.fields)
    for comparison in drifting[:_MOST_FIELDS]:
        ended, began = drift.ended.get(comparison.field, []), drift.began.get(comparison.field, [])
        field = _name(comparison.field)
        if ended or began:
            yield f"{field} changed over time: {'; '.join([*_ended(ended), *_began(began)])}."
        else:
            change = comparison.changes[0]
            yield (
                f"{_what(comparison, change)} was {_percent(change.share)} of the earlier half and is "
                f"{_percent(change.other_share)} of the later one."
            )


def _ended(values: list[ValueCount]) -> list[str]:
    return [_times("was not seen after", [(one, one.last_at) for one in values])] if values else []


def _began(values: list[ValueCount]) -> list[str]:
    return [_times("was not seen before", [(one, one.first_at) for one in values])] if values else []


def _times(said: str, values: list[tuple[ValueCount, int | None]]) -> str:
    named = [f"{quoted(one.value or '')} {said} {_day(at)}" for one, at in values[:_MOST_NAMED]]
    more = len(values) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _day(at: int | None) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at or 0))


def _too_few(report: DatasetReport) -> Iterator[str]:
    if 0 < report.train_rows < _FEW_ROWS:
        yield f"Only {report.train_rows} rows train: fine-tuning begins to show at 50 to 100 good ones."
    dropped = report.selected - report.rows
    if dropped > _MUCH * report.selected:
        worst = max(report.steps, key=lambda step: step.dropped)
        yield (
            f"{dropped / report.selected:.0%} of the completions were kept out, most by {worst.rule}: look at the "
            "examples of that rule before you trust the rest."
        )


def _contradictions(report: DatasetReport) -> Iterator[str]:
    dropped = sum(step.dropped for step in report.steps if step.rule == "contradictions")
    if dropped > _MANY_CONTRADICTIONS * report.selected:
        yield (
            f"{dropped / report.selected:.0%} of the completions contradict others: the teacher does not agree with "
            "itself, so a student cannot."
        )


def _uneven(report: DatasetReport) -> Iterator[str]:
    for one in report.imbalances[:_MOST_NAMED]:
        if one.largest_rows >= _UNEVEN * max(1, one.smallest_rows):
            sizes = f"{quoted(one.largest)} has {one.largest_rows:,} training rows"
            yield f"{_name(one.field)} is uneven: {sizes} and {quoted(one.smallest)} has {one.smallest_rows:,}."


def _rare(report: DatasetReport) -> Iterator[str]:
    if not report.rare_slices:
        return
    shown = report.rare_slices[:_MOST_NAMED]
    named = ", ".join(f"{_name(one.field)} {quoted(one.value)} ({one.train_rows})" for one in shown)
    more = len(report.rare_slices) - len(shown)
    yield f"Slices with few training rows: {named}{f' and {more} more' if more else ''}. The step balance repeats rows."
