"""A training set that is curated as a whole, or part by part: the same one, whoever breaks off on the way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly import made, parts
from assembly.making import Making
from assembly.parts import Parts
from assembly.time_left import GoesOn
from completions import selection
from completions.completion import Completion
from completions.sources import StoredCompletions
from distillations.recipe import Balance, Duplicates, NearDuplicates, NearLeaks, Recipe, UsedRecipe, default_steps
from foundation import blobs
from tests.assembly.curating import completion
from tests.assembly.grading import Given
from tests.examples import examples
from tests.flow.system import FakeContext

ANY = StoredCompletions(type="stored_completions")
WORDS = [f"word{number}" for number in range(60)]


class Short:
    """Lambda's context of a function that is near its end at once."""

    def get_remaining_time_in_millis(self) -> int:
        return 100


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[Completion]]]:
    """What the parts of the selection hold. Objects lie in memory."""
    objects: dict[str, bytes] = {}
    content: dict[str, list[list[Completion]]] = {"parts": []}

    def get(key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        return objects[key][offset:][:length]

    monkeypatch.setattr(blobs, "get", get)
    monkeypatch.setattr(blobs, "find", objects.get)
    monkeypatch.setattr(blobs, "put", objects.__setitem__)
    monkeypatch.setattr(blobs, "put_new", lambda key, body: objects.setdefault(key, body) is body)
    monkeypatch.setattr(blobs, "keys", lambda prefix: [key for key in objects if key.startswith(prefix)])
    monkeypatch.setattr(blobs, "delete", lambda keys: [objects.pop(key) for key in list(keys)])

    def read(_key: str, *, part: selection.Part | None = None, **_: Any) -> Iterator[Completion]:
        numbers = range(len(content["parts"])) if part is None else [part.number]
        return (one for number in numbers for one in content["parts"][number])

    monkeypatch.setattr(selection, "read", read)
    monkeypatch.setattr(selection, "deleted", lambda *_: set())
    monkeypatch.setattr(selection, "parts", lambda _: (selection.Part(n, 0, 0) for n in range(len(content["parts"]))))
    return content


def making(recipe: Recipe | None = None, test: list[Completion] | None = None) -> Making:
    used = UsedRecipe(source=ANY, **(recipe or Recipe()).model_dump())
    items = [one.row()["item"] for one in test or []]
    return Making("dataset_1", used, "default", "selection", lambda: iter(items), dict)


def outcome(asked: Making, context: Any = None) -> tuple[Any, ...]:
    """Everything that is written of a set."""
    with made.curated(asked, context or FakeContext(), Given({})) as curator:
        card = made.card_of(curator, asked.recipe, Given({}), id="dataset_1", created_at=1)
        return card, list(curator.rows()), [curator.line(example.row) for example in curator.examples]


@pytest.mark.parametrize(("steps", "held"), [([Duplicates()], 0), ([NearLeaks()], 2)])
def test_questions_of_test_rows_are_held_only_where_a_step_compares_them(
    monkeypatch: pytest.MonkeyPatch, stored: dict[str, Any], steps: list[Any], held: int
) -> None:
    questions = []
    one = made.TestQuestion

    def watched(*about: Any) -> Any:
        questions.append(one(*about))
        return questions[-1]

    monkeypatch.setattr(made, "TestQuestion", watched)
    stored["parts"] = [[completion(1, "mail 1")]]
    card, *_ = outcome(making(Recipe(steps=steps), [completion(number, f"mail {number}") for number in range(2)]))
    assert card.dropped["test_leaks"] == 1
    assert len(questions) == held


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


STEPS = [*default_steps(), Balance(by="answer", at_most=9, at_least=6, most_copies=3)]


@settings(max_examples=examples(20))
@given(seed=st.integers(0, 1 << 30), total=st.integers(2, 60), cuts=st.sets(st.integers(1, 59), min_size=1, max_size=4))
def test_part_by_part_it_is_the_same_set(seed: int, total: int, cuts: set[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        content = stored.__wrapped__(patch)  # type: ignore[attr-defined]
        completions = mails(random.Random(seed), total)
        places = [0, *sorted(cut for cut in cuts if cut < total), total]
        leaked = completion(1000, completions[0].messages[0]["content"] + " please")
        asked = making(Recipe(steps=STEPS, stratify_by="answer"), [leaked])
        content["parts"] = [completions]
        whole = outcome(asked)
        content["parts"] = [completions[a:b] for a, b in pairwise(places)]
        assert outcome(asked) == whole


def test_who_goes_on_does_nothing_twice(stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    completions = mails(random.Random(4), 50)
    stored["parts"] = [completions]
    whole = outcome(making())
    stored["parts"] = [completions[at : at + 10] for at in range(0, 50, 10)]
    work = []
    for name in ("read", "sign"):
        real = getattr(Parts, name)
        monkeypatch.setattr(
            Parts,
            name,
            lambda self, part, held, real=real, name=name: work.append((name, part)) or real(self, part, held),
        )
    again = 0
    found = None
    while found is None:
        with suppress(GoesOn):
            found = outcome(making(), Short())
        again += 1
    assert found == whole
    assert len(work) == len(set(work)) == 10
    assert again == 10, "one piece of work each time"
    parts.discard("dataset_1")
    assert list(blobs.keys("")) == []


def test_without_a_step_that_compares_no_signature_is_made(stored: dict[str, Any]) -> None:
    stored["parts"] = [[completion(1, "a")], [completion(2, "b")]]
    outcome(making(Recipe(steps=[Duplicates()])))
    assert not [key for key in blobs.keys("") if key.endswith("signatures")]
    outcome(making(Recipe(steps=[NearDuplicates()])))
    assert len([key for key in blobs.keys("") if key.endswith("signatures")]) == 2
