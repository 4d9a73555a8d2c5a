"""An alias on the pages: made, changed, rolled back by its button, and never over somebody else's change."""

from __future__ import annotations

from tests.dashboard.browser import Browser
from tests.flow import loop
from tests.flow.system import System


def test_an_alias_is_made_changed_and_rolled_back_by_buttons(system: System, browser: Browser) -> None:
    assert "There is no alias yet" in browser.page("/aliases").text
    page = browser.post("/aliases", {"name": "quick", "model": "lab-judge", "why": "<b>first</b>"})
    assert (page.status, page.path.endswith("/aliases/quick")) == (200, True)
    assert "<b>first" not in page.body
    form = {
        "version": "1",
        "model_0": "lab-judge",
        "weight_0": "75",
        "when_0": "",
        "model_1": "lab-small",
        "weight_1": "25",
        "when_1": "",
        "model_2": "lab-small",
        "weight_2": "1",
        "when_2": "topic=refund, tier=gold",
        "model_3": "",
        "sticky_metadata": "customer",
        "fallback": "lab-judge",
        "promote": "yes",
        "why": "a quarter",
    }
    page = browser.post("/aliases/quick/change", form)
    assert page.status == 200, page.text
    made = system.ok("GET", "/v1/aliases/quick")
    assert [(target["model"], target["weight"], target["when"]) for target in made["targets"]] == [
        ("lab-judge", 75, {}),
        ("lab-small", 25, {}),
        ("lab-small", 1, {"topic": "refund", "tier": "gold"}),
    ]
    assert (made["sticky_by"], made["fallback"]) == ({"header": None, "metadata": "customer"}, "lab-judge")
    assert (made["promote_on"], made["why"]) == ("beats_baseline", "a quarter")
    assert "75.0%" in page.text
    assert "with topic=refund, tier=gold" in page.text
    late = browser.post("/aliases/quick/change", {**form, "weight_0": "1"})
    assert (late.status, "somebody has changed it" in late.text) == (412, True)
    page = browser.post("/aliases/quick/rollback", {"to": "1", "version": "2"})
    assert page.status == 200
    assert system.ok("GET", "/v1/aliases/quick")["rolled_back_to"] == 1
    assert "(back to 1)" in page.text
    listed = browser.page("/aliases").text
    assert "quick 3 lab-judge 100.0%" in listed
    assert "first" in listed


def test_a_slice_whose_value_has_commas_comes_back_from_the_form_as_it_was(system: System, browser: Browser) -> None:
    odd = {"topic": "a, b=c", "share": "5%2C"}
    slices = [{"model": "lab-judge"}, {"model": "lab-small", "when": odd}]
    system.ok("PUT", "/v1/aliases/quick", {"targets": slices})
    shown = "topic=a%2C b%3Dc, share=5%252C"
    assert f'value="{shown}"' in browser.page("/aliases/quick").body
    form = {"model_0": "lab-judge", "weight_0": "2", "when_0": "", "model_1": "lab-small", "weight_1": "1"}
    assert browser.post("/aliases/quick/change", {**form, "when_1": shown, "version": "1"}).status == 200
    alias = system.ok("GET", "/v1/aliases/quick")
    assert (alias["version"], alias["targets"][1]["when"]) == (2, odd)


def test_a_cascade_is_set_shown_and_taken_away_by_the_form(system: System, browser: Browser) -> None:
    system.ok("PUT", "/v1/aliases/quick", {"targets": [{"model": "lab-small"}]})
    form = {"model_0": "lab-small", "weight_0": "1", "cascade_to_0": "lab-judge", "cascade_threshold_0": "-0.125"}
    page = browser.post("/aliases/quick/change", {**form, "version": "1"})
    assert "goes to lab-judge, below -0.125" in page.text
    assert "lab-small 100.0% with a cascade to lab-judge" in page.text
    assert system.ok("GET", "/v1/aliases/quick")["targets"][0]["cascade"]["threshold"] == -0.125
    for wrong in ("", "low", "nan"):
        answer = browser.post("/aliases/quick/change", {**form, "version": "2", "cascade_threshold_0": wrong})
        assert answer.status == 400
    assert browser.post("/aliases/quick/change", {**form, "version": "2", "cascade_to_0": ""}).status == 200
    assert system.ok("GET", "/v1/aliases/quick")["targets"][0]["cascade"] is None


def test_what_is_wrong_is_said_at_its_field(browser: Browser, system: System) -> None:
    system.ok("PUT", "/v1/aliases/quick", {"targets": [{"model": "lab-small"}]})
    for path, form in (
        ("/aliases", {"name": "", "model": "lab-small"}),
        ("/aliases", {"name": "a/b", "model": "lab-small"}),
        ("/aliases/quick/change", {"version": "1", "model_0": "lab-small", "weight_0": "many"}),
        ("/aliases/quick/change", {"version": "1", "model_0": "lab-small", "weight_0": "1", "when_0": "topic"}),
        ("/aliases/quick/change", {"version": "1", "model_0": "", "weight_0": ""}),
        ("/aliases/quick/rollback", {"to": "x"}),
    ):
        answer = browser.post(path, form)
        assert answer.status == 400, (path, form, answer.status)
    assert browser.post("/aliases/quick/rollback", {}).status == 409
    assert browser.get("/aliases/none").status == 404
    assert browser.post("/aliases/none/rollback", {}).status == 404


def test_a_completion_says_which_alias_asked_for_it_and_the_list_is_narrowed_to_one(
    system: System, browser: Browser
) -> None:
    system.ok("PUT", "/v1/aliases/quick", {"targets": [{"model": "lab-small"}]})
    asked = {"messages": loop.messages(1), "store": True}
    by_name = system.ok("POST", "/v1/chat/completions", {**asked, "model": "quick"})
    plain = system.ok("POST", "/v1/chat/completions", {**asked, "model": "lab-small"})
    system.settle()
    link = next(link for link in browser.page("/aliases/quick").links if link.startswith("/completions?"))
    page = browser.page(link)
    assert by_name["id"] in page.body
    assert plain["id"] not in page.body
    shown = browser.page(f"/completions/{by_name['id']}")
    assert "quick in version 1, which chose lab-small" in shown.text
    assert "/aliases/quick" in shown.links
    cascade = {"to": "lab-judge", "by": "logprob", "threshold": -0.1}
    system.ok("PUT", "/v1/aliases/unsure", {"targets": [{"model": "lab-small", "cascade": cascade}]})
    sent_on = system.ok("POST", "/v1/chat/completions", {**asked, "model": "unsure"})
    system.settle()
    # The lab's judge answers no question but a judge's.
    said = "It was not sure, and lab-judge gave no answer: how sure it was is not known"
    assert said in browser.page(f"/completions/{sent_on['id']}").text
