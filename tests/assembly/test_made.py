"""A training set that is curated as a whole, or part by part: the same one, whoever breaks off on the way."""

from __future__ import annotations

import random
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly import made, parts
from assembly.parts import Parts
from assembly.time_left import GoesOn
from distillations.recipe import Balance, Duplicates, NearDuplicates, NearLeaks, Recipe, default_steps
from foundation import blobs
from tests.assembly.curating import completion
from tests.assembly.sets import Short, Stored, mails, making, outcome
from tests.examples import examples


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Stored:
    return Stored(monkeypatch)


@pytest.mark.parametrize(("steps", "held"), [([Duplicates()], 0), ([NearLeaks()], 2)])
def test_questions_of_test_rows_are_held_only_where_a_step_compares_them(
    monkeypatch: pytest.MonkeyPatch, stored: Stored, steps: list[Any], held: int
) -> None:
    questions = []
    one = made.TestQuestion

    def watched(*about: Any) -> Any:
        questions.append(one(*about))
        return questions[-1]

    monkeypatch.setattr(made, "TestQuestion", watched)
    stored.parts = [[completion(1, "mail 1")]]
    _, report, _ = outcome(stored, making(Recipe(steps=steps), [completion(n, f"mail {n}") for n in range(2)]))
    assert {step.rule: step.dropped for step in report.steps}["test_leaks"] == 1
    assert len(questions) == held


STEPS = [*default_steps(), Balance(by="answer", at_most=9, at_least=6, most_copies=3)]


@settings(max_examples=examples(20))
@given(seed=st.integers(0, 1 << 30), total=st.integers(2, 60), cuts=st.sets(st.integers(1, 59), min_size=1, max_size=4))
def test_part_by_part_it_is_the_same_set(seed: int, total: int, cuts: set[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stored = Stored(patch)
        completions = mails(random.Random(seed), total)
        places = [0, *sorted(cut for cut in cuts if cut < total), total]
        leaked = completion(1000, completions[0].messages[0]["content"] + " please")
        asked = making(Recipe(steps=STEPS, stratify_by="answer"), [leaked])
        stored.parts = [completions]
        whole = outcome(stored, asked)
        stored.parts = [completions[a:b] for a, b in pairwise(places)]
        assert outcome(stored, asked) == whole


def test_who_goes_on_does_nothing_twice(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    completions = mails(random.Random(4), 50)
    stored.parts = [completions]
    whole = outcome(stored, making())
    stored.parts = [completions[at : at + 10] for at in range(0, 50, 10)]
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
            found = outcome(stored, making(), Short())
        again += 1
    assert found == whole
    assert len(work) == len(set(work)) == 10
    assert again == 10, "one piece of work each time"
    monkeypatch.setattr(parts.Dataset, "find", lambda _: "there is one")
    parts.discard("dataset_1")
    assert not [key for key in blobs.keys("") if "/work/" in key]


def test_without_a_step_that_compares_no_signature_is_made(stored: Stored) -> None:
    stored.parts = [[completion(1, "a")], [completion(2, "b")]]
    outcome(stored, making(Recipe(steps=[Duplicates()])))
    assert not [key for key in blobs.keys("") if key.endswith("signatures")]
    outcome(stored, making(Recipe(steps=[NearDuplicates()])))
    assert len([key for key in blobs.keys("") if key.endswith("signatures")]) == 2
