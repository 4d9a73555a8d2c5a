"""The figures of a judge card, against counting by hand."""

from __future__ import annotations

import pytest

from evals.judge_cards import Labelled, figures, same_family, share
from stats import wilson


def rows(*letters: str) -> list[Labelled]:
    """A row a text: what people said, and after the space what the judge said; `p`, `f`, and `-` for not graded."""
    said = {"p": "pass", "f": "fail", "-": None}
    made = []
    for number, (people, judge) in enumerate(text.split() for text in letters):
        votes = ["pass" if vote == "p" else "fail" for vote in people]
        made.append(Labelled(f"item-{number}", votes, said[judge], judge == "p"))
    return made


PASSING = frozenset({"pass"})


def test_a_card_by_hand() -> None:
    card = figures(rows("p p", "p p", "p f", "f p", "f f", "f f", "p -", "pf p"), PASSING)
    assert (card["rows"], card["n"], card["ungraded"], card["undecided"]) == (8, 6, 1, 1)
    assert card["agreement"] == {"count": 4, "of": 6, "rate": 4 / 6, "interval": list(wilson(4, 6))}
    assert card["kappa"] == pytest.approx(1 / 3)
    assert card["base_rate"]["rate"] == 0.5
    assert card["constant_baseline"]["rate"] == 0.5
    assert card["false_pass"] == {**share(1, 3), "items": ["item-3"]}
    assert card["false_fail"] == {**share(1, 3), "items": ["item-2"]}
    assert {(one["human"], one["judge"]): one["rows"] for one in card["confusion"]} == {
        ("fail", "fail"): 2,
        ("fail", "pass"): 1,
        ("pass", "fail"): 1,
        ("pass", "pass"): 2,
    }
    assert card["position_consistency"] is None


def test_a_judge_that_always_passes_looks_good_by_agreement_alone() -> None:
    card = figures(rows(*["p p"] * 9, "f p"), PASSING)
    assert card["agreement"]["rate"] == card["constant_baseline"]["rate"] == 0.9
    assert card["constant_baseline"]["answer"] == "pass"
    assert card["kappa"] == 0
    assert card["false_pass"]["rate"] == 1


def test_labels_agree_as_labels_and_pass_as_passing_ones() -> None:
    made = [
        Labelled("1", ["A"], "A", True),
        Labelled("2", ["A"], "tie", False),
        Labelled("3", ["tie"], "B", False),
        Labelled("4", ["B"], "A", True),
    ]
    card = figures(made, frozenset({"A"}))
    assert card["agreement"]["count"] == 1
    assert (card["false_pass"]["items"], card["false_fail"]["items"]) == (["4"], ["2"])
    assert card["false_pass"]["of"] == 2


def test_several_people_are_a_majority_and_agree_among_themselves() -> None:
    card = figures(rows("ppf p", "ff f", "pf f", "p -"), PASSING)
    assert (card["n"], card["undecided"], card["ungraded"]) == (2, 1, 1)
    # Pairs: one of three, one of one, none of one; a single person makes none.
    assert card["human_agreement"] == {"count": 2, "of": 5, "rate": 0.4, "interval": None}
    assert figures(rows("p p"), PASSING)["human_agreement"] is None


def test_position_consistency_is_a_share_of_the_rows_asked_twice() -> None:
    made = [Labelled(str(n), ["pass"], "pass", True, consistent) for n, consistent in enumerate([True, True, False])]
    assert figures([*made, Labelled("4", ["pass"], "pass", True)], PASSING)["position_consistency"] == share(2, 3)


def test_no_rows_are_no_figures() -> None:
    card = figures(rows("p -", "pf p"), PASSING)
    assert card["n"] == 0
    assert card["kappa"] is card["kappa_interval"] is card["agreement"]["rate"] is card["base_rate"]["rate"] is None
    assert card["constant_baseline"]["answer"] is None


def test_many_mistakes_are_counted_and_some_of_them_named() -> None:
    found = figures(rows(*["f p"] * 500), PASSING)["false_pass"]
    assert (found["count"], len(found["items"])) == (500, 200)


@pytest.mark.parametrize(
    ("judge", "model", "family"),
    [
        ("gpt-4o", "gpt-4o-mini", "OpenAI"),
        ("openai/gpt-5", "ft:gpt-4o-mini-2024-07-18:acme:x:1", "OpenAI"),
        ("o3-mini", "chatgpt-4o-latest", "OpenAI"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-haiku", "Anthropic"),
        ("Meta-Llama-3-70B", "DeepSeek-R1-Distill-Llama-8B", "Meta"),
        ("gpt-4o", "claude-3-opus", None),
        ("gpt-4o", "foo3-mini", None),
        ("lab-judge", "lab-small", None),
        (None, "gpt-4o", None),
        ("gpt-4o", "", None),
    ],
)
def test_relatives_are_told_by_their_names(judge: str | None, model: str, family: str | None) -> None:
    found = same_family(judge, {model})
    assert (found and found["families"]) == ([family] if family else None)
    if found:
        assert found["models"] == [model]
        assert "by their names alone" in found["warning"]
