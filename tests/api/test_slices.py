"""The slices of one run through the API."""

from __future__ import annotations

from typing import Any

import pytest
from scipy import stats

from foundation import blobs
from stats import holm, newcombe_interval, wilson
from tests.api.rows import answered, create_eval, graded
from tests.flow.system import System


def sliced(system: System, answers: str, items: list[dict[str, Any]], query: str = "") -> dict[str, Any]:
    eval_id = create_eval(system)
    run = graded(system, eval_id, answered(answers, items))
    answer: dict[str, Any] = system.ok("GET", f"/v1/evals/{eval_id}/runs/{run}/slices{query}")
    return answer


def by_value(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {slice_["value"]: slice_ for slice_ in table["slices"]}


def test_a_slice_that_does_worse_than_the_rest_is_found(system: System) -> None:
    items = [{"metadata": {"topic": "login" if row < 40 else "mail" if row < 100 else "rare"}} for row in range(110)]
    table = sliced(system, "f" * 25 + "p" * 15 + "p" * 50 + "f" * 20, items, "?by=topic")
    assert (table["object"], table["rows"], table["passed"]) == ("eval.run.slices", 110, 65)
    login, mail = by_value(table)["login"], by_value(table)["mail"]
    assert (login["passed"], login["rows"], login["rest"]["passed"], login["rest"]["rows"]) == (15, 40, 50, 70)
    assert login["interval"] == list(wilson(15, 40))
    assert login["difference"] == pytest.approx(15 / 40 - 50 / 70)
    assert login["difference_interval"] == list(newcombe_interval(15, 40, 50, 70))
    assert login["p_value"] == pytest.approx(stats.fisher_exact([[15, 25], [50, 20]]).pvalue)
    assert [login["adjusted_p_value"], mail["adjusted_p_value"]] == holm([login["p_value"], mail["p_value"]])
    assert (login["finding"], mail["finding"]) == ("worse", "better")
    assert table["slices"][0] == login, "the worst comes first"
    (rare,) = table["left_out"]
    assert (rare["value"], rare["rows"], rare["reason"]) == ("rare", 10, "Fewer than 20 rows.")


def test_what_chance_explains_is_noise(system: System) -> None:
    items = [{"label": "ab"[row % 2]} for row in range(100)]
    table = sliced(system, "p" * 70 + "f" * 30, items, "?by=item.label")
    assert {slice_["finding"] for slice_ in table["slices"]} == {"noise"}


def test_without_keys_metadata_and_short_fields_are_looked_at(system: System) -> None:
    items = [{"metadata": {"topic": "ab"[row % 2]}, "label": "xy"[row % 2], "n": row} for row in range(60)]
    table = sliced(system, "pf" * 30, items)
    assert {slice_["key"] for slice_ in table["slices"]} == {"topic", "item.label"}
    assert {omission["key"] for omission in table["left_out"]} == {"item.n", "item.reference"}


def test_errored_rows_stand_apart(system: System) -> None:
    items = [{"label": "ab"[row % 2]} for row in range(60)]
    table = sliced(system, "p" * 50 + "e" * 10, items)
    assert (table["rows"], table["errored"]) == (50, 10)
    assert sum(slice_["rows"] for slice_ in table["slices"]) == 50


def test_slices_are_made_once_for_each_question(system: System) -> None:
    eval_id = create_eval(system)
    run = graded(system, eval_id, answered("pf" * 30, [{"label": "ab"[row % 2]} for row in range(60)]))
    url = f"/v1/evals/{eval_id}/runs/{run}/slices"
    first = system.ok("GET", f"{url}?by=item.label")
    assert system.ok("GET", f"{url}?by=item.label,") == first
    assert system.ok("GET", f"{url}?by=absent")["slices"] == []
    assert len(list(blobs.keys(f"runs/{run}/slices/"))) == 2


def test_a_run_of_another_eval_is_not_found(system: System) -> None:
    run = graded(system, create_eval(system), answered("p"))
    status, answer = system.call("GET", f"/v1/evals/{create_eval(system)}/runs/{run}/slices")
    assert (status, answer["error"]["param"]) == (404, "run_id")
