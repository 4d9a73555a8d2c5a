"""An alert is sent until everybody has it, and its cause brings no other one."""

from __future__ import annotations

import pytest

from notifications.alerts import Alert
from notifications.channels import event_id
from notifications.event_types import EventType
from notifications.notices import Notice
from notifications.raising import raise_once
from tests.distilling import build
from tests.flow.system import System


def test_what_everybody_was_told_is_not_sent_again(system: System) -> None:
    def come_up() -> bool:
        return raise_once(Alert.of("fine_tuning.job.stalled", "ftjob-1", sentence="It stands still.", lines=[]))

    assert [come_up(), come_up()] == [True, True], "the first message may be lost"
    [first, second] = build.sent(system, "NOTIFY")
    assert first["alert_id"] == second["alert_id"]
    Alert.load(first["alert_id"]).change({"told_at": 1})
    assert come_up() is False
    assert build.sent(system, "NOTIFY") == []


@pytest.mark.parametrize(
    ("event_type", "page"),
    [
        ("alias.drifted", "aliases/quick/drift"),
        ("alias.promoted", "aliases/quick"),
        ("rollout.paused", "rollouts/quick"),
    ],
)
def test_people_are_told_where_they_see_it_on_a_page_and_in_a_terminal(
    event_type: EventType, page: str, system: System
) -> None:
    alert = Alert.of(event_type, "quick", sentence="It is so.", lines=["Look."], command="stillhouse alias drift quick")
    raise_once(alert)
    system.settle()
    told = Notice.find(event_id(event_type, alert.id))
    assert told is not None
    assert (told.url, told.command) == (f"https://api.test/{page}", "stillhouse alias drift quick")
