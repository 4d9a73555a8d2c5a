"""Parts of a training set, each within the next one: the same for the same set and seed.

In: a dataset and a seed. Out: the lines of each part. What belongs together for the split of the set, such as the mails
of a user, is in a part or is not: units are ordered by lot, and a part has as many of the first of them as it takes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, batched, pairwise
from typing import Any, NamedTuple

import orjson

from completions import index
from completions.same_input import input_key
from distillations.dataset import Dataset, split_unit
from foundation import blobs

_AT_ONCE = 100


class Parts(NamedTuple):
    """Of each line of the training file, from 0, the smallest part that it is in; and the examples of each part."""

    part_of_line: list[int]
    examples: list[int]


def parts_of(dataset: Dataset, shares: tuple[float, ...], seed: int) -> Parts:
    """The parts with these shares of the examples, the last one being all of them."""
    entries = [orjson.loads(line) for line in blobs.lines(dataset.key("manifest.jsonl"))]
    entries = sorted((one for one in entries if one["split"] == "train"), key=lambda entry: entry["line"])
    units = _units(dataset, entries)
    part_of_unit = _drawn(Counter(units), shares, seed)
    lines = dataset.card.train_lines if dataset.card and dataset.card.train_lines else len(entries)
    # An example that is repeated stands on the lines up to the next one.
    ends = pairwise([*(entry["line"] for entry in entries), lines + 1])
    part_of_line = [
        part_of_unit[unit]
        for unit, (first, following) in zip(units, ends, strict=True)
        for _ in range(following - first)
    ]
    counts = Counter(part_of_unit[unit] for unit in units)
    return Parts(part_of_line, list(accumulate(counts[part] for part in range(len(shares)))))


def lines_of(dataset: Dataset, parts: Parts, part: int) -> Iterator[bytes]:
    """The lines of the training file that are in a part."""
    lines = blobs.lines(dataset.key("train.jsonl"))
    return (line + b"\n" for line, smallest in zip(lines, parts.part_of_line, strict=True) if smallest <= part)


def _drawn(sizes: Mapping[str, int], shares: tuple[float, ...], seed: int) -> dict[str, int]:
    """The smallest part that each unit is in."""
    whole, before, part = sum(sizes.values()), 0, 0
    parts = {}
    for unit in sorted(sizes, key=lambda unit: hashlib.sha256(f"curve:{seed}:{unit}".encode()).digest()):
        while part < len(shares) - 1 and before >= shares[part] * whole:
            part += 1
        parts[unit] = part
        before += sizes[unit]
    return parts


def _units(dataset: Dataset, entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each example belongs to: its question, or where the set is split by groups its group."""
    recipe = dataset.card.recipe if dataset.card else None
    if recipe and recipe.group_by:
        units = dict(_groups([entry["completion_id"] for entry in entries], recipe.group_by))
        return [units.get(entry["completion_id"], entry["completion_id"]) for entry in entries]
    firsts = {entry["line"] for entry in entries}
    lines = enumerate(blobs.lines(dataset.key("train.jsonl")), 1)
    return [_question(line) for number, line in lines if number in firsts]


def _question(line: bytes) -> str:
    """The key of what an example asks; of a pair, of what both its answers are to."""
    example = orjson.loads(line)
    asked = example["messages"][:-1] if example.get("messages") else example.get("input", {}).get("messages")
    return input_key(asked) if asked else hashlib.sha256(line).hexdigest()


def _groups(completion_ids: Sequence[str], group_by: str) -> Iterator[tuple[str, str]]:
    """The group, or the question, of each completion that was not deleted."""
    for together in batched(completion_ids, _AT_ONCE, strict=False):
        references = [reference for completion_id in together if (reference := index.find(completion_id))]
        for completion in index.read(references):
            yield completion.id, split_unit(completion, input_key(completion.messages), group_by)
