"""The rules of curation.

To add one: a module, its examples in a JSON file of the same name, its settings among the steps of
`distillations/recipe.py`, a line here.

Some hold whatever the steps say: test rows never train (`FIRST`), nor does what the trainer would refuse, and what a
person corrected or keeps does; and where a recipe asks for pairs, only they do.
"""

from __future__ import annotations

from assembly.curation import (
    augment,
    balance,
    best_of,
    consensus,
    contradictions,
    corrections,
    doubtful,
    dropped_by_hand,
    duplicates,
    empty,
    filtered,
    kept_by_hand,
    language,
    length,
    malformed,
    near_duplicates,
    near_leaks,
    pairs,
    personal_data,
    prompt,
    quality,
    refused,
    schema_invalid,
    test_conversations,
    test_leaks,
    truncated,
    unfinished,
    untrainable,
    wrong_calls,
)
from assembly.curation.rule import RowRule, SetRule

FIRST: dict[str, RowRule] = {
    "test_leaks": test_leaks.judge,
    "test_conversations": test_conversations.judge,
    "untrainable": untrainable.judge,
    "dropped_by_hand": dropped_by_hand.judge,
    "kept_by_hand": kept_by_hand.judge,
    "corrections": corrections.judge,
}
"""What comes before the steps of a recipe."""
BY_ROW: dict[str, RowRule] = {
    "truncated": truncated.judge,
    "filtered": filtered.judge,
    "unfinished": unfinished.judge,
    "refused": refused.judge,
    "empty": empty.judge,
    "schema_invalid": schema_invalid.judge,
    "wrong_calls": wrong_calls.judge,
    "length": length.judge,
    "prompt": prompt.judge,
    "personal_data": personal_data.judge,
}
"""The steps that look at one completion at a time."""
LAST: dict[str, RowRule] = {"pairs": pairs.judge, "malformed": malformed.judge}
"""What comes behind those."""
TOGETHER: dict[str, SetRule] = {
    "near_leaks": near_leaks.decide,
    "language": language.decide,
    "quality": quality.decide,
    "consensus": consensus.decide,
    "best_of": best_of.decide,
    "contradictions": contradictions.decide,
    "duplicates": duplicates.decide,
    "near_duplicates": near_duplicates.decide,
    "doubtful": doubtful.decide,
    "augment": augment.decide,
    "balance": balance.decide,
}
"""The steps that look at all completions that are left."""
RULES = (*FIRST, *BY_ROW, *LAST, *TOGETHER)
"""Every rule by its name."""
