"""The form of an eval: cards come, go and keep what was typed; graders are tried before anything is saved or paid."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from dashboard.criteria import criteria_of
from dashboard.grader_cards import KINDS, cards_of, new_card
from foundation.errors import ApiError
from graders import Criterion
from tests.dashboard.browser import Browser
from tests.dashboard.cards import cards
from tests.flow import loop
from tests.flow.system import System

JUDGE = "lab-judge"


@pytest.mark.parametrize("key", [key for key in KINDS if key != "json"])
def test_every_card_as_it_begins_is_a_sound_grader(key: str) -> None:
    asked = {"model": JUDGE, "pattern": "^[a-z]+$", "question": "Is it good?"}
    begun = new_card(key).values
    typed = {name: value for name, value in asked.items() if begun.get(name) == ""}
    (criterion,) = criteria_of(cards_of(cards(key, **typed)))
    grader: Any = TypeAdapter(Criterion).validate_python(criterion)
    assert (grader.type, grader.name) == (KINDS[key].type, KINDS[key].named)
    assert all(field.about or field.options or field.label for field in KINDS[key].fields)


@pytest.mark.parametrize(
    ("key", "typed", "param"),
    [
        ("similar", {"pass_threshold": "much"}, "testing_criteria[0].pass_threshold"),
        ("similar", {"pass_threshold": "nan"}, "testing_criteria[0].pass_threshold"),
        ("judge_same", {"model": " "}, "testing_criteria[0].model"),
        ("json_form", {"json_schema": "{"}, "testing_criteria[0].json_schema"),
        ("json", {"definition": "[{"}, "testing_criteria[0]"),
        ("score", {"low": "x", "model": JUDGE, "question": "x"}, "testing_criteria[0].range"),
    ],
)
def test_a_field_that_cannot_be_read_is_named_as_the_api_names_it(key: str, typed: dict[str, str], param: str) -> None:
    with pytest.raises(ApiError) as refused:
        criteria_of(cards_of(cards(key, **typed)))
    assert refused.value.param == param


def test_cards_are_added_and_removed_and_keep_what_was_typed(system: System, browser: Browser) -> None:
    loop.capture(system, "carded", train=3, test=0)
    browser.page("/evals/new?tags=tag%3Dcarded")
    form = {"tags": "tag=carded", "name": "<b>two</b>", **cards("same_text", reference="item.metadata.x")}
    page = browser.post("/evals/new", {**form, "do": "add", "kind": "judge_tone"})
    assert page.status == 200
    assert all(part in page.body for part in ('value="item.metadata.x"', 'name="g1.model"', "&lt;b&gt;two"))
    assert 'name="page" value="/evals/new?tags=tag%3Dcarded"' in page.body
    two = form | {name.replace("g0.", "g1."): value for name, value in cards("judge_tone").items()}
    assert 'name="g1.' not in browser.post("/evals/new", {**two, "do": "remove-0"}).body
    none = browser.post("/evals/new", {"name": "none", "do": "make"})
    assert (none.status, "Add a grader" in none.text) == (400, True)
    odd = browser.post("/evals/new", {**form, "do": "add", "kind": "odd"})
    assert (odd.status, "Choose a grader" in odd.text, 'value="item.metadata.x"' in odd.body) == (400, True, True)


def test_a_refused_card_has_the_refusal_at_its_field(browser: Browser) -> None:
    browser.page("/evals/new")
    form = {"name": "x", **cards("same_text", "pattern", pattern="(?=a)", name="mine"), "do": "make"}
    refused = browser.post("/evals/new", form)
    assert refused.status == 400
    field = refused.body.index('name="g1.pattern" value="(?=a)"')
    assert "RE2" in refused.body[field : refused.body.index("</label>", field)]
    assert refused.body.count('role="alert"') == 1
    assert 'name="g1.name" value="mine"' in refused.body


def test_graders_are_tried_on_five_rows_and_judges_asked_on_a_press_alone(system: System, browser: Browser) -> None:
    loop.capture(system, "tried", train=7, test=0)
    browser.page("/evals/new?tags=tag%3Dtried")
    form = {"tags": "tag=tried", "name": "tried", **cards("same_text", "judge_same", model=JUDGE)}
    tried = browser.post("/evals/new", {**form, "do": "try"})
    assert tried.body.count('<span class="badge good">pass</span>') == 5
    assert tried.text.count("asks a model: not asked yet") == 5
    assert "Ask the models too: " in tried.text
    assert f"{JUDGE}, 5 calls" in tried.text
    asked = browser.post("/evals/new", {**form, "do": "ask"})
    assert asked.body.count('<span class="badge good">pass</span>') == 10
    assert "answered correct" in asked.text
    assert system.ok("GET", "/v1/evals")["data"] == []
    run = browser.post("/evals/new", {**form, "do": "make"})
    system.settle()
    assert "Means the same as the known answer" in browser.page(run.path).text


def test_a_grader_of_any_type_is_written_as_json(system: System, browser: Browser) -> None:
    loop.capture(system, "own", train=3, test=0)
    answer = "{{ sample.output_text }}"
    criterion = {"type": "string_check", "name": "own", "input": answer, "reference": "billing", "operation": "eq"}
    form = {"tags": "tag=own", "name": "own", **cards("json", definition=json.dumps(criterion))}
    own = browser.post("/evals/new", form)
    system.settle()
    assert "own" in browser.page(f"{own.path}?status=fail").text
