"""Rows that were erased from a run are gone by every way to its items, and the others are found as before."""

from __future__ import annotations

from typing import Any

import pytest

from evals.forget import forget_rows
from tests.api.rows import answered, create_eval, graded
from tests.flow.system import System

ROWS = "pfpffpfp"
GONE = 3


@pytest.fixture
def erased(system: System) -> tuple[str, list[dict[str, Any]]]:
    """The place of a run's items of which the fourth was erased, and the items of before."""
    eval_id = create_eval(system)
    named = [{"completion_id": f"chatcmpl-{number}"} for number in range(len(ROWS))]
    run_id = graded(system, eval_id, answered(ROWS, named))
    place = f"/v1/evals/{eval_id}/runs/{run_id}/output_items"
    items = system.ok("GET", place)["data"]
    system.ok("GET", f"{place}?status=fail")
    forget_rows(run_id, {f"chatcmpl-{GONE}"})
    return place, items


def test_an_erased_item_is_there_no_more(system: System, erased: tuple[str, list[dict[str, Any]]]) -> None:
    place, items = erased
    status, refusal = system.call("GET", f"{place}/{items[GONE]['id']}")
    assert (status, refusal["error"]["param"]) == (404, "output_item_id")
    assert system.ok("GET", f"{place}/{items[-1]['id']}") == items[-1]


@pytest.mark.parametrize("status", ["", "pass", "fail"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_list_goes_on_behind_any_item_erased_or_not(
    order: str, status: str, system: System, erased: tuple[str, list[dict[str, Any]]]
) -> None:
    place, items = erased
    ordered = items if order == "asc" else items[::-1]
    for number, after in enumerate(ordered):
        behind = [item for item in ordered[number + 1 :] if item != items[GONE] and status in {"", item["status"]}]
        query = f"?order={order}&after={after['id']}{f'&status={status}' if status else ''}"
        assert system.ok("GET", place + query)["data"] == behind
