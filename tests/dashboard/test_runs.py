"""A run that is open says how far it is, what it has cost and when it ends; one that has ended what it showed."""

from __future__ import annotations

import pytest

from tests.api.rows import answered, create_eval, graded, started
from tests.dashboard.browser import Browser
from tests.flow import loop
from tests.flow.system import System


def test_an_open_run_is_looked_at_again_and_an_ended_one_is_not(system: System, browser: Browser) -> None:
    eval_id = create_eval(system)
    run = started(system, eval_id, answered("ppf"))["id"]
    for path, live in ((f"/evals/{eval_id}/runs/{run}", "progress"), (f"/evals/{eval_id}", "runs")):
        page = browser.page(path)
        assert '<meta name="poll" content="3"><noscript><meta http-equiv="refresh" content="3"></noscript>' in page.body
        assert f'id="{live}" data-live' in page.body
    assert "0 of 3 rows" in browser.page(f"/evals/{eval_id}/runs/{run}").text
    system.settle()
    ended = browser.page(f"/evals/{eval_id}/runs/{run}")
    assert ('name="poll"' in ended.body, "This run cost $0.00" in ended.text) == (False, True)


def test_what_a_further_run_could_show_is_said_before_it_is_paid(system: System, browser: Browser) -> None:
    loop.capture(system, "power", train=5, test=0)
    eval_id = create_eval(system)
    assert "show differences" not in browser.page(f"/evals/{eval_id}").text
    graded(system, eval_id, answered("p" * 60 + "f" * 40))
    page = browser.page(f"/evals/{eval_id}")
    assert "100, show differences of" in page.text
    assert "A difference of 5 points takes about" in page.text
    several = {"name": "again", "tags": "tag=power", "sampled_model": f"{loop.STUDENT}, nobody"}
    refused = browser.post(f"/evals/{eval_id}/runs", several)
    assert (refused.status, 'value="lab-small, nobody"' in refused.body) == (404, True)
    assert len(system.ok("GET", f"/v1/evals/{eval_id}/runs")["data"]) == 1
    odd = browser.post(f"/evals/{eval_id}/runs", {**several, "sampled_model": "\u043c\u043e\u0434\u0435\u043b\u044c"})
    assert (odd.status, "sampled_model" in odd.body) == (404, True)
    many = browser.post(f"/evals/{eval_id}/runs", {**several, "sampled_model": "a, b, c, d, e, f"})
    assert (many.status, "Name at most 5 models" in many.text, 'value="a, b, c, d, e, f"' in many.body) == (
        400,
        True,
        True,
    )
    several["sampled_model"] = f"{loop.STUDENT}, lab-judge"
    began = browser.post(f"/evals/{eval_id}/runs", several)
    assert began.path == f"/evals/{eval_id}", began.text[-2500:]
    models = [run["model"] for run in system.ok("GET", f"/v1/evals/{eval_id}/runs")["data"]]
    assert models[-2:] == [loop.STUDENT, "lab-judge"]


@pytest.mark.parametrize("letters", ["p" * 30, "f" * 3])
def test_an_eval_whose_runs_leave_no_room_for_a_difference_has_a_page(
    system: System, browser: Browser, letters: str
) -> None:
    eval_id = create_eval(system)
    graded(system, eval_id, answered(letters))
    assert "Run it on completions" in browser.page(f"/evals/{eval_id}").text
