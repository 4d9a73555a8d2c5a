"""The pages of a drift: what has moved with its plots, and the next distillation by a button."""

from __future__ import annotations

import re
from urllib.parse import unquote

from aliases import changing
from aliases.changing import Said
from tests.aliases.build import routing
from tests.assembly.drifting import ALIAS, learnt, looked, mails, traffic
from tests.dashboard.browser import Browser
from tests.distilling import build
from tests.flow.system import System


def test_what_has_moved_is_shown_and_distilled_anew_by_a_button(system: System, browser: Browser) -> None:
    learnt(system)
    page = browser.page(f"/aliases/{ALIAS}")
    assert "waiting beside what its model learnt from" in page.text
    traffic(system, mails(96, seed=2, first=1000, topics=["refund", "recall"]))
    found = looked(system)
    assert found["sentence"] in browser.page(f"/aliases/{ALIAS}").text
    page = browser.page(f"/aliases/{ALIAS}/drift")
    assert found["concerns"][0] in page.text
    assert page.body.count('class="plot"') > 5
    assert "training lines traffic of seven days" in page.text
    assert f"/completions/{found['newcomers'][0]['examples'][0]}" in page.body
    [form] = [link for link in page.links if link.startswith("/distillations/new")]
    filled = browser.page(unquote(form))
    assert f'name="alias" value="{ALIAS}"' in filled.body
    assert 'value="lab-small"' in filled.body
    assert 'value="split=train"' not in filled.body, "other completions are meant now"
    made = browser.post(f"/aliases/{ALIAS}/drift/distill", {"dataset_id": found["dataset_id"]})
    assert (made.status, "triage on recent traffic" in made.text) == (200, True)


def test_the_button_of_a_slice_distils_that_slice(system: System, browser: Browser) -> None:
    """Both are answered by one model, and the first one has not moved."""
    learnt(system)
    changing.put(ALIAS, routing((build.MODEL, 1), (build.MODEL, 1, {"topic": "recall"})), Said("ada"))
    known, recalls = mails(96, seed=2, first=1000), mails(96, seed=3, first=2000, topics=["recall"])
    traffic(system, [record for pair in zip(known, recalls, strict=True) for record in pair])
    assert looked(system)["status"] == "steady"
    page = browser.page(f"/aliases/{ALIAS}/drift")
    fields = dict(re.findall(r'name="(dataset_id|slice)" value="([^"]*)"', page.body))
    assert fields["slice"] == "topic=recall"
    made = browser.post(f"/aliases/{ALIAS}/drift/distill", fields)
    assert (made.status, "triage on recent traffic" in made.text) == (200, True)


def test_steady_traffic_offers_nothing_to_start(system: System, browser: Browser) -> None:
    learnt(system)
    traffic(system, mails(96, seed=2, first=1000))
    assert looked(system)["status"] == "steady"
    page = browser.page(f"/aliases/{ALIAS}/drift")
    assert "No drift in" in page.text
    assert "Distill again" not in page.text
    assert browser.post(f"/aliases/{ALIAS}/drift/distill", {}).status == 409
    assert "All metadata keys are compared" in page.text
    left = browser.post(f"/aliases/{ALIAS}/drift/leave-out", {"keys": " release\r\n\r\n<b>\n"})
    assert (left.status, "<code>release</code>" in left.body, "<code>&lt;b&gt;</code>" in left.body) == (
        200,
        True,
        True,
    )
    refused = browser.post(f"/aliases/{ALIAS}/drift/leave-out", {"keys": "x" * 65})
    assert (refused.status, "leave_out" in refused.text) == (400, True)
    assert "All metadata keys" in browser.post(f"/aliases/{ALIAS}/drift/leave-out", {"keys": ""}).text
    assert build.sent(system, "DISTILLING") == []
