"""Rows needed and power through the API."""

from __future__ import annotations

from typing import Any

import pytest

from stats import power_at, rows_needed
from tests.api.rows import answered, create_eval, graded, started
from tests.flow.system import System


def power(system: System, eval_id: str, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = system.ok("GET", f"/v1/evals/{eval_id}/power?{query}")
    return answer


def test_rows_for_a_difference_to_a_baseline(system: System) -> None:
    eval_id = create_eval(system)
    baseline = graded(system, eval_id, answered("p" * 70 + "f" * 30 + "e"))
    answer = power(system, eval_id, f"baseline={baseline}&difference=0.1")
    independent = 0.7 * 0.2 + 0.8 * 0.3
    assert (answer["object"], answer["baseline_pass_rate"], answer["discordance_is"]) == ("eval.power", 0.7, "assumed")
    assert answer["discordance"] == pytest.approx(independent)
    assert answer["rows_needed"] == rows_needed(0.1, answer["discordance"])
    assert (answer["rows"], answer["power"], answer["alpha"]) == (100, 0.8, 0.05)
    assert answer["power_at_rows"] == pytest.approx(power_at(100, 0.1, independent))
    smallest = answer["smallest_difference"]
    assert 0.8 <= power_at(100, smallest, 0.7 * (0.3 - smallest) + (0.7 + smallest) * 0.3) < 0.86


def test_rows_at_a_given_discordance_without_a_run(system: System) -> None:
    eval_id = create_eval(system)
    answer = power(system, eval_id, "difference=0.03&discordance=0.12&power=0.9&alpha=0.01")
    assert answer["rows_needed"] == rows_needed(0.03, 0.12, power=0.9, alpha=0.01)
    assert (answer["rows"], answer["power_at_rows"], answer["smallest_difference"]) == (None, None, None)
    assert answer["discordance_is"] == "given"
    at_rows = power(system, eval_id, "difference=0.03&discordance=0.12&rows=500")
    assert at_rows["power_at_rows"] == pytest.approx(power_at(500, 0.03, 0.12))


def test_the_smallest_difference_of_given_rows(system: System) -> None:
    answer = power(system, create_eval(system), "rows=1000&discordance=0.2")
    assert (answer["difference"], answer["rows_needed"], answer["power_at_rows"]) == (None, None, None)
    assert 0.8 <= power_at(1000, answer["smallest_difference"], 0.2) < 0.82


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("discordance=0.2", "difference"),
        ("difference=0.1", "baseline' or 'discordance"),
        ("difference=0.3&discordance=0.2", "difference"),
        ("difference=-0.1&discordance=0.2", "difference"),
        ("difference=0&discordance=0.2", "difference"),
        ("difference=much&discordance=0.2", "difference"),
        ("difference=nan&discordance=0.2", "difference"),
        ("difference=0.1&discordance=1", "discordance"),
        ("difference=0.1&discordance=0.2&power=1", "power"),
        ("difference=0.1&discordance=0.2&alpha=0", "alpha"),
        ("difference=0.1&discordance=0.2&rows=0", "rows"),
        ("difference=0.1&discordance=0.2&alpha=1e-17", "alpha"),
        ("difference=0.1&discordance=0.2&power=0.99999999999999999", "power"),
        ("difference=1e-200&discordance=.3", "difference"),
        ("difference=0.1&discordance=1e-200", "discordance"),
        ("difference=0.1&discordance=0.2&rows=" + "9" * 5_000, "rows"),
        ("discordance=1e-200&rows=100", "discordance"),
        ("difference=0.1&discordance=0.2&rows=1e3", "rows"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(system: System, query: str, param: str) -> None:
    status, answer = system.call("GET", f"/v1/evals/{create_eval(system)}/power?{query}")
    assert (status, answer["error"]["param"]) == (400, param)


def test_a_baseline_needs_a_pass_rate_and_room_above_it(system: System) -> None:
    eval_id = create_eval(system)
    open_run = started(system, eval_id, answered("pp"))["id"]
    status, answer = system.call("GET", f"/v1/evals/{eval_id}/power?baseline={open_run}&difference=0.1")
    assert (status, answer["error"]["code"]) == (409, "run_not_completed")
    high = graded(system, eval_id, answered("p" * 98 + "ff"))
    status, answer = system.call("GET", f"/v1/evals/{eval_id}/power?baseline={high}&difference=0.03")
    assert status == 400
    assert "98.0%" in answer["error"]["message"]
    perfect = graded(system, eval_id, answered("p" * 30))
    assert power(system, eval_id, f"baseline={perfect}&rows=50")["smallest_difference"] is None
    assert system.call("GET", f"/v1/evals/eval_none/power?baseline={high}")[0] == 404
