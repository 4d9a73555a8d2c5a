"""The plots of a look: how far each field is away, its distance over time, and both distributions of each field.

In: a look. Out: its figures in the order in which they are shown.
"""

from __future__ import annotations

import time

from distillations.drift.document import FieldDrift, TrafficDrift
from distillations.report.comparison import ShareChange
from distillations.report.figures import KINDS
from plots import Bar, Figure, Mark, bars, intervals

_MOST_FIELDS = 20
_MOST_SHOWN = 8
_MOST_LOOKS = 30
_SERIES = ["training lines", "traffic of seven days"]


def figures(drift: TrafficDrift) -> list[Figure]:
    """All figures that have something to show; of the fields those that are furthest away."""
    made = [_apart(drift), _over_time(drift), *(_values(field) for field in drift.fields[:_MOST_SHOWN])]
    return [figure for figure in made if figure]


def _apart(drift: TrafficDrift) -> Figure | None:
    description = (
        "The population stability index of each field between the traffic and the training lines: a point, orange "
        "where it is beyond the grey band of what chance gives in 19 of 20 cases."
    )
    fields = [field.comparison for field in drift.fields[:_MOST_FIELDS]]
    marks = [Mark(one.field, one.psi, 0.0, one.psi_noise_95) for one in fields]
    return intervals("How far away", description, ["field", "index", "chance from", "chance to"], marks)


def _over_time(drift: TrafficDrift) -> Figure | None:
    looks = [look for look in drift.history[:_MOST_LOOKS] if look.psi is not None]
    marks = [Mark(f"{_day(look.at)} {look.field}", look.psi or 0.0, 0.0, look.psi_noise_95 or 0.0) for look in looks]
    description = "The field that was furthest away at each look, the newest look first, beside what chance gives."
    return intervals("Look by look", description, ["look", "index", "chance from", "chance to"], marks)


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def _values(field: FieldDrift) -> Figure | None:
    lines = [Bar(_name(one), [one.other_share, one.share]) for one in field.shares]
    name = field.comparison.field
    return bars(
        name, f"The share of each value of {name}, the one that has changed most first.", _SERIES, lines, percent=True
    )


def _name(one: ShareChange) -> str:
    return one.value if one.kind == "value" else KINDS[one.kind]
