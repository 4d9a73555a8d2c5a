"""What every channel must do, whichever it is."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import get_args

import pytest
from botocore.exceptions import ClientError

from notifications.channels import Channel, ChannelType
from notifying import channels
from notifying.channels import CHANNELS, NotTaken
from tests.flow.system import System
from tests.notifying.stubs import notice

SHARED = {"__init__", "channel"}
FOLDER = Path(channels.__file__).parent


def test_every_module_of_the_folder_is_a_channel_of_its_name() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} - SHARED == set(CHANNELS) == set(get_args(ChannelType.__value__))
    for name, channel in CHANNELS.items():
        assert type(channel).__module__ == f"notifying.channels.{name}"
        assert inspect.getdoc(type(channel))


@pytest.mark.parametrize("name", CHANNELS)
def test_an_address_that_nobody_has_is_a_failure(name: str, system: System) -> None:
    kind: ChannelType = name  # type: ignore[assignment]
    url = "arn:aws:sns:us-east-1:123456789012:gone" if name == "email" else "http://127.0.0.1:1/hook"
    types = {"event_types": ["distillation.verdict"], "secret": "whsec_AAAA"}
    nowhere = Channel(id="c", created_at=1, updated_at=1, type=kind, name="c", url=url, **types)
    with pytest.raises((NotTaken, ClientError)) as failure:
        CHANNELS[name].send(notice(), nowhere)
    assert "hook" not in str(failure.value)
    assert system.notifications() == []
