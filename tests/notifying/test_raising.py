"""An alert is sent until everybody has it, and its cause brings no other one."""

from __future__ import annotations

from notifications.alerts import Alert
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
