"""Channels by the API: made, changed, tested, and what each was told."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.ids import now
from notifications.channels import EMAIL
from notifications.event_types import MAILED
from notifications.notices import KEPT_S, record
from tests.flow.system import System
from tests.notifying.stubs import channel, notice

URL = "https://hooks.test/services/T0/B0/very-secret-key"
SLACK = {"type": "slack", "name": "team", "url": URL, "event_types": ["distillation.verdict"]}


def refused(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["param"]


def test_a_slack_channel_is_made_changed_and_deleted_and_its_url_is_never_shown(system: System) -> None:
    made = system.ok("POST", "/v1/channels", SLACK)
    path = f"/v1/channels/{made['id']}"
    changed = system.ok("POST", path, {"event_types": ["eval.run.failed"], "name": "others"})
    listed = system.ok("GET", "/v1/channels")
    shown = system.ok("GET", path)
    assert (made["type"], made["address"], made["signing_secret"]) == ("slack", "hooks.test/…-key", None)
    assert (changed["name"], changed["event_types"]) == ("others", ["eval.run.failed"])
    assert [one["type"] for one in listed["data"]] == ["email", "slack"]
    assert "very-secret" not in str([made, changed, listed, shown])
    assert system.ok("GET", "/v1/webhook_endpoints")["data"] == []
    assert system.call("GET", f"/v1/webhook_endpoints/{made['id']}")[0] == 404
    assert system.ok("DELETE", path)["deleted"]
    assert refused(system.call("GET", path)) == (404, "channel_id")


def test_a_webhook_is_the_same_as_an_endpoint(system: System) -> None:
    made = system.ok("POST", "/v1/channels", {**SLACK, "type": "webhook"})
    assert made["signing_secret"].startswith("whsec_")
    endpoint = system.ok("GET", f"/v1/webhook_endpoints/{made['id']}")
    assert endpoint["signing_secret_hint"].endswith(made["signing_secret"][-4:])
    assert endpoint["url"] == URL


def test_the_topic_is_there_and_can_be_told_of_other_events(system: System) -> None:
    path = f"/v1/channels/{EMAIL}"
    assert system.ok("GET", path)["event_types"] == list(MAILED)
    assert system.ok("POST", path, {"event_types": ["eval.run.failed"]})["event_types"] == ["eval.run.failed"]
    assert system.ok("POST", path, {"event_types": ["spending.cap_reached"]})["event_types"] == ["spending.cap_reached"]
    assert refused(system.call("POST", path, {"url": URL})) == (400, "url")
    assert system.call("DELETE", path)[0] == 409
    assert len(system.ok("GET", "/v1/channels")["data"]) == 1


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"type": "email"}, "type"),
        ({"url": "ftp://hooks.test/x"}, "url"),
        ({"url": "https://user:word@hooks.test/"}, "url"),
        ({"event_types": ["nobody.asked"]}, "event_types"),
        ({"event_types": []}, "event_types"),
        ({"name": ""}, "name"),
    ],
)
def test_what_could_not_be_told_is_refused_without_repeating_the_url(
    changes: dict[str, Any], param: str, system: System
) -> None:
    status, answer = system.call("POST", "/v1/channels", {**SLACK, **changes})
    assert (status, answer["error"]["param"].partition("[")[0]) == (400, param)
    assert "hooks.test" not in str(answer)


def test_a_test_goes_by_the_road_of_all_events(system: System) -> None:
    path = f"/v1/channels/{EMAIL}"
    asked = system.ok("POST", f"{path}/test")
    assert (asked["type"], asked["status"], asked["attempts"]) == ("channel.test", "pending", 0)
    system.settle()
    [delivered] = system.ok("GET", f"{path}/deliveries")["data"]
    assert (delivered["id"], delivered["status"], delivered["attempts"]) == (asked["id"], "delivered", 1)
    assert [told["type"] for told in system.notifications()] == ["test"]


def test_deliveries_are_listed_page_by_page_the_newest_first(system: System) -> None:
    channel("whe_1", "eval.run.failed")
    for number in range(5):
        record(notice(number, type="eval.run.failed", at=now() - KEPT_S + 100 + number))
    path, seen = "/v1/channels/whe_1/deliveries", []
    after = ""
    while True:
        page = system.ok("GET", f"{path}?limit=2{after}")
        seen += [delivery["id"] for delivery in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    assert seen == [f"evt_{number}" for number in (4, 3, 2, 1, 0)]
    assert system.ok("GET", f"{path}?after=evt_gone")["data"] == []
    assert refused(system.call("GET", "/v1/channels/whe_9/deliveries")) == (404, "channel_id")
