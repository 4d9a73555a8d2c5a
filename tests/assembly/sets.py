"""Sets that are made in process of completions in memory, whole, part by part or stage by stage.

Objects lie in memory, too. What is written of a set is all that anybody sees of how it was made.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from assembly import machine, made
from assembly.making import Making
from assembly.report.build import About, report_of
from completions import selection
from completions.completion import Completion
from completions.sources import StoredCompletions
from distillations.recipe import Recipe, UsedRecipe
from foundation import blobs
from tests.assembly.curating import completion
from tests.assembly.grading import Given
from tests.flow.system import FakeContext

ANY = StoredCompletions(type="stored_completions")
WORDS = [f"word{number}" for number in range(60)]


class Short:
    """Lambda's context of a function that is near its end at once."""

    def get_remaining_time_in_millis(self) -> int:
        return 100


class Killed(Exception):
    """The worker was killed."""


class Stored:
    """The objects in memory, and what the parts of the selection hold."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: list[list[Completion]] = []
        self.deleted: set[str] = set()
        self.puts: list[str] = []
        self.kills: set[str] | None = None
        """Where workers are killed: the keys at whose first writing one was."""
        self._patch = patch
        patch.setattr(blobs, "get", self._get)
        patch.setattr(blobs, "find", self.objects.get)
        patch.setattr(blobs, "put", self.put)
        patch.setattr(blobs, "put_new", lambda key, body: self.put(key, body) if key not in self.objects else None)
        patch.setattr(blobs, "put_lines", lambda key, lines, **_: self.put(key, b"".join(lines)))
        patch.setattr(blobs, "raw_lines", lambda key: iter(self.objects[key].splitlines(keepends=True)))
        patch.setattr(blobs, "keys", lambda prefix: [key for key in self.objects if key.startswith(prefix)])
        patch.setattr(blobs, "delete", lambda keys: [self.objects.pop(key) for key in list(keys)])
        patch.setattr(selection, "read", self._read)
        patch.setattr(selection, "deleted", lambda _, part: self.deleted & {one.id for one in self.parts[part.number]})
        patch.setattr(selection, "parts", lambda _: (selection.Part(n, 0, 0) for n in range(len(self.parts))))

    def staged(self, *, from_parts: int = 1, parts_a_shard: int = 1) -> None:
        """Let sets of so many parts be decided stage by stage."""
        self._patch.setattr(machine, "LEAST_PARTS", from_parts)
        self._patch.setattr(machine, "hand_over", lambda *_, **__: False)
        self._patch.setattr("assembly.stages.work.A_SHARD", parts_a_shard)

    def put(self, key: str, body: bytes, **_: Any) -> None:
        self.puts.append(key)
        if self.kills is None or key in self.kills:
            self.objects[key] = body
            return
        self.kills.add(key)
        # One in two is killed when the object is there already.
        if len(self.kills) % 2:
            self.objects[key] = body
        raise Killed(key)

    def written(self) -> dict[str, bytes]:
        """The objects of the set itself."""
        return {key: body for key, body in self.objects.items() if "/work/" not in key}

    def _get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        return self.objects[key][offset:][:length]

    def _read(self, _key: str, *, part: selection.Part | None = None, **_: Any) -> Iterator[Completion]:
        numbers = range(len(self.parts)) if part is None else [part.number]
        return (one for number in numbers for one in self.parts[number])


def making(recipe: Recipe | None = None, test: list[Completion] | None = None) -> Making:
    used = UsedRecipe(source=ANY, **(recipe or Recipe()).model_dump())
    items = [one.row()["item"] for one in test or []]
    return Making("dataset_1", used, "default", "selection", lambda: iter(items), dict)


def outcome(stored: Stored, asked: Making, context: Any = None) -> tuple[Any, ...]:
    """Everything that is written of a set."""
    with made.curated(asked, context or FakeContext(), Given({})) as settled:
        settled.write_files()
        card = made.card_of(settled, asked.recipe, Given({}), id="dataset_1", created_at=1)
        report = report_of(settled.figures, *settled.counted(), asked.recipe, About("dataset_1", 1))
    return card.model_dump_json(), report, stored.written()


def mails(rng: random.Random, total: int) -> list[Completion]:
    """Mails, of which some are doubled, nearly doubled, contradicted, leaked, cut off or no completion at all."""
    form = "please tell us what this mail of our customer is about and answer in one word"
    texts = [f"{form} {' '.join(rng.choices(WORDS, k=20))}" for _ in range(total // 2 + 1)]
    ends = [{}] * 8 + [{"finish_reason": "length"}, {"message": {"role": "assistant", "content": 5}}]
    made_up = []
    for number in range(total):
        text = rng.choice(texts) + rng.choice(["", "", " indeed", "!"])
        made_up.append(completion(number, text, rng.choice(["yes", "yes", "no"]), choice=rng.choice(ends)))
    return made_up
