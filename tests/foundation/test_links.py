"""Links to copies: one copy of the same bytes, deleted when no link to it is open."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from foundation import blobs, links

pytestmark = pytest.mark.usefixtures("cloud")
HOUR = 3600
NOON = 500_000 * HOUR


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch):
    return lambda seconds: monkeypatch.setattr(links, "now", lambda: seconds)


def test_a_link_is_open_for_a_quarter_of_an_hour_and_asking_twice_keeps_one_copy(at) -> None:
    at(NOON)
    link = urlsplit(links.to_copy(b"{}", content_type="application/json"))
    assert links.to_copy(b"{}", content_type="application/json")
    (key,) = blobs.keys("answers/")
    assert link.path.endswith(key)
    assert parse_qs(link.query)["X-Amz-Expires"] == ["900"]
    assert blobs.get(key) == b"{}"


def test_a_copy_goes_when_no_link_to_it_can_be_open(at) -> None:
    at(NOON)
    links.to_copy(b"early", content_type="text/plain")
    at(NOON + HOUR)
    links.to_copy(b"late", content_type="text/plain")
    assert links.discard_copies(lambda: True) == 0
    at(NOON + HOUR + links.LINK_S)
    assert links.discard_copies(lambda: True) == 1
    assert [blobs.get(key) for key in blobs.keys("answers/")] == [b"late"]


def test_what_there_is_no_time_for_is_left_to_the_next_sweep(at) -> None:
    at(NOON)
    links.to_copy(b"early", content_type="text/plain")
    at(NOON + 9 * HOUR)
    assert links.discard_copies(lambda: False) == 0
    assert links.discard_copies(lambda: True) == 1
