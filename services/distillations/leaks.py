"""Leaks: completions that ask nearly what a test row asks, or have a test row in their conversation or group.

In: what rules dropped. Out: each with the test rows that it leaks, and the reasons for which a training waits. A
completion that is a test row, or asks the very same, is no leak in this sense: `train` is meant without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from foundation.document import Document

RULES = {
    "near_leaks": "ask nearly what a test row asks",
    "test_conversations": "have a test row in their conversation or group",
}
"""The rules that drop leaks, and what is said of the completions."""
_SAID = 5


class Leak(Document):
    """A completion that leaks test rows. It does not train."""

    id: str
    """The completion's id."""
    rule: str
    """The rule that found it."""
    test_rows: list[str] = Field(default_factory=list)
    """The test rows that it leaks, by id. At most ten."""
    score: float | None = None
    """How alike the two questions are, from 0 to 1; null where that was not measured."""


def reasons_to_wait(dataset_id: str, dropped: Mapping[str, int], leaks: Sequence[Leak]) -> list[str]:
    """Why a training waits, one sentence a rule, with the first pairs and where all of them are."""
    return [
        f"'train' has completions that {what}: {dropped[rule]}, such as {_pairs(rule, leaks)} (all of them: "
        f"GET /v1/datasets/{dataset_id}/rows?rule={rule}). Approve to train without them, let 'train' select others "
        "than 'test', or ask for it beforehand with 'leaks': \"drop\" in 'recipe'."
        for rule, what in RULES.items()
        if dropped.get(rule)
    ]


def _pairs(rule: str, leaks: Sequence[Leak]) -> str:
    pairs = [f"{leak.id} of {leak.test_rows[0]}" for leak in leaks if leak.rule == rule and leak.test_rows]
    return ", ".join(pairs[:_SAID])
