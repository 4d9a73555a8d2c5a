"""What a set of test rows has been used for: the verdicts that an eval gave on it, one row of the table each.

In: a distillation whose rows are frozen. Out: how many verdicts came before its own. Rows are the same set where they
ask the same, whoever answered them.

    VERDICTS#<eval>#<digest of the inputs> / <verdict id>    when it was decided, and among how many attempts
"""

from __future__ import annotations

from typing import NamedTuple, Self

import orjson

from completions.same_input import input_key
from distillations.distillation import Distillation
from foundation import blobs, table
from foundation.ids import derived_id, now_ms


class Looks(NamedTuple):
    """The verdicts on a set of test rows before this one, and how many of all chose among several attempts."""

    earlier: int
    sweeps: int


class RowSet(NamedTuple):
    """A set of test rows, by the partition of the verdicts on it."""

    pk: str

    @classmethod
    def of(cls, distillation: Distillation) -> Self:
        lines = blobs.lines(distillation.rows_key)
        inputs = sorted(input_key(orjson.loads(line)["item"]["input"]) for line in lines)
        return cls(f"VERDICTS#{distillation.eval_id}#{derived_id('', *inputs)}")

    def note(self, distillation: Distillation) -> None:
        """Note that its verdict is one on these rows. The first note stands, so the order of verdicts does."""
        attempts = len(distillation.attempts)
        table.put_new({"pk": self.pk, "sk": distillation.verdict_id, "at": now_ms(), "attempts": attempts})

    def looks_before(self, distillation: Distillation) -> Looks:
        """The verdicts before its own, which is noted. One of before times were noted counts as earlier."""
        places = {row["sk"]: (int(row.get("at", 0)), int(row.get("attempts", 1))) for row in table.query(self.pk)}
        own, attempts = places.pop(distillation.verdict_id, (now_ms(), len(distillation.attempts)))
        earlier = [tried for at, tried in places.values() if at < own]
        return Looks(len(earlier), sum(tried > 1 for tried in (*earlier, attempts)))
