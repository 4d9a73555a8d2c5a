"""The pages of channels: who is told of what, and what was delivered."""

from __future__ import annotations

import re

from notifications.notices import record
from tests.dashboard.browser import Browser
from tests.flow.system import System
from tests.notifying.stubs import channel, notice


def test_a_channel_is_tested_and_shows_what_it_was_told(system: System, browser: Browser) -> None:
    page = browser.page("/channels")
    assert "distillation.verdict" in page.text
    one = browser.page(next(link for link in page.links if re.fullmatch(r"/channels/.+", link)))
    assert "It was told nothing yet" in one.text
    browser.post("/channels/channel_email/test")
    system.settle()
    told = browser.page("/channels/channel_email").text
    assert "channel.test" in told
    assert "delivered" in told


def test_what_waits_says_why_and_no_secret_is_shown(system: System, browser: Browser) -> None:
    channel("channel_1", kind="slack", url="http://127.0.0.1:1/services/very-secret")
    record(notice(sentence="<b>It</b> does."))
    system.settle()
    pages = [browser.page("/channels"), browser.page("/channels/channel_1")]
    assert "pending" in pages[1].text
    assert "No answer" in pages[1].text
    assert not any("very-secret" in page.body or "<b>It" in page.body for page in pages)
    assert browser.get("/channels/channel_9").status == 404
