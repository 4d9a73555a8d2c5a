"""What the fakes read of files of pairs, and what they refuse by its line as AWS documents it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.fakes.rows import RowProblem, candidate_rows, preference_rows

USER = {"role": "user", "content": "mail"}
YES, NO = ({"role": "assistant", "content": text} for text in ("yes", "no"))
PREFERENCE = {"prompt": [USER], "chosen": [YES], "rejected": [NO]}
CANDIDATES = {
    "schemaVersion": "bedrock-conversation-2024",
    "messages": [
        {"role": "user", "content": [{"text": "mail"}]},
        {
            "role": "assistant",
            "candidates": [
                {"content": [{"text": "no"}], "preferenceLabel": "non-preferred"},
                {"content": [{"text": "yes"}], "preferenceLabel": "preferred"},
            ],
        },
    ],
}


def test_the_preferred_side_is_what_is_learnt() -> None:
    for read, row in ((preference_rows, PREFERENCE), (candidate_rows, CANDIDATES)):
        assert read(json.dumps(row).encode()) == [{"messages": [USER, YES]}]


@pytest.mark.parametrize(
    ("read", "row", "why"),
    [
        (preference_rows, {**PREFERENCE, "rejected": [YES]}, "both answers are the same"),
        (preference_rows, {**PREFERENCE, "chosen": [USER]}, "the last message is not the assistant's"),
        (preference_rows, {**PREFERENCE, "tools": []}, "the field tools is not known"),
        (preference_rows, {"prompt": [USER], "chosen": [YES]}, "rejected"),
        (candidate_rows, {**CANDIDATES, "messages": CANDIDATES["messages"][:1]}, "the field content is not known"),
        (
            candidate_rows,
            {
                **CANDIDATES,
                "messages": [
                    CANDIDATES["messages"][0],
                    {"role": "assistant", "candidates": CANDIDATES["messages"][1]["candidates"][:1]},  # type: ignore[index]
                ],
            },
            "one that is preferred and one that is not",
        ),
    ],
)
def test_what_is_no_pair_is_refused_by_its_line(read: Callable[[bytes], Any], row: dict[str, Any], why: str) -> None:
    with pytest.raises(RowProblem, match="Line 1: ") as refusal:
        read(json.dumps(row).encode())
    assert why in str(refusal.value)
