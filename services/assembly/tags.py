"""The slices that a completion is in, by the keys that a recipe names."""

from __future__ import annotations

from collections.abc import Sequence

from assembly.curation.rule import Candidate
from completions.messages import text_of
from distillations.recipe import ANSWER
from evals.slicing import LONGEST_FIELD, named_tags


def tags_of(candidate: Candidate, keys: Sequence[str]) -> dict[str, str]:
    """The value under each key that the completion has: of its metadata, a field of its item, or its short answer."""
    if not keys:
        return {}
    tags = named_tags(keys)(candidate.completion.row(with_sample=False)["item"])
    answer = " ".join(text_of(candidate.answer.get("content")).split())
    if ANSWER in keys and answer and len(answer) <= LONGEST_FIELD:
        tags[ANSWER] = answer
    return tags
