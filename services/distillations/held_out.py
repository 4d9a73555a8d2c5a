"""The test rows of a distillation as what must not train: by their ids, their questions and their conversations.

In: the items of the rows, then completions that may train. Out: which of these are held out. Only keys are in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from completions.completion import Completion
from completions.same_input import input_key
from evals.slicing import group_of


class HeldOut:
    """What is known of the test rows; `group_by` is the metadata key, if any, whose rows belong together."""

    def __init__(self, group_by: str | None = None) -> None:
        self._group_by = group_by
        self._groups: set[str] = set()
        self.ids: set[str] = set()
        self.inputs: set[str] = set()

    def add(self, item: dict[str, Any]) -> None:
        """Hold the row with this item out."""
        self.ids.add(item["completion_id"])
        self.inputs.add(input_key(item["input"]))
        group = self._group_of(item)
        if group is not None:
            self._groups.add(group)

    def has(self, completion: Completion, key: str) -> bool:
        """Whether the completion, whose input has this key, is a row or asks the same."""
        return completion.id in self.ids or key in self.inputs

    def has_conversation(self, completion: Completion, prefixes: Sequence[str]) -> bool:
        """Whether a row stands inside the completion's conversation: as a beginning of it, or in the same group.

        `prefixes` are the keys of the beginnings of the completion's input.
        """
        if not self.inputs.isdisjoint(prefixes):
            return True
        return bool(self._groups) and self._group_of(completion.row(with_sample=False)["item"]) in self._groups

    def _group_of(self, item: dict[str, Any]) -> str | None:
        return group_of(item, self._group_by) if self._group_by else None
