"""Chains of responses: each names the response before it as its `previous_response_id`.

In: the records of a push by their positions. Out: the positions, each after that of the response which its record
names, and for each record the items of all responses before it, from the same push or from the stored completions. A
record is refused if the response that it names was never captured or was deleted, or if its chain is a circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import Any

import orjson

from capture.records import is_exported_response, is_response
from completions import index
from completions.completion import Completion
from foundation.errors import ApiError

_MOST_HISTORY = 16 * 1024 * 1024
"""The most bytes of earlier items that one push may need: in a long chain they grow with the square of its length."""
_PARAM = "request.previous_response_id"


class Chains:
    """The chains of one push."""

    def __init__(self, records: Mapping[int, Any]) -> None:
        self._positions = list(records)
        self._previous: dict[int, str] = {}
        self._first: dict[str, int] = {}
        for position, record in records.items():
            if is_response(record) or is_exported_response(record):
                self._note(position, record)
        ids = set(self._previous.values())
        self._gone = index.gone(ids) if ids else set()
        self._stored = _stored(sorted(ids - self._gone))
        self._sizes: dict[str, int] = {}
        self._history = 0

    def _note(self, position: int, record: dict[str, Any]) -> None:
        request = record.get("request")
        previous = request.get("previous_response_id") if isinstance(request, dict) else None
        if isinstance(previous, str) and previous:
            self._previous[position] = previous
        own = record["response"].get("id")
        if isinstance(own, str):
            self._first.setdefault(own, position)

    def order(self) -> Iterator[int]:
        """Every position once, those of a circle at the end."""
        sorter = TopologicalSorter(
            {position: [self._first[name]] for position, name in self._previous.items() if name in self._first}
        )
        for position in self._positions:
            sorter.add(position)
        # A circle raises here; the records outside of it are still given in order.
        with suppress(CycleError):
            sorter.prepare()
        left = dict.fromkeys(self._positions)
        while ready := sorter.get_ready():
            for position in ready:
                del left[position]
                yield position
            sorter.done(*ready)
        yield from left

    def items_before(self, position: int, done: Mapping[int, Completion]) -> list[Any] | None:
        """All items before the new input of a record; None if it names no response, or one that nobody captured.

        `done` has the completions of this push that were read so far. Raises ApiError if the response was deleted, is a
        chat completion, or makes the push too large.
        """
        previous = self._previous.get(position)
        if previous is None:
            return None
        if previous in self._gone:
            raise ApiError(f"The response '{previous}' before this one was deleted.", code="deleted", param=_PARAM)
        parent = done.get(self._first.get(previous, -1)) or self._stored.get(previous)
        if parent is None:
            return None
        if parent.original is None:
            raise ApiError(f"'{previous}' is a chat completion, no response.", code="invalid_value", param=_PARAM)
        items = [*parent.original["input_items"], *(parent.original["response"].get("output") or ())]
        self._weigh(previous, items)
        return items

    def _weigh(self, previous: str, items: list[Any]) -> None:
        if previous not in self._sizes:
            self._sizes[previous] = len(orjson.dumps(items))
        if self._history + self._sizes[previous] > _MOST_HISTORY:
            raise ApiError(
                f"The responses before those of this push have more than {_MOST_HISTORY} bytes. Push fewer at once.",
                code="history_too_large",
                param=_PARAM,
            )
        self._history += self._sizes[previous]


def _stored(ids: Sequence[str]) -> dict[str, Completion]:
    """The stored completions with these ids."""
    references = [index.find(response_id) for response_id in ids]
    completions = index.read(reference for reference in references if reference is not None)
    return {completion.id: completion for completion in completions}
