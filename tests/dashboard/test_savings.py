"""What a distilled model saves in a month, and when nobody can say."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.savings import savings, traffic_of

STORED = {"type": "stored_completions"}


def distillation(test: dict[str, Any], train: dict[str, Any]) -> dict[str, Any]:
    return {"teacher": "big", "test": test, "train": train}


def test_the_traffic_is_what_test_and_training_have_in_common() -> None:
    made = distillation(
        {**STORED, "metadata": {"team": "mail", "split": "test"}},
        {**STORED, "metadata": {"team": "mail", "split": "train"}},
    )
    assert traffic_of(made, 10_000_000) == {
        "model": "big",
        "created_after": str(10_000_000 - 30 * 86_400),
        "group_by": "model",
        "metadata[team]": "mail",
    }
    assert traffic_of(distillation({"type": "file_id"}, {**STORED, "metadata": {}}), 0) is None


def test_savings_are_net_of_what_the_model_costs_while_idle() -> None:
    usage = {"data": [{"completions": 2000, "cost_usd": 40.0}]}
    deployed = {"data": [{"id": "other", "usd_per_month": 900.0}, {"id": "small-1", "usd_per_month": 12.0}]}
    saved = savings({"cost_ratio": {"distilled": 0.1}}, usage, deployed, "small-1")
    assert saved
    assert (saved.calls, saved.teacher_usd, saved.distilled_usd) == (2000, 40.0, 4.0)
    assert saved.usd == pytest.approx(24.0)
    free = savings({"cost_ratio": {"distilled": 0.1}}, usage, None, "small-1")
    assert free
    assert free.usd == pytest.approx(36.0)


@pytest.mark.parametrize(
    ("ratio", "usage", "idle"),
    [
        (None, {"data": [{"completions": 1, "cost_usd": 1.0}]}, 0.0),
        (0.5, {"data": []}, 0.0),
        (0.5, None, 0.0),
        (0.5, {"data": [{"completions": 1, "cost_usd": None}]}, 0.0),
        (0.5, {"data": [{"completions": 1, "cost_usd": 1.0}]}, None),
    ],
)
def test_without_a_price_or_calls_nobody_knows(ratio: float | None, usage: Any, idle: float | None) -> None:
    deployed = {"data": [{"id": "small-1", "usd_per_month": idle}]}
    assert savings({"cost_ratio": {"distilled": ratio}}, usage, deployed, "small-1") is None
