"""The pages over the whole system in process: they ask its API over HTTP, as they do on AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from foundation.settings import settings
from tests.dashboard.browser import Browser, api_of
from tests.flow.system import System


@pytest.fixture
def visitor(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Somebody who has not signed in."""
    with api_of(system) as address:
        monkeypatch.setenv("API_URL", address)
        settings.cache_clear()
        yield Browser()


@pytest.fixture
def browser(visitor: Browser) -> Browser:
    """Somebody who has signed in with the first key."""
    visitor.sign_in()
    return visitor
