"""The headlines of a training set, in five lines: what trains, and what kept the rest out.

In: the set's card. Out: the lines that the demo prints before the student trains.
"""

from collections.abc import Iterable

from distillations.dataset import DatasetCard

_LEAKS = ("test_leaks", "near_leaks", "test_conversations")
_DOUBLED = ("duplicates", "near_duplicates")
_NOT_ANSWERS = {*_LEAKS, *_DOUBLED, "contradictions", "balance"}


def headlines(card: DatasetCard) -> list[str]:
    """Five lines, also where nothing was dropped: that is news as well."""
    broken = [rule for rule in card.dropped if rule not in _NOT_ANSWERS]
    selected = card.rows + sum(card.dropped.values()) if card.selected is None else card.selected
    return [
        f"{card.rows:,} of {selected:,} completions: {card.train_rows:,} train, {card.validation_rows:,} validate",
        f"leaks of test rows kept out: {_counts(card, _LEAKS)}",
        f"doubled: {_counts(card, _DOUBLED)}",
        f"questions answered in two ways, outvoted: {_counts(card, ['contradictions'])}",
        f"answers that teach nothing good: {_counts(card, broken)}",
    ]


def _counts(card: DatasetCard, rules: Iterable[str]) -> str:
    counts = {rule: card.dropped.get(rule, 0) for rule in rules}
    named = ", ".join(f"{count:,} {rule.replace('_', ' ')}" for rule, count in counts.items() if count)
    return named or "none"
