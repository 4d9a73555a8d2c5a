"""`best_of`: of the answers to one question, however often it was asked, drops all but the best graded.

Of answers that are graded alike the newest stays. A question of whose answers none was graded is left as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from assembly.curation.rule import Finding, Together, Verdict
from assembly.row import Row, preferred
from distillations.grading_steps import BestOf


def decide(rows: Sequence[Row], settings: BestOf, together: Together) -> Iterator[Verdict]:  # noqa: ARG001
    by_input: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_input[row.input_key].append(row)
    for same in by_input.values():
        if len(same) > 1 and any(row.grade for row in same):
            best, *others = preferred(same, "best")
            reason = f"Its question has {len(same)} answers; another one is graded best."
            yield from (Verdict(row, Finding(reason, [best.id], _score(row))) for row in others)


def _score(row: Row) -> float | None:
    return row.grade[1] if row.grade else None
