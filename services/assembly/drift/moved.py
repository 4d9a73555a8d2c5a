"""Which fields of the traffic have moved, since when, and whether that is something to tell.

In: what was found before, and the fields of this look. Out: the fields as they stand now. A field begins to drift where
it differs both from what trains and from what was selected: so neither what the recipe repeated nor what it dropped
counts, and rows that the training set lacks for a reason do not alarm anybody. It has ended once three looks in a row
found it back within its noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assembly.drift.cells import RARE, Beside
from assembly.report.compare import NOTICEABLE, changes_of, compared
from distillations.drift.document import FieldDrift, Newcomer
from distillations.report.comparison import FieldComparison

LARGE = 0.25
"""The population stability index from which on a difference is a large one."""
_TIMES_WORSE = 2.0
_LOOKS_TO_END = 3
_MOST_SHARES = 20
_MOST_NEWCOMERS = 10
_RARE_SHARE, _COMMON_SHARE = 0.02, 0.05


def fields_now(fields: Sequence[Beside], before: Sequence[FieldDrift], *, alpha: float, at: int) -> list[FieldDrift]:
    """Every field as it stands at this look, those that drift first. `at` is in seconds since the epoch."""
    known = {field.comparison.field: field for field in before}
    shares = {field.trained.field: changes_of(field.trained)[:_MOST_SHARES] for field in fields}
    now = [
        _now(FieldDrift(comparison=one, shares=shares[one.field], since=None), known.pop(one.field, None), at)
        for one in _both(fields, alpha)
    ]
    # A drift of which this look can tell nothing stays until it has been so for some looks.
    now += [_faded(field) for field in known.values() if field.since is not None and field.quiet + 1 < _LOOKS_TO_END]
    return sorted(now, key=lambda field: (field.since is None, -field.comparison.psi, field.comparison.field))


def _both(fields: Sequence[Beside], alpha: float) -> Iterator[FieldComparison]:
    """The comparison with what trains, which differs where that with what was selected does, too."""
    selected = {one.field: one for one in compared([field.selected for field in fields], alpha=alpha, exact=True)}
    for one in compared([field.trained for field in fields], alpha=alpha, exact=True):
        other = selected.get(one.field)
        p_value, adjusted = (
            (max(one.p_value, other.p_value), max(one.adjusted_p_value, other.adjusted_p_value))
            if other
            else (1.0, 1.0)
        )
        differs = one.differs and other is not None and other.differs
        changed = {"p_value": p_value, "adjusted_p_value": adjusted, "differs": differs}
        yield one.model_copy(update=changed | ({} if differs else {"changes": []}))


def _now(field: FieldDrift, before: FieldDrift | None, at: int) -> FieldDrift:
    drifted = before is not None and before.since is not None
    if field.comparison.differs:
        since = before.since if before and drifted else at
        return field.model_copy(update={"since": since, "told_psi": before.told_psi if before else None})
    if before is None or not drifted:
        return field
    quiet = before.quiet + 1 if _is_back(field.comparison) else 0
    if quiet >= _LOOKS_TO_END:
        return field
    return field.model_copy(update={"since": before.since, "told_psi": before.told_psi, "quiet": quiet})


def _is_back(one: FieldComparison) -> bool:
    return one.psi <= max(NOTICEABLE / 2, one.psi_noise_95)


def _faded(field: FieldDrift) -> FieldDrift:
    return field.model_copy(update={"quiet": field.quiet + 1})


def is_to_tell(fields: Sequence[FieldDrift]) -> bool:
    """Whether people are to be told: of a drift of which they know nothing, or that is clearly worse than they know.

    Worse is a field that is twice as far away as it was when they were told, or another one, where it is far away.
    """
    drifting = [field for field in fields if field.since is not None]
    knows = any(field.told_psi is not None for field in drifting)
    return any(_is_news(field, knows=knows) for field in drifting)


def _is_news(field: FieldDrift, *, knows: bool) -> bool:
    psi, told = field.comparison.psi, field.told_psi
    if told is None:
        return not knows or psi > LARGE
    return psi > max(LARGE, _TIMES_WORSE * told)


def told(fields: Sequence[FieldDrift]) -> list[FieldDrift]:
    """The fields, once people know of those that drift."""
    return [
        field if field.since is None else field.model_copy(update={"told_psi": field.comparison.psi})
        for field in fields
    ]


def newcomers(fields: Sequence[Beside], now: Sequence[FieldDrift]) -> list[Newcomer]:
    """The values of drifting fields that at most 2% of the training lines have and at least 5% of the traffic."""
    drifting = {field.comparison.field for field in now if field.comparison.differs}
    found = [
        Newcomer(
            field=field.trained.field,
            value=change.value,
            share=change.share,
            other_share=change.other_share,
            examples=field.examples.get(change.value, []),
        )
        for field in fields
        if field.trained.field in drifting and field.trained.kind != "amounts"
        for change in changes_of(field.trained)
        if change.kind == "value" and (change.value, change.kind) != RARE
        if change.other_share <= _RARE_SHARE and change.share >= _COMMON_SHARE
    ]
    return sorted(found, key=lambda one: (-one.share, one.field, one.value))[:_MOST_NEWCOMERS]
