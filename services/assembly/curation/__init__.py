"""The rules of curation. To add one: a module, its examples in a JSON file of the same name, a line here."""

from __future__ import annotations

from assembly.curation import (
    contradictions,
    duplicates,
    empty,
    filtered,
    malformed,
    refused,
    test_conversations,
    test_leaks,
    truncated,
    unfinished,
    untrainable,
)
from assembly.curation.rule import Candidate, Known, Rule

RULES: dict[str, Rule] = {
    "test_leaks": test_leaks.drops,
    "test_conversations": test_conversations.drops,
    "untrainable": untrainable.drops,
    "truncated": truncated.drops,
    "filtered": filtered.drops,
    "unfinished": unfinished.drops,
    "refused": refused.drops,
    "empty": empty.drops,
    "malformed": malformed.drops,
    "duplicates": duplicates.drops,
    "contradictions": contradictions.drops,
}

__all__ = ["RULES", "Candidate", "Known", "Rule"]
