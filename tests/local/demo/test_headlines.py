from __future__ import annotations

from distillations.answer_steps import Truncated
from distillations.recipe import Contradictions, Duplicates, Recipe
from local.demo.headlines import headlines
from tests.assembly.curating import completion
from tests.assembly.reporting import reported

RECIPE = Recipe(steps=[Truncated(), Contradictions(), Duplicates()], validation_share=0)


def test_five_lines_say_what_trains_what_was_kept_out_and_what_to_look_at():
    rows = [completion(number, f"mail {number:02}", ["yes", "no"][number % 2]) for number in range(40)]
    twice = completion(100, "mail 03", "no")
    contradicted = completion(101, "mail 04", "no")
    cut = completion(102, "a long one", choice={"finish_reason": "length"})
    lines = headlines(reported([*rows, twice, contradicted, cut], RECIPE, production=rows, test=rows[:2]))
    assert lines == [
        "38 of 43 completions: 38 train, 0 validate",
        "kept out: leaks of test rows 2; doubled 1; contradicted by other rows 1; answers that teach nothing good 1",
        "beside recent traffic: none of 2 fields differs by more than chance; over time: none",
        "the task: narrow and precise. A good fit that asks for more",
        "look at: 2 of 43 completions are, or nearly are, rows of the test: they were kept out. (2 more in the report)",
    ]


def test_a_set_of_nothing_says_so():
    lines = headlines(reported([]))
    assert lines[0].startswith("0 of 0 ")
    assert lines[2:] == [
        "beside recent traffic: there is none; over time: too few rows to say",
        "the task: nothing trains",
        "look at: nothing",
    ]
