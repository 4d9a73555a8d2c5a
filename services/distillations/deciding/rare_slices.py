"""How the distilled model does on the slices that few rows trained, whether or not that proves anything.

In: the rare slices of the training set's report, the test rows, and the outcomes of both models. Out: for each slice
that test rows are in, the gain over the baseline with its interval. A test row is in a slice by its metadata, or by
what the teacher answered to it, or should have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import orjson

from completions.messages import text_of
from distillations.recipe import ANSWER
from distillations.report.document import RareSlice
from distillations.verdict_parts import RareSliceGain
from evals.gains import OutcomeByRow, gain_of_pairs, groups_of
from evals.outcomes import row_id
from stats import holm

_MOST = 50
# As for all slices.
_DRAWS = 2_000
_METADATA = "metadata."
"""What fields of a report begin with that are metadata."""


def rare_gains(
    rare: Sequence[RareSlice],
    rows: Sequence[str],
    distilled: OutcomeByRow,
    baseline: OutcomeByRow,
    answers: Mapping[str, str],
    *,
    seed: int,
    group_by: str | None = None,
) -> list[RareSliceGain]:
    """The gain on each rare slice, at most fifty; `answers` are those to test rows, by the name of the row."""
    of_slice: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        for key, value in distilled[row].tags.items():
            of_slice[f"{_METADATA}{key}", value].append(row)
        if row in answers:
            of_slice[ANSWER, answers[row]].append(row)
    known = [(one, of_slice[one.field, one.value]) for one in rare[:_MOST] if (one.field, one.value) in of_slice]
    gains = [
        gain_of_pairs(
            [(distilled[row].passed, baseline[row].passed) for row in members],
            seed=seed,
            groups=groups_of(members, distilled, group_by),
            draws=_DRAWS,
        )
        for _, members in known
    ]
    adjusted = holm([gain.p_value for gain in gains])
    return [
        RareSliceGain(
            tag=f"{one.field.removeprefix(_METADATA)}={one.value}",
            rows=len(members),
            gain=gain.counts.gain,
            interval=gain.interval,
            adjusted_p_value=p_value,
            train_rows=one.train_rows,
        )
        for (one, members), gain, p_value in zip(known, gains, adjusted, strict=True)
    ]


def answers_to(lines: Iterable[bytes]) -> dict[str, str]:
    """What each of these test rows is answered with, as reports name short answers, by the name of the row."""
    answers = {}
    for number, line in enumerate(lines):
        row = orjson.loads(line)
        choices = (row.get("sample") or {}).get("choices") or ()
        said = text_of(choices[0]["message"].get("content")) if choices else row["item"].get("reference")
        if isinstance(said, str) and said.strip():
            answers[row_id(row["item"], number)] = " ".join(said.split())
    return answers
