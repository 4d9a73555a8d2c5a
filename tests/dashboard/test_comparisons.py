"""Runs beside each other: the matrix, the rows with every answer, filters in the address, a bounded page."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard import stillhouse_api
from tests.api.rows import CHECK, CLOSE, answered, create_eval, graded
from tests.dashboard.browser import Browser, query
from tests.flow.system import System

_TAGS: list[dict[str, Any]] = [{"metadata": {"team": "mail" if number % 2 else "chat"}} for number in range(60)]
_ANSWERS = ("p" * 30 + "f" * 30, "p" * 20 + "f" * 5 + "p" * 25 + "f" * 10, "f" * 60)


@pytest.fixture
def compared(system: System) -> tuple[str, list[str]]:
    eval_id = create_eval(system, CHECK, CLOSE)
    return f"/evals/{eval_id}/compare", [graded(system, eval_id, answered(letters, _TAGS)) for letters in _ANSWERS]


def test_all_answers_and_figures_stand_in_one_table(browser: Browser, compared: tuple[str, list[str]]) -> None:
    path, (base, other, third) = compared
    page = browser.page(f"{path}?baseline={base}&run={other}&runs[{third}]=on")
    # The whole: 30 of 60, then 45 of 60, won 20 and lost 5.
    assert "All criteria 50.0%" in page.text
    assert "75.0% +25.0" in page.text
    assert "won 20, lost 5 of 60 rows" in page.text
    assert "won 0, lost 30 of 60 rows" in page.text
    assert "Cost of 1,000 calls no price no price no price" in page.text
    assert "all 60 won 20 lost 30 all wrong 10 all right 0 not graded 0" in page.text
    assert "right 0 right 0 pass correct pass close by fuzzy_match right 0" in page.text
    assert "wrong 0 fail correct pass close 0." in page.text
    won = browser.page(next(link for link in page.links if "outcome=won" in link))
    assert "wrong 30 fail correct" in won.text
    assert "wrong 0 fail" not in won.text
    following = browser.page(next(link for link in won.links if "after=" in link))
    assert query(following.path)["outcome"] == "won"
    assert "wrong 40 fail correct" in following.text


def test_the_filter_of_rows_stands_in_the_address(browser: Browser, compared: tuple[str, list[str]]) -> None:
    path, (base, other, _) = compared
    here = f"{path}?baseline={base}&run={other}"
    page = browser.page(f"{here}&tags=team%3Dmail&outcome=lost")
    assert ("team=mail" in page.text, "lost 2 " in page.text, "team=chat" in page.text) == (True, True, False)
    sliced = browser.page(next(link for link in browser.page(here).links if "slice%5Bteam%5D=chat" in link))
    assert "team = chat" in sliced.text
    assert "all 30 " in sliced.text
    without = next(link for link in sliced.links if "slice%5Bteam%5D=&" in f"{link.replace('#', '&')}")
    assert "all 60 " in browser.page(without).text
    criterion = next(value for value in page.body.split('<option value="') if value.startswith("close-")).partition(
        '"'
    )[0]
    near = browser.page(f"{here}&criterion={criterion}&max_score=0.99")
    assert "all 35 won 0 lost 0" in near.text
    for odd, word in (("min_score=1", "criterion"), ("outcome=odd", "outcome"), ("tags=x", "tags")):
        refused = browser.get(f"{here}&{odd}")
        assert (refused.status, word in refused.text) == (400, True), odd


def test_runs_are_chosen_where_none_is_named(browser: Browser, compared: tuple[str, list[str]]) -> None:
    path, runs = compared
    page = browser.page(path)
    assert all(f'name="runs[{run}]"' in page.body for run in runs)
    alone = browser.page(f"{path}?baseline={runs[0]}")
    assert "all right 30" in alone.text
    assert browser.get(f"{path}?baseline={runs[0]}&run=none").status == 404
    assert browser.get(f"{path}?" + "&".join(f"runs[{number}]=on" for number in range(7))).status == 400


def test_a_page_asks_the_api_a_bounded_number_of_times(
    browser: Browser, compared: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, runs = compared
    asked: list[str] = []
    sent = stillhouse_api._sent
    monkeypatch.setattr(
        stillhouse_api, "_sent", lambda method, url, **rest: asked.append(url) or sent(method, url, **rest)
    )
    browser.page(f"{path}?baseline={runs[0]}&" + "&".join(f"runs[{run}]=on" for run in runs))
    assert len(asked) == 2 + 1 + len(runs) + len(runs) - 1
