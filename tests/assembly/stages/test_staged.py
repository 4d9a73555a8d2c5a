"""A very large set that is decided stage by stage: the same one as a whole, wherever its workers were killed."""

from __future__ import annotations

import random
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.stages import shares
from assembly.stages.plan import is_staged, stages_of
from assembly.time_left import GoesOn
from distillations.grading_steps import Quality
from distillations.recipe import (
    Balance,
    Contradictions,
    Duplicates,
    NearDuplicates,
    NearLeaks,
    Recipe,
    default_steps,
)
from distillations.text_steps import Doubtful, Language
from tests.assembly.curating import completion
from tests.assembly.sets import WORDS, Killed, Short, Stored, mails, making, outcome
from tests.examples import examples

BALANCE = Balance(by="answer", at_most=9, at_least=6, most_copies=3)
RECIPES = [
    Recipe(steps=[*default_steps(), BALANCE], stratify_by="answer"),
    Recipe(steps=[NearDuplicates(keep="oldest"), Duplicates(), NearLeaks(), Contradictions(keep="none")]),
    Recipe(steps=[BALANCE, Language(), Contradictions(), Balance(by="answer", at_least=8)]),
    Recipe(steps=[]),
]


@settings(max_examples=examples(20))
@given(
    seed=st.integers(0, 1 << 30),
    total=st.integers(2, 60),
    cuts=st.sets(st.integers(1, 59), min_size=1, max_size=5),
    shard=st.integers(1, 3),
    recipe=st.sampled_from(RECIPES),
)
def test_stage_by_stage_it_is_the_same_set(seed: int, total: int, cuts: set[int], shard: int, recipe: Recipe) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stored, rng = Stored(patch), random.Random(seed)
        completions = mails(rng, total)
        asked = making(recipe, [completion(1000, completions[0].messages[0]["content"] + " please")])
        stored.parts = [completions]
        whole = outcome(stored, asked)
        places = [0, *sorted(cut for cut in cuts if cut < total), total]
        # Parts whose times overlap are as good as those that follow each other.
        rng.shuffle(completions)
        stored.parts = [completions[a:b] for a, b in pairwise(places)]
        stored.objects.clear()
        stored.staged(parts_a_shard=shard)
        assert outcome(stored, asked) == whole


def test_what_the_whole_set_speaks_against_is_found_share_by_share(stored: Stored) -> None:
    rng = random.Random(5)
    stored.parts = [[]]
    for number in range(160):
        words = WORDS[:30] if number % 2 else WORDS[30:]
        answer = "yes" if (number % 2) != (number % 20 == 0) else "no"
        stored.parts[0].append(completion(number, " ".join(rng.choices(words, k=12)), answer))
    recipe = Recipe(steps=[Doubtful()], keep=["chatcmpl-20"])
    whole = outcome(stored, making(recipe))
    assert {step.rule: step.dropped for step in whole[1].steps}["doubtful"] > 3
    stored.parts = [stored.parts[0][at::3] for at in range(3)]
    stored.objects.clear()
    stored.staged()
    assert outcome(stored, making(recipe)) == whole


def test_how_rare_a_language_is_the_whole_set_tells(stored: Stored) -> None:
    french = "Votre colis est arriv\u00e9 hier soir, et le voisin du dessous le garde pour vous"
    english = "Your parcel has arrived last night, and the neighbour below keeps it for you"
    stored.parts = [[]]
    for number in range(40):
        asked = f"Bonjour, pouvez-vous me dire o\u00f9 est mon colis num\u00e9ro {number}, s'il vous pla\u00eet ?"
        stored.parts[0].append(completion(number, asked, english if number in {7, 23} else french))
    recipe = Recipe(steps=[Language()])
    whole = outcome(stored, making(recipe))
    assert {step.rule: step.dropped for step in whole[1].steps}["language"] == 2
    stored.parts = [stored.parts[0][at::8] for at in range(8)]
    stored.objects.clear()
    stored.staged()
    assert outcome(stored, making(recipe)) == whole


def cut_in_three(stored: Stored, total: int = 30) -> None:
    completions = mails(random.Random(3), total)
    stored.parts = [completions[at::3] for at in range(3)]
    stored.staged()


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Stored:
    return Stored(monkeypatch)


@pytest.mark.parametrize("recipe", [RECIPES[0], *(pytest.param(one, marks=pytest.mark.soak) for one in RECIPES[1:])])
def test_killed_at_every_object_that_it_writes_it_is_the_same_set(stored: Stored, recipe: Recipe) -> None:
    cut_in_three(stored)
    whole = outcome(stored, making(recipe))
    everything = set(stored.objects)
    stored.objects.clear()
    stored.kills, found = set(), None
    while found is None:
        with suppress(Killed):
            found = outcome(stored, making(recipe))
    assert found == whole
    assert stored.kills == everything


def test_who_goes_on_does_nothing_twice(stored: Stored) -> None:
    cut_in_three(stored)
    whole = outcome(stored, making(RECIPES[0]))
    stored.objects.clear()
    stored.puts.clear()
    found, invocations = None, 0
    while found is None:
        invocations += 1
        with suppress(GoesOn):
            found = outcome(stored, making(RECIPES[0]), Short())
    assert found == whole
    assert len(stored.puts) == len(set(stored.puts))
    assert invocations > 40, "one task each time"


def test_what_is_deleted_before_the_end_begins_never_came(stored: Stored) -> None:
    cut_in_three(stored)
    gone = {one.id for one in stored.parts[1][:4]}
    stored.deleted = gone
    kept = outcome(stored, making())
    assert not any(f'"{name}"'.encode() in body for name in gone for body in kept[2].values())
    stored.objects.clear()
    stored.parts[1] = stored.parts[1][4:]
    assert outcome(stored, making()) == kept


def test_steps_that_look_at_the_same_share_are_one_stage() -> None:
    kinds = [(stage.kind, len(stage.steps)) for stage in stages_of(Recipe())]
    assert kinds == [("shard", 1), ("question", 3), ("near", 1), ("doubtful", 1)]
    steps = [Duplicates(), Language(), Contradictions(), BALANCE]
    assert [len(stage.steps) for stage in stages_of(Recipe(steps=steps))] == [1, 2, 1]


def test_a_step_that_has_rows_graded_is_not_taken_in_stages() -> None:
    assert is_staged(Recipe())
    assert not is_staged(Recipe(steps=[Quality(eval_id="eval_1"), Duplicates()]))


def test_lines_of_ordered_shares_are_read_piece_by_piece(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "_READ", 7)
    lines = [b"line %d" % number for number in range(20)]
    stored.put("key", shares.packed([b"first", b"".join(line + b"\n" for line in lines), b""]))
    assert list(shares.lines("key", 1, of=3)) == lines
    assert [shares.read("key", number, of=3) for number in (0, 2)] == [b"first", b""]
