"""Loss curves from the events of a job, whatever a trainer put into them."""

from __future__ import annotations

from typing import Any

from dashboard.losses import loss_curves


def metrics(step: Any, **figures: Any) -> dict[str, Any]:
    return {"type": "metrics", "data": {"step": step, **figures}}


def test_losses_stand_in_the_order_of_their_steps_training_first() -> None:
    newest_first = [metrics(2, valid_loss=0.5), metrics(2, train_loss=0.25, accuracy=0.9), metrics(1, train_loss=1.0)]
    figure = loss_curves([{"type": "message", "message": "begins"}, *newest_first])
    assert figure
    assert figure.head == ["step", "train loss", "valid loss"]
    assert figure.rows == [["1", "1", ""], ["2", "0.25", "0.5"]]
    assert "train loss from 1 to 0.25" in figure.description


def test_a_long_training_keeps_its_ends_and_what_is_no_number_is_left_out() -> None:
    odd = [metrics("x", train_loss=1), metrics(5, train_loss="low"), metrics(6, train_loss=float("nan")), {"data": 3}]
    figure = loss_curves([*odd, *(metrics(step, train_loss=1 / step) for step in range(1, 5001))])
    assert figure
    assert len(figure.rows) == 120
    assert (figure.rows[0][0], figure.rows[-1][0]) == ("1", "5,000")
    assert loss_curves([*odd, {"type": "metrics", "data": None}]) is None
