"""The form that starts a distillation can be pressed as it is, and says what it takes."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from dashboard.pages.new_distillation import _body, _dollars, _estimate, _small, _split
from dashboard.visit import Visit
from foundation.errors import ApiError
from tests.dashboard.browser import Answer, Browser
from tests.flow import loop
from tests.flow.system import System


def fields_of(page: Answer) -> dict[str, str]:
    """The form's fields as a browser would send them."""
    form = page.body.partition('action="/distillations/new"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', form))
    chosen = re.findall(r'<option value="([^"]+)"( selected)?>', form.partition("</select>")[0])
    fields["eval_id"] = next((value for value, selected in chosen if selected), chosen[0][0] if chosen else "")
    return {name: unescape(value) for name, value in fields.items() if name not in {"csrf", "nonce", "page"}}


def test_the_form_is_pressed_as_it_is_and_its_estimate_stands_beside_the_button(
    system: System, browser: Browser
) -> None:
    loop.capture(system, "formed")
    before = loop.completed(system, loop.distill(system, "formed")["id"])
    page = browser.page("/distillations/new?tags=tag%3Dformed")
    fields = fields_of(page)
    assert (fields["teacher"], fields["student"]) == (loop.TEACHER, loop.STUDENT)
    assert (fields["train_tags"], fields["test_tags"]) == ("split=train", "split=test")
    # The test's own models have no price; how long it takes is known from the first training.
    assert "No price is known, less than a minute to train lab-small on 30 completions" in page.text, page.text
    made = browser.post("/distillations/new", fields)
    assert made.path.startswith("/distillations/distill_")
    shown = system.ok("GET", f"/v1{made.path}")
    assert (shown["teacher"], shown["student"], shown["eval_id"]) == (loop.TEACHER, loop.STUDENT, fields["eval_id"])
    assert shown["test"]["metadata"] == before["test"]["metadata"]
    # Estimated again for another student, nothing is made, and what was typed stays.
    again = browser.post("/distillations/new", {**fields, "student": "nobody-has-it", "name": "mine", "do": "estimate"})
    assert "No price is known" in again.text
    assert (fields_of(again)["student"], fields_of(again)["name"]) == ("nobody-has-it", "mine")


def test_a_distillation_is_begun_again_from_another_one_or_from_a_dataset(system: System, browser: Browser) -> None:
    loop.capture(system, "again")
    twice = loop.record(3, split="train", tag="again")
    twice["response"]["id"] = "chatcmpl-again-twice"
    system.ok("POST", "/v1/captures", json.dumps(twice).encode())
    system.settle()
    first = loop.completed(system, loop.distill(system, "again")["id"])
    fields = fields_of(browser.page(f"/distillations/new?repeat={first['id']}"))
    assert fields["name"] == first["name"]
    assert fields["eval_id"] == first["eval_id"]
    assert (fields["train_tags"], fields["test_tags"]) == ("split=train", "split=test")
    assert fields["tags"] == "tag=again"
    # Where other completions are named, as by a drift, the tags of before are not theirs.
    other = fields_of(browser.page(f"/distillations/new?repeat={first['id']}&tags=split%3Dtrain"))
    assert (other["eval_id"], other["student"], other["tags"]) == (fields["eval_id"], fields["student"], "split=train")
    assert (other["train_tags"], other["test_tags"]) == ("", "")
    # A row that a rule dropped is kept: the dataset is made anew, and the form trains on it.
    page = browser.page(f"/datasets/{first['dataset_id']}?rule=duplicates")
    kept = re.findall(r'name="(keep:[^"]+)"', page.body)
    assert kept
    anew = browser.post(f"/datasets/{first['dataset_id']}/keep", {kept[0]: "on"})
    system.settle()
    dataset = system.ok("GET", f"/v1{anew.path}")
    assert dataset["id"] != first["dataset_id"]
    assert dataset["recipe"]["keep"] == [kept[0].removeprefix("keep:")]
    assert dataset["held_out"]["metadata"] == first["test"]["metadata"]
    page = browser.page(f"/distillations/new?dataset={dataset['id']}")
    assert "is measured on the rows that it was kept clear of" in page.text
    made = browser.post("/distillations/new", fields_of(page))
    assert made.status == 200, made.text
    shown = system.ok("GET", f"/v1{made.path}")
    assert shown["train"] == {"type": "dataset", "id": dataset["id"]}
    assert shown["test"]["metadata"] == first["test"]["metadata"]
    row = browser.page(f"/datasets/{first['dataset_id']}/rows/{kept[0].removeprefix('keep:')}")
    assert "The same question trains with the same answer" in row.text
    assert "Keep this row" in row.text


def test_defaults_are_guessed_from_names_and_tags() -> None:
    models = ["gpt-5", "ft:small:x", "gpt-5-mini", "llama-8b"]
    assert _small(models, "gpt-5") == "gpt-5-mini"
    assert _small(["gpt-5", "gemini-2-pro"], "gpt-5") == ""
    assert _split([{"part": "test"}, {"part": "train", "x": "1"}]) == ("part=train", "part=test")
    assert _split([{"part": "test"}, {}]) == ("", "")


def test_what_is_typed_is_what_is_asked_for() -> None:
    typed = {
        "name": "mail",
        "eval_id": "eval_1",
        "teacher": "large",
        "student": "small, tiny",
        "tags": "team=mail",
        "test_tags": "split=test",
        "train_tags": "split=train",
        "test_limit": "50",
        "max_cost_usd": "0.01",
        "budget_usd": "2.5",
        "trainer": "fireworks",
        "contenders": "cheap, cheaper",
    }
    filtered = {"type": "stored_completions", "max_cost_usd": 0.01}
    assert _body(typed, None) == {
        "name": "mail",
        "eval_id": "eval_1",
        "teacher": "large",
        "student": ["small", "tiny"],
        "test": {**filtered, "metadata": {"team": "mail", "split": "test"}, "limit": 50},
        "train": {**filtered, "metadata": {"team": "mail", "split": "train"}},
        "gate": {"max_cost_usd": 2.5},
        "trainer": "fireworks",
        "contenders": ["cheap", "cheaper"],
    }
    of_dataset = _body({**typed, "test_tags": "", "test_limit": "", "dataset": "dataset_1"}, {"id": "x", "limit": None})
    assert (of_dataset["train"], of_dataset["test"]) == ({"type": "dataset", "id": "dataset_1"}, {"id": "x"})


@pytest.mark.parametrize("typed", ["nan", "inf", "-inf", "1e999", "ten", " "])
def test_a_budget_that_is_no_amount_is_refused_and_never_becomes_no_budget(typed: str) -> None:
    with pytest.raises(ApiError) as refusal:
        _dollars(typed)
    assert refusal.value.param == "budget_usd"


@pytest.mark.parametrize("typed", ["", " ", ",", " , "])
def test_nothing_is_estimated_without_a_student(typed: str) -> None:
    used = {"prompt_tokens": 1, "completion_tokens": 1}
    assert _estimate(Visit("GET", "/", {}, None), {"student": typed, "trainer": ""}, used) is None
