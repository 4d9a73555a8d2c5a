"""What every channel must do, whichever it is."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from notifying import channels
from notifying.channels import CHANNELS, Notice
from tests.flow.system import System

SHARED = {"__init__", "channel"}
FOLDER = Path(channels.__file__).parent


def test_every_module_of_the_folder_is_a_channel_of_its_name() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} - SHARED == set(CHANNELS)
    for name, channel in CHANNELS.items():
        assert type(channel).__module__ == f"notifying.channels.{name}"
        assert inspect.getdoc(type(channel))


@pytest.mark.parametrize("name", CHANNELS)
def test_a_notice_that_nobody_asked_for_goes_to_nobody(name: str, system: System) -> None:  # noqa: ARG001
    assert list(CHANNELS[name].recipients(Notice(id="evt_1", type="nobody.asked", object_id="o", at=0))) == []


@pytest.mark.parametrize("name", CHANNELS)
def test_sending_to_nobody_reaches_nobody(name: str, system: System) -> None:
    notice = Notice(id="evt_1", type="distillation.verdict", object_id="o", at=0, sentence="It does.", text="It does.")
    assert list(CHANNELS[name].send(notice, [])) == []
    assert system.notifications() == []
