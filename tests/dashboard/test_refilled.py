"""A refused form comes back with what was typed, the refusal at its field, and nothing of it runs."""

from __future__ import annotations

import pytest

from dashboard.refilled import refilled
from foundation.errors import ApiError
from tests.dashboard.browser import Browser
from tests.flow.system import System

_PAGE = """<!doctype html>
<form method="post" action="/other"><input name="name" value="kept"></form>
<details><summary>More &amp; more</summary>
<form class="stack" method="post" action="/here">
<input type="hidden" name="csrf" value="new"><input type="password" name="key" value="">
<label>Name <input name="name" value="old" required></label>
<label>Long <textarea name="text" rows="2">
old &lt;b&gt;</textarea></label>
<select name="pick"><option value="a" selected>A</option><option value="b">B</option></select>
<input type="radio" name="kind" value="x" checked><input type="radio" name="kind" value="y">
<input type="checkbox" name="agreed" value="yes" checked>
<input type="checkbox" name="more" value="yes">
<button>Go</button></form></details>
"""
_TYPED = {
    "csrf": "old", "key": "secret", "name": '"><script>alert(1)</script>', "text": "\nline\r\n</textarea><b>",
    "pick": "b", "kind": "y", "more": "yes",
}  # fmt: skip


def _again(param: str | None, message: str = "It is wrong.") -> str:
    page = refilled(_PAGE, "/here", _TYPED, ApiError(message, param=param))
    assert page is not None
    return page


def test_what_was_typed_stands_in_its_form_and_nowhere_else() -> None:
    page = _again("name")
    assert '<input name="name" value="kept">' in page
    assert 'value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in page
    assert "\n\nline\r\n&lt;/textarea&gt;&lt;b&gt;</textarea>" in page
    assert '<option value="a">A</option><option value="b" selected>B</option>' in page
    assert 'value="x"><input type="radio" name="kind" value="y" checked>' in page
    assert '<input type="checkbox" name="agreed" value="yes">' in page
    assert '<input type="checkbox" name="more" value="yes" checked>' in page
    assert '<input type="hidden" name="csrf" value="new"><input type="password" name="key" value="">' in page
    assert "More &amp; more" in page
    assert "<script>" not in page


@pytest.mark.parametrize("param", ["text", "source.text", "criteria[0].text", "text.length"])
def test_the_refusal_stands_at_the_field_that_it_names(param: str) -> None:
    page = _again(param, "<b>Shorter\u202e.")
    said = '</textarea><span class="refusal" id="refusal" role="alert">&lt;b&gt;Shorter&lt;U+202E&gt;.</span>'
    assert page.count('id="refusal"') == 1
    assert said in page
    assert 'name="text" rows="2" aria-invalid="true" aria-describedby="refusal"' in page


def test_a_refusal_of_no_field_stands_at_the_head_of_the_form_which_is_open() -> None:
    for param in (None, "unheard_of", "csrf"):
        page = _again(param)
        assert '<form class="stack" method="post" action="/here"><span class="refusal"' in page
    assert "<details open>" in page
    assert refilled(_PAGE, "/nowhere", _TYPED, ApiError("x")) is None


def test_a_form_of_the_pages_is_not_lost(system: System, browser: Browser) -> None:
    browser.page("/settings")
    refused = browser.post("/settings/keys", {"name": "robot <b>", "read": "yes", "infer": ""})
    assert refused.status == 200
    browser.page("/settings")
    refused = browser.post("/settings/keys", {"name": "robot <b>"})
    assert refused.status == 400
    assert 'value="robot &lt;b&gt;"' in refused.body
    assert refused.body.count('role="alert"') == 1
    # Pressed again from there, corrected, it is done.
    assert browser.post("/settings/keys", {"name": "robot", "read": "yes"}).status == 200
    assert "robot" in [key["name"] for key in system.ok("GET", "/v1/keys")["data"]]


def test_what_is_no_page_of_a_form_is_not_asked(browser: Browser) -> None:
    for page in ("//evil.test/", "/nothing", "/evals", "/sign-in", ""):
        browser.page("/settings")
        refused = browser.post("/settings/keys", {"name": "x", "page": page})
        assert (refused.status, "Nothing was changed" in refused.text) == (400, True), page
    browser.page("/settings")
    assert "another session" in browser.post("/settings/keys", {"name": "x"}, csrf="00").text
