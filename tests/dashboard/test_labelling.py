"""Rows are labelled one after the other, the labels stand in the address, and a judge card comes of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.rows import CHECK, answered, create_eval, graded
from tests.dashboard.browser import Browser, query
from tests.flow.system import System
from tests.grading.build import JUDGE

SCRIPT = "<script>alert(1)</script> \u202eturned"


@pytest.fixture
def judged(system: System) -> tuple[str, str]:
    """The path of a run whose judge is right on each row, and the judge's id."""
    eval_id = create_eval(system, CHECK, JUDGE)
    run = graded(system, eval_id, answered("ppff"))
    criteria = system.ok("GET", f"/v1/evals/{eval_id}")["testing_criteria"]
    return f"/evals/{eval_id}/runs/{run}", criteria[1]["id"]


def _press(browser: Browser, page: Any, key: str) -> Any:
    """Follow the link that this key presses."""
    before, _, _ = page.body.partition(f'data-key="{key}"')
    assert before != page.body, key
    link = page.body[len(before) :].partition('href="')[2].partition('"')[0]
    return browser.page(link.replace("&amp;", "&"))


def test_labels_stand_in_the_address_and_make_a_judge_card(browser: Browser, judged: tuple[str, str]) -> None:
    path, criterion = judged
    assert any(link.startswith(f"{path}/label") for link in browser.page(path).links)
    page = browser.page(f"{path}/label?criterion={criterion}")
    assert "right 0" in page.text
    assert "answered correct" not in page.text
    for key, labels in (("p", "0p"), ("f", "0p.1f"), ("n", "0p.1f"), ("f", "0p.1f.3f")):
        page = _press(browser, page, key)
        assert query(page.path)["labels"] == labels
    assert "There is no further row" in page.text
    assert "3 labelled: 1 pass, 2 fail" in page.text
    card = browser.post(f"{path}/label", {"labels": "0p.1f.3f", "criterion": criterion})
    assert card.status == 200, card.text
    assert "agrees with people on 66.7% of 3 rows" in card.text
    assert "It passed what people failed" in card.text
    assert "right 1" in card.text
    assert "Agrees with people on 66.7%" in browser.page(path.partition("/runs/")[0]).text


def test_a_row_is_labelled_once_and_odd_labels_are_refused(browser: Browser, judged: tuple[str, str]) -> None:
    path, criterion = judged
    assert "1 labelled: 0 pass, 1 fail" in browser.page(f"{path}/label?labels=0p.0f").text
    again = _press(browser, browser.page(f"{path}/label?labels=0p.1p"), "f")
    assert query(again.path)["labels"] == "1p.0f"
    assert "wrong 2" in browser.page(f"{path}/label?status=fail").text
    for odd in ("labels=x", "labels=0q", f"labels={'.'.join(f'{n}p' for n in range(500))}"):
        assert browser.get(f"{path}/label?{odd}").status == 400, odd
    assert browser.get(f"{path}/label?criterion=none").status == 404
    browser.page(f"{path}/label")
    assert browser.post(f"{path}/label", {"labels": "", "criterion": criterion}).status == 400
    assert browser.post(f"{path}/label", {"labels": "99p", "criterion": criterion}).status == 400
    assert browser.get(f"{path.partition('/runs/')[0]}/calibrations/none").status == 404


def test_what_is_labelled_is_text(system: System, browser: Browser) -> None:
    eval_id = create_eval(system, {**JUDGE, "name": SCRIPT}, CHECK)
    item = {"reference": SCRIPT, "input": [{"role": "user", "content": SCRIPT}]}
    run = graded(system, eval_id, [{"item": item, "sample": {"output_text": SCRIPT}}])
    path = f"/evals/{eval_id}/runs/{run}"
    browser.page(f"{path}/label")
    criterion = system.ok("GET", f"/v1/evals/{eval_id}")["testing_criteria"][0]["id"]
    card = browser.post(f"{path}/label", {"labels": "0f", "criterion": criterion})
    for page in (browser.page(f"{path}/label"), card, browser.page(f"/evals/{eval_id}")):
        assert page.status == 200
        assert "<script>alert" not in page.body
        assert "\u202e" not in page.body
