"""What earlier verdicts on the same rows leave of an outcome."""

from __future__ import annotations

import pytest

from distillations.deciding.evidence import gather
from distillations.deciding.rules import corrected_decision, decision_of
from distillations.gate import Gate
from stats import PairedCounts, mcnemar_exact, tango_interval
from tests.distillations.deciding.tables import outcomes

TABLES = [outcomes(rows) for rows in ("p" * 100, "f" * 9 + "p" * 91, "p" * 9 + "f" + "p" * 90)]


@pytest.mark.parametrize(("looks", "outcome"), [(1, "beats_baseline"), (2, "beats_baseline"), (3, "inconclusive")])
def test_each_look_gets_its_share_of_the_level(looks: int, outcome: str) -> None:
    """p = 0.0215: below a half of 5%, not below a third."""
    evidence = gather(*TABLES, seed=1, looks=looks)
    assert evidence.corrected_p_value == looks * mcnemar_exact(9, 1)
    assert evidence.corrected_interval == tango_interval(PairedCounts(100, 9, 1), 1 - 0.05 / looks)
    assert decision_of(evidence, Gate()) == "beats_baseline"
    assert corrected_decision(evidence, Gate()) == outcome


def test_a_corrected_p_is_at_most_one() -> None:
    assert gather(*TABLES, seed=1, looks=1000).corrected_p_value == 1.0
