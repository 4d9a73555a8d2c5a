"""The pages over one distillation that ran: what they show, where they lead, which buttons they have."""

from __future__ import annotations

import re

from tests.dashboard.browser import Browser
from tests.dashboard.crawl import crawled, pages
from tests.flow import loop
from tests.flow.system import System


def test_every_object_of_a_loop_has_a_page_and_links_lead_to_it(system: System, browser: Browser) -> None:
    loop.capture(system, "pages")
    made = loop.completed(system, loop.distill(system, "pages")["id"])
    read = crawled(browser)
    # Runs of one second have no order among each other, and two of them are read.
    runs = f"/evals/{made['eval_id']}/runs/"
    assert sum(f"{runs}{run}" in read for run in made["runs"].values()) == 2
    for path in (
        f"/distillations/{made['id']}",
        f"/datasets/{made['dataset_id']}",
        f"/evals/{made['eval_id']}",
        f"/models/{made['model'].replace(':', '%3A')}",
    ):
        assert path in read
    report = read[f"/datasets/{made['dataset_id']}/report"]
    assert "What to look at" in report
    assert "Does the task suit distillation?" in report
    verdict = read[f"/distillations/{made['id']}"]
    assert made["verdict"]["sentence"] in verdict
    assert all(f"{score['score']:.1%}" in verdict for score in made["verdict"]["scores"].values())
    assert "27 rows" in read[f"/datasets/{made['dataset_id']}"]
    path = next(path for path in read if "/compare?" in path)
    assert f"won {made['verdict']['won']}, lost {made['verdict']['lost']} of" in read[path]
    # A row stands there with what people need to judge it: its question, both answers, their grades.
    won = browser.page(f"{path.partition('#')[0]}&outcome=won").text
    assert "trouble me, please help" in won
    assert "pass correct" in won
    assert "fail correct" in won
    # And at the completion itself, by the lineage of the frozen rows.
    grades = browser.page("/completions/chatcmpl-pages-1000").text.partition("Grades")[2]
    assert f"the answer of {made['model']}, which was asked the same" in grades
    assert "pass correct" in grades
    assert buttons_of_a_reader(system) == {"/sign-out"}


def buttons_of_a_reader(system: System) -> set[str]:
    """What the pages let a key press that may only read. Each of their links leads to a page that it may see."""
    reader = Browser()
    reader.sign_in(system.ok("POST", "/v1/keys", {"name": "reader", "scopes": ["read"]})["key"])
    read = pages(reader)
    assert "Health" not in read["/completions"].text
    assert reader.get("/evals/new").status == 403
    return {action for page in read.values() for action in re.findall(r'method="post" action="([^"]*)"', page.body)}


def test_the_filter_stands_in_the_url_and_goes_along(system: System, browser: Browser) -> None:
    loop.capture(system, "kept", train=25, test=3)
    page = browser.page("/completions?tags=split%3Dtrain&text=parcel")
    assert "chatcmpl-kept-2" in page.body
    assert "chatcmpl-kept-1002" not in page.body
    assert {link.partition("?")[2] for link in page.links if "/new" in link} == {"tags=split%3Dtrain&text=parcel"}
    first = browser.page(next(link for link in page.links if link.startswith("/completions/")))
    older = next(link for link in first.links if link.endswith("tags=split%3Dtrain&text=parcel") and "chatcmpl" in link)
    assert "parcel" in browser.page(older).text
    everything = browser.page("/completions")
    following = browser.page(next(link for link in everything.links if "after=" in link))
    assert len({*everything.links} & {*following.links} & {f"/completions/chatcmpl-kept-{n}" for n in range(25)}) == 0


def test_what_cannot_be_read_of_a_filter_is_named(browser: Browser) -> None:
    for query, word in (
        ("tags=a", "tags"),
        ("since=yesterday", "since"),
        ("min_tokens=many", "min_tokens"),
        ("model_nam=x", "model_nam"),
        ("has_error=true&max_tokens=9999999999999999", "max_tokens"),
    ):
        page = browser.get(f"/completions?{query}")
        assert page.status == 400, query
        assert word in page.text


def test_a_page_that_is_not_there_says_so(browser: Browser) -> None:
    for path in (
        "/nothing",
        "/completions/none",
        "/evals/none",
        "/datasets/none",
        "/distillations/none",
        "/static/x.css",
    ):
        page = browser.get(path)
        assert page.status == 404, path
        assert "no" in page.text.lower()
    assert browser.get("/static/..%2Fhandler.py").status == 404
