"""A round begins only where the budget has room: it is passed by one round at most."""

from __future__ import annotations

import pytest

from completions.completion import Completion
from evals.eval import Eval
from foundation.ids import now
from graders.string_check import StringCheck
from providers.spending import CostSettings, book
from rolling_out import budget
from rolling_out.part import parts_of
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound, Tally
from tests.rolling_out.calls import CREATED, begun, call

pytestmark = pytest.mark.usefixtures("system")
USD = 1_000_000_000


def round_(rollout: Rollout, name: str, expected: int, spent: int | None = None) -> None:
    """A round that was expected to pay this, and has paid that if it has ended."""
    made = RolloutRound(
        id=name, rollout_id=rollout.id, key=name, window=1, stage=0, begun_at=1, expected_nanodollars=expected
    ).begin()
    if spent is not None:
        made.record(Tally(spent_nanodollars=spent))


def test_rounds_go_side_by_side_while_twice_what_they_may_cost_fits() -> None:
    rollout = begun(max_usd=5.0)
    round_(rollout, "ended", 9 * USD, spent=USD)
    assert budget.room_of(rollout).takes(2 * USD)
    round_(rollout, "open", USD)
    assert budget.room_of(rollout).takes(USD)
    assert not budget.room_of(rollout).takes(USD + 1)


def test_near_its_end_rounds_go_one_at_a_time_until_it_is_spent() -> None:
    rollout = begun(max_usd=5.0)
    round_(rollout, "ended", USD, spent=4 * USD)
    assert budget.room_of(rollout).takes(3 * USD)
    round_(rollout, "open", 3 * USD)
    assert not budget.room_of(rollout).takes(1)
    RolloutRound.find(rollout.id, "open").record(Tally(spent_nanodollars=USD))  # type: ignore[union-attr]
    assert not budget.room_of(rollout).takes(0)


def test_no_round_begins_where_the_month_s_cap_is_reached() -> None:
    rollout = begun()
    CostSettings(id="costs", created_at=1, monthly_cap_usd=1.0).create()
    assert budget.room_of(rollout).takes(1)
    book("eval", "evalrun_1", now(), USD)
    assert not budget.room_of(rollout).takes(1)


def test_a_round_costs_its_second_answers_and_both_sides_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.prices._price", lambda _: {"input": "1", "output": "1"})
    rollout = begun()
    calls = [Completion.of(call(number), at=CREATED) for number in range(3)]
    parts = parts_of(rollout, calls)
    eval_ = Eval.load(rollout.online_eval_id)
    assert isinstance(eval_.testing_criteria[0], StringCheck)
    # 20 tokens asked and one answered, a thousand nano-dollars each.
    assert budget.expected(parts, eval_) == 3 * 21 * 1000
    judge = {
        "type": "score_model",
        "name": "judge",
        "id": "judge",
        "model": "lab-judge",
        "input": [{"role": "user", "content": "Rate: {{ sample.output_text }}"}],
        "pass_threshold": 1,
    }
    eval_.change({"testing_criteria": [judge]})
    with_judge = budget.expected(parts, Eval.load(eval_.id))
    assert with_judge > 3 * 21 * 1000 + 2 * 3 * 500 * 1000
