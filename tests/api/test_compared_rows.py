"""The rows of several runs beside each other: outcomes, filters, pages."""

from __future__ import annotations

from typing import Any

import pytest

from evals import row_index
from foundation import blobs
from tests.api.rows import CHECK, CLOSE, answered, create_eval, graded, started
from tests.flow.system import System
from tests.template.loading import functions, may

_BASE, _ONE, _TWO = "ppppfffe" + "p" * 200, "ppfpffpp" + "p" * 200, "pfpppffp" + "f" * 200
_TAGS: list[dict[str, Any]] = [
    {"metadata": {"team": "mail" if n % 2 else "chat"}, "queue": f"q{n}"} for n in range(208)
]


def _three(system: System) -> tuple[str, str]:
    eval_id = create_eval(system, CHECK, CLOSE)
    runs = [graded(system, eval_id, answered(letters, _TAGS)) for letters in (_BASE, _ONE, _TWO)]
    return f"/v1/evals/{eval_id}/compared_rows?runs={','.join(runs)}", eval_id


def test_rows_by_what_became_of_them(system: System) -> None:
    url, _ = _three(system)
    page = system.ok("GET", f"{url}&limit=100")
    assert page["counts"] == {"won": 2, "lost": 202, "all_right": 2, "all_wrong": 1, "errored": 1}
    outcomes = [row["outcome"] for row in page["data"][:8]]
    assert outcomes == ["all_right", "lost", "lost", "all_right", "won", "all_wrong", "won", "errored"]
    lost = system.ok("GET", f"{url}&outcome=lost&limit=1")["data"]
    (row,) = lost
    assert row["id"] == "1"
    assert row["tags"] == {"team": "mail", "item.queue": "q1", "item.reference": "right 1"}
    assert [item["sample"]["output"][0]["content"] for item in row["items"]] == ["right 1", "right 1", "wrong 1"]
    assert [item["status"] for item in row["items"]] == ["pass", "pass", "fail"]


def test_pages_follow_each_other_across_chunks(system: System) -> None:
    url, _ = _three(system)
    numbers: list[int] = []
    page = {"last_id": None, "has_more": True}
    while page["has_more"]:
        after = f"&after={page['last_id']}" if page["last_id"] else ""
        page = system.ok("GET", f"{url}&outcome=lost&limit=90{after}")
        numbers += [row["items"][0]["datasource_item_id"] for row in page["data"]]
    assert numbers == [1, 2, *range(8, 208)]
    assert system.ok("GET", f"{url}&after=none")["data"] == []


def test_a_filter_by_criterion_score_and_slice(system: System) -> None:
    url, eval_id = _three(system)
    criteria = {
        criterion["name"]: criterion["id"] for criterion in system.ok("GET", f"/v1/evals/{eval_id}")["testing_criteria"]
    }
    # A wrong answer is like the right one to a degree: no row fails both by this criterion.
    near = f"{url}&criterion={criteria['close']}&limit=1"
    assert system.ok("GET", near)["counts"]["lost"] == 0
    assert sum(system.ok("GET", f"{near}&min_score=0.99&max_score=1")["counts"].values()) == 207
    assert sum(system.ok("GET", f"{near}&max_score=0.99")["counts"].values()) == 205
    mail = system.ok("GET", f"{url}&slice[team]=mail&outcome=lost&limit=1")
    assert (mail["counts"]["lost"], mail["data"][0]["id"]) == (101, "1")
    assert sum(system.ok("GET", f"{url}&slice[item.queue]=q7")["counts"].values()) == 1


def test_what_the_api_keeps_of_runs_lies_where_its_policy_lets_it_write(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither moto nor an emulator holds a function to its policy: on AWS each of these pages would be a 500."""
    eval_id = create_eval(system)
    run, base = (graded(system, eval_id, answered(letters)) for letters in ("pf", "pp"))
    kept: list[str] = []
    own = blobs.put

    def put(key: str, body: bytes, **options: Any) -> None:
        kept.append(key)
        own(key, body, **options)

    monkeypatch.setattr(blobs, "put", put)
    path = f"/v1/evals/{eval_id}"
    system.ok("GET", f"{path}/compared_rows?runs={base}")
    system.ok("GET", f"{path}/runs/{run}/output_items?status=fail")
    system.ok("GET", f"{path}/runs/{run}/comparison?baseline={base}")
    system.ok("GET", f"{path}/runs/{run}/slices")
    assert len(kept) == 4
    assert [key for key in kept if not may(functions()["ApiFunction"], "s3:PutObject", key)] == []


def test_the_index_is_written_once_and_goes_with_its_run(system: System) -> None:
    eval_id = create_eval(system)
    run = graded(system, eval_id, answered("pf"))
    url = f"/v1/evals/{eval_id}/compared_rows?runs={run}"
    assert system.ok("GET", url)["counts"]["all_right"] == 1
    (key,) = blobs.keys(f"runs/{run}/row_index/")
    blobs.put(key, blobs.get(key).replace(b'"0"', b'"first"'))
    assert system.ok("GET", url)["first_id"] == "first"
    system.ok("DELETE", f"/v1/evals/{eval_id}/runs/{run}")
    assert not list(blobs.keys(f"runs/{run}/{row_index.__name__.rpartition('.')[2]}"))


def test_what_cannot_be_listed_is_refused_with_its_parameter(system: System) -> None:
    eval_id = create_eval(system)
    run = graded(system, eval_id, answered("pf"))
    still_open = started(system, eval_id, answered("p"))["id"]
    url = f"/v1/evals/{eval_id}/compared_rows"
    for query, status, param in (
        ("", 400, "runs"),
        (f"?runs={run},none", 404, "runs"),
        (f"?runs={run},{still_open}", 409, "runs"),
        (f"?runs={','.join(map(str, range(7)))}", 400, "runs"),
        (f"?runs={run}&outcome=odd", 400, "outcome"),
        (f"?runs={run}&min_score=1", 400, "criterion"),
        (f"?runs={run}&criterion=x&max_score=nan", 400, "max_score"),
        (f"?runs={run}&slices[a]=b", 400, "slices[a]"),
    ):
        answer = system.call("GET", url + query)
        assert (answer[0], answer[1]["error"]["param"]) == (status, param), query
