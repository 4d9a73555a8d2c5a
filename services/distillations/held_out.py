"""The test rows of a distillation as what must not train: by their ids, their questions and their conversations.

In: the items of the rows, then completions that may train. Out: which rows hold them out. Only keys are in memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from completions.completion import Completion
from completions.same_input import input_key
from evals.slicing import group_of

_SHOWN = 10


class HeldOut:
    """What is known of the test rows; `group_by` is the metadata key, if any, whose rows belong together."""

    def __init__(self, group_by: str | None = None) -> None:
        self._group_by = group_by
        self._ids: set[str] = set()
        # The rows, by id, of each question and of each group; some of them, where there are many.
        self._by_input: dict[str, list[str]] = defaultdict(list)
        self._by_group: dict[str, list[str]] = defaultdict(list)

    def add(self, item: dict[str, Any]) -> None:
        """Hold the row with this item out."""
        row = item["completion_id"]
        self._ids.add(row)
        _note(self._by_input[input_key(item["input"])], row)
        group = self._group_of(item)
        if group is not None:
            _note(self._by_group[group], row)

    def rows_of(self, completion: Completion, key: str) -> list[str]:
        """The rows, at most ten, that the completion is or that ask what it asks; `key` is that of its input."""
        same = self._by_input.get(key, [])
        if completion.id in self._ids:
            return [completion.id, *(row for row in same if row != completion.id)][:_SHOWN]
        return list(same)

    def conversation_of(self, completion: Completion, prefixes: Iterable[str]) -> list[str]:
        """The rows that stand inside the completion's conversation: as a beginning of it, or in the same group.

        `prefixes` are the keys of the beginnings of the completion's input.
        """
        for prefix in prefixes:
            if prefix in self._by_input:
                return list(self._by_input[prefix])
        if not self._by_group:
            return []
        group = self._group_of(completion.row(with_sample=False)["item"])
        return list(self._by_group.get(group, [])) if group is not None else []

    def _group_of(self, item: dict[str, Any]) -> str | None:
        return group_of(item, self._group_by) if self._group_by else None


def _note(rows: list[str], row: str) -> None:
    if len(rows) < _SHOWN:
        rows.append(row)
