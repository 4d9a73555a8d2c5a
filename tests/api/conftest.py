"""The SDK, connected to the system of a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI

from tests.api.sdk import client_of
from tests.flow.system import System


@pytest.fixture
def client(system: System) -> Iterator[OpenAI]:
    with client_of(system) as client:
        yield client
