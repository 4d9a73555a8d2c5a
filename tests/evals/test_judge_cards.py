"""The figures of a judge card, against counting by hand."""

from __future__ import annotations

import pytest

from evals.judge_cards import ConfusionCell, JudgeCard, JudgedRow, Mistakes, judge_card, same_family, share
from providers.usage import ModelUsage
from stats import wilson


def rows(*letters: str) -> list[JudgedRow]:
    """A row a text: what people said, and after the space what the judge said; `p`, `f`, and `-` for not graded."""
    answers = {"p": "pass", "f": "fail", "-": None}
    made = []
    for number, (people, judge) in enumerate(text.split() for text in letters):
        votes = ["pass" if vote == "p" else "fail" for vote in people]
        made.append(JudgedRow(f"item-{number}", votes, answers[judge], judge == "p"))
    return made


PASSING = frozenset({"pass"})


def test_a_card_by_hand() -> None:
    card = judge_card(rows("p p", "p p", "p f", "f p", "f f", "f f", "p -", "pf p"), PASSING)
    assert (card.rows, card.n, card.ungraded, card.undecided) == (8, 6, 1, 1)
    assert card.agreement.model_dump(mode="json") == {
        "count": 4,
        "of": 6,
        "rate": 4 / 6,
        "interval": list(wilson(4, 6)),
    }
    assert card.kappa == pytest.approx(1 / 3)
    assert card.base_rate.rate == 0.5
    assert card.constant_baseline.rate == 0.5
    assert card.false_pass == Mistakes(**dict(share(1, 3)), items=["item-3"])
    assert card.false_fail == Mistakes(**dict(share(1, 3)), items=["item-2"])
    assert card.confusion == [
        ConfusionCell(human="fail", judge="fail", rows=2),
        ConfusionCell(human="fail", judge="pass", rows=1),
        ConfusionCell(human="pass", judge="fail", rows=1),
        ConfusionCell(human="pass", judge="pass", rows=2),
    ]
    assert card.position_consistency is None


def test_a_judge_that_always_passes_looks_good_by_agreement_alone() -> None:
    card = judge_card(rows(*["p p"] * 9, "f p"), PASSING)
    assert card.agreement.rate == card.constant_baseline.rate == 0.9
    assert card.constant_baseline.answer == "pass"
    assert card.kappa == 0
    assert card.false_pass.rate == 1


def test_labels_agree_as_labels_and_pass_as_passing_ones() -> None:
    made = [
        JudgedRow("1", ["A"], "A", True),
        JudgedRow("2", ["A"], "tie", False),
        JudgedRow("3", ["tie"], "B", False),
        JudgedRow("4", ["B"], "A", True),
    ]
    card = judge_card(made, frozenset({"A"}))
    assert card.agreement.count == 1
    assert (card.false_pass.items, card.false_fail.items) == (["4"], ["2"])
    assert card.false_pass.of == 2


def test_several_people_are_a_majority_and_agree_among_themselves() -> None:
    card = judge_card(rows("ppf p", "ff f", "pf f", "p -"), PASSING)
    assert (card.n, card.undecided, card.ungraded) == (2, 1, 1)
    # Pairs: one of three, one of one, none of one; a single person makes none.
    assert card.human_agreement == share(2, 5).model_copy(update={"interval": None})
    assert judge_card(rows("p p"), PASSING).human_agreement is None


def test_position_consistency_is_a_share_of_the_rows_asked_twice() -> None:
    made = [JudgedRow(str(n), ["pass"], "pass", True, consistent) for n, consistent in enumerate([True, True, False])]
    assert judge_card([*made, JudgedRow("4", ["pass"], "pass", True)], PASSING).position_consistency == share(2, 3)


def test_no_rows_are_no_judge_card() -> None:
    card = judge_card(rows("p -", "pf p"), PASSING)
    assert card.n == 0
    assert card.kappa is card.kappa_interval is card.agreement.rate is card.base_rate.rate is None
    assert card.constant_baseline.answer is None


def test_many_mistakes_are_counted_and_some_of_them_named() -> None:
    mistakes = judge_card(rows(*["f p"] * 500), PASSING).false_pass
    assert (mistakes.count, len(mistakes.items)) == (500, 200)


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
    warning = same_family(judge, {model})
    assert (warning and warning.families) == ([family] if family else None)
    if warning:
        assert warning.models == [model]
        assert "by their names alone" in warning.warning


def test_a_card_says_what_it_has_cost_and_warns_of_relatives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.prices.price_list", lambda: {"batch_share": "0.5", "models": {}})
    monkeypatch.setattr("providers.prices.saved_providers", list)
    row = JudgedRow("1", ["pass"], "pass", True, model="gpt-4o-mini")
    usage = [ModelUsage(model_name="no-price", invocation_count=1)]
    card = judge_card([row], PASSING, judge="gpt-4o", usage=usage)
    assert card.same_family is not None
    assert (card.same_family.models, card.per_model_usage, card.cost_usd) == (["gpt-4o-mini"], usage, None)
    assert judge_card([row], PASSING).cost_usd == 0


def test_a_card_is_the_same_after_it_was_stored() -> None:
    card = judge_card(rows("p p", "f p", "pf f"), PASSING, judge="gpt-4o")
    assert JudgeCard.model_validate_json(card.model_dump_json()) == card
