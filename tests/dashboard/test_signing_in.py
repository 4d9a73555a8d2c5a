"""Who may look and press: sessions, their cookies, the mark of a form, the scopes of a key."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from dashboard import handler
from foundation.settings import settings
from tests.dashboard.browser import Browser
from tests.flow import loop
from tests.flow.system import KEY, FakeContext, System


def test_nobody_sees_a_page_without_a_session(visitor: Browser) -> None:
    for path in ("/", "/completions", "/evals/new", "/settings", "/completions/x/all"):
        page = visitor.get(path)
        assert "API key" in page.text
        assert page.path.startswith("/sign-in")
    assert visitor.post("/settings/keys", {"name": "x", "admin": "yes"}).path.startswith("/sign-in")


@pytest.mark.parametrize("key", ["", "sk-sh-first-wrong", "sk-proj-1234", KEY + "0", "\u202e\x00"])
def test_a_wrong_key_begins_no_session_and_is_not_repeated(visitor: Browser, key: str) -> None:
    page = visitor.sign_in(key)
    assert page.status == 401
    assert not visitor.cookies
    assert not key or key not in page.body


def test_a_key_that_may_not_read_begins_no_session(system: System, visitor: Browser) -> None:
    pusher = system.ok("POST", "/v1/keys", {"name": "pusher", "scopes": ["capture"]})["key"]
    assert "read" in visitor.sign_in(pusher).text
    assert not visitor.cookies


def test_the_cookie_is_not_the_key_and_no_script_reads_it(visitor: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_URL", "https://models.example.com/stage/v1")
    settings.cache_clear()
    event = {
        "rawPath": "/sign-in",
        "requestContext": {"http": {"method": "POST"}},
        "body": f"key={KEY}",
    }
    answer = handler.http_entry(event, type("Context", (), {"aws_request_id": "r"}))
    (cookie,) = answer["cookies"]
    assert answer["headers"]["location"] == "/stage/"
    assert KEY not in cookie
    assert {part.strip() for part in cookie.split(";")[1:]} == {
        "Path=/stage/",
        "Max-Age=43200",
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
    }
    assert visitor.cookies == {}


def test_signing_out_ends_the_session_everywhere(browser: Browser) -> None:
    stolen = Browser(cookies=dict(browser.cookies))
    assert stolen.get("/evals").status == 200
    browser.get("/evals")
    browser.post("/sign-out")
    assert not browser.cookies
    assert stolen.get("/evals").path.startswith("/sign-in")


def test_a_session_ends_with_its_key(system: System, visitor: Browser) -> None:
    made = system.ok("POST", "/v1/keys", {"name": "reader", "scopes": ["read"]})
    visitor.sign_in(made["key"])
    assert visitor.page("/evals")
    system.ok("DELETE", f"/v1/keys/{made['id']}")
    from foundation import keys

    keys._trusted.clear()  # what each process does within a minute
    assert visitor.get("/evals").path.startswith("/sign-in")


def test_a_form_of_another_site_presses_nothing(system: System, browser: Browser) -> None:
    browser.page("/settings")
    for csrf in ("", "0" * 64, "\u00e9"):
        page = browser.post("/settings/keys", {"name": "stolen", "admin": "yes"}, csrf=csrf)
        assert page.status == 403
    assert [key["name"] for key in system.ok("GET", "/v1/keys")["data"]] == ["first"]


def test_what_a_key_may_not_do_is_neither_shown_nor_done(system: System, visitor: Browser) -> None:
    loop.capture(system, "shown", train=2, test=1)
    visitor.sign_in(system.ok("POST", "/v1/keys", {"name": "reader", "scopes": ["read"]})["key"])
    assert "admin sees the keys" in visitor.page("/settings").text
    page = visitor.post("/completions/chatcmpl-shown-1/delete")
    assert page.status == 403
    assert "write" in page.text
    assert system.call("GET", "/v1/chat/completions/chatcmpl-shown-1")[0] == 200


def test_no_page_is_kept_framed_or_scripted(browser: Browser) -> None:
    headers = browser.page("/completions" if browser.get("/").path.endswith("/completions") else "/").headers
    assert headers["cache-control"] == "no-store"
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_cookies_are_read_as_aws_and_as_the_emulator_send_them(browser: Browser) -> None:
    (cookie,) = (f"{name}={value}" for name, value in browser.cookies.items())
    for sent in (
        {"cookies": ["other=1", cookie]},
        {"headers": {"Cookie": f"other=1; {cookie}"}},
        {"headers": {"cookie": cookie}, "cookies": None},
    ):
        event = {"rawPath": "/evals", "requestContext": {"http": {"method": "GET"}}, **sent}
        assert handler.http_entry(event, FakeContext())["statusCode"] == 200


def test_a_link_from_elsewhere_leads_to_its_page_through_the_sign_in(visitor: Browser) -> None:
    asked = visitor.get("/evals?after=eval_1", follow=False)
    assert asked.headers["location"] == "/sign-in?to=%2Fevals%3Fafter%3Deval_1"
    form = visitor.page(asked.headers["location"])
    assert 'name="to" value="/evals?after=eval_1"' in form.body
    assert visitor.post("/sign-in", {"key": KEY + "0", "to": "/evals"}).body.count('value="/evals"') == 1
    assert visitor.post("/sign-in", {"key": KEY, "to": "/evals?after=eval_1"}).path == "/evals?after=eval_1"


@pytest.mark.parametrize(
    "to",
    ["//evil.test", "/\\evil.test", "https://evil.test", "/evals//x", "/evals\r\nset-cookie: a=b", "/e?\r\nx: y", "x"],
)
@pytest.mark.usefixtures("visitor")
def test_a_sign_in_leads_to_no_other_site(to: str) -> None:
    event = {
        "rawPath": "/sign-in",
        "requestContext": {"http": {"method": "POST"}},
        "body": urlencode({"key": KEY, "to": to}),
    }
    assert handler.http_entry(event, FakeContext())["headers"]["location"] == "/"


def test_a_request_without_the_cookie_takes_it_from_nobody(browser: Browser) -> None:
    """What another site asks for comes without the cookie: the session in the browser must stay."""
    for event in (
        {"rawPath": "/evals", "requestContext": {"http": {"method": "GET"}}},
        {"rawPath": "/evals", "requestContext": {"http": {"method": "GET"}}, "cookies": ["stillhouse_session=x\\012y"]},
    ):
        answer = handler.http_entry(event, FakeContext())
        assert (answer["statusCode"], answer["cookies"]) == (303, [])
    assert browser.get("/evals").status == 200


@pytest.mark.usefixtures("visitor")
def test_another_site_signs_nobody_in() -> None:
    """A visitor of somebody else's session would store there what is theirs."""
    event = {
        "rawPath": "/sign-in",
        "requestContext": {"http": {"method": "POST"}},
        "headers": {"Sec-Fetch-Site": "cross-site"},
        "body": f"key={KEY}",
    }
    answer = handler.http_entry(event, FakeContext())
    assert (answer["statusCode"], answer.get("cookies")) == (403, None)


def test_more_fields_than_a_form_has_are_refused(browser: Browser) -> None:
    assert browser.get("/evals?" + "&".join(f"a{number}=b" for number in range(600))).status == 400
    many = {f"field{number}": "x" for number in range(600)}
    page = browser.post("/evals/new", many)
    assert (page.status, "500 fields" in page.text) == (413, True)
    # Also where it is refused for another reason first.
    assert browser.post("/nothing", many).status == 404


def test_a_form_of_another_site_comes_back_nowhere(browser: Browser) -> None:
    browser.page("/settings")
    for csrf, status in (("0" * 64, 403), (None, 400)):
        page = browser.post("/settings/keys?nothing=1", {"name": "stolen"}, csrf=csrf)
        assert (page.status, 'value="stolen"' in page.body) == (status, csrf is None)
