"""RowOutcome tables made by hand: a letter a row, `p`assed, `f`ailed, `e`rrored."""

from __future__ import annotations

from distillations.deciding.evidence import Evidence, gather
from evals.outcomes import RowOutcome


def outcomes(rows: str, *, run: str = "run", metadata: list[dict[str, str]] | None = None) -> dict[str, RowOutcome]:
    tags = metadata or [{} for _ in rows]
    return {
        f"row-{number}": RowOutcome(letter == "p", letter == "e", f"{run}-{number}", tags[number])
        for number, letter in enumerate(rows)
    }


def evidence(won: int, lost: int, n: int, *, dropped: int = 0, teacher: str = "p") -> Evidence:
    """Rows that only the distilled model passed, only the baseline passed, both failed, and nobody could grade."""
    same = n - won - lost
    return gather(
        outcomes(teacher * n + "e" * dropped),
        outcomes("f" * won + "p" * lost + "f" * same + "p" * dropped),
        outcomes("p" * won + "f" * lost + "f" * same + "p" * dropped),
        seed=1,
    )
