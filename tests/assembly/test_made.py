"""What is held of the test rows while a set is curated."""

from __future__ import annotations

from typing import Any

import pytest

from assembly import made
from completions.sources import StoredCompletions
from distillations.recipe import Duplicates, NearLeaks, UsedRecipe
from tests.assembly.curating import completion


@pytest.mark.parametrize(("steps", "held"), [([Duplicates()], 0), ([NearLeaks()], 2)])
def test_questions_of_test_rows_are_held_only_where_a_step_compares_them(
    monkeypatch: pytest.MonkeyPatch, steps: list[Any], held: int
) -> None:
    questions = []
    one = made.TestQuestion

    def watched(*about: Any) -> Any:
        questions.append(one(*about))
        return questions[-1]

    monkeypatch.setattr(made, "TestQuestion", watched)
    recipe = UsedRecipe(source=StoredCompletions(type="stored_completions"), steps=steps)
    test = [completion(number, f"mail {number}").row()["item"] for number in range(2)]
    with made.curated(recipe, [completion(1, "mail 1")], test, trainer="default", corrections={}) as curator:
        assert curator.dropped["test_leaks"] == 1
    assert len(questions) == held
