"""The sample of a week: bounded, and no hour weighs more in it than it has traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from assembly.drift import traffic
from completions import index
from completions.postings import Reference

HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> list[Reference]:
    """What was captured, in the order of time; only what a scan allows is read of it."""
    references: list[Reference] = []

    def select(wanted: Any, *, scan: Any) -> Iterator[Reference]:
        for reference in references:
            if wanted.created_after <= reference.created <= wanted.created_before:
                if not scan.goes_on(reference):
                    return
                yield reference

    monkeypatch.setattr(index, "select", select)
    return references


def reference(number: int, created: int) -> Reference:
    return Reference(created, f"chatcmpl-{number}", "", "", 0, 0)


def test_a_busy_day_is_thinned_as_quiet_nights_are(captured: list[Reference]) -> None:
    """Three hours with a call a second, among days with one each minute."""
    busy = range(10 * DAY + 12 * HOUR, 10 * DAY + 15 * HOUR)
    quiet = set(range(7 * DAY, 14 * DAY, 60)) - set(busy)
    captured += [reference(number, created) for number, created in enumerate(sorted([*quiet, *busy]))]
    sample = traffic.sampled("quick", since=7 * DAY, until=14 * DAY - 1)
    assert sample == sorted(sample, key=lambda one: one.order)
    assert len({one.id for one in sample}) == len(sample)
    assert 1000 < len(sample) < traffic.MOST
    ours = sum(one.created in busy for one in sample)
    assert ours == pytest.approx(traffic._MOST_OF_SLOT, abs=1), "as many as are looked at of three hours"
    assert ours / len(sample) == pytest.approx(len(busy) / len(captured), rel=0.02), (
        "and no hour weighs more than it has"
    )
    days = Counter(one.created // DAY for one in sample if one.created not in busy)
    assert max(days.values()) < 1.3 * min(days.values())


def test_a_little_traffic_is_looked_at_whole(captured: list[Reference]) -> None:
    captured += [reference(number, 7 * DAY + number * HOUR) for number in range(300)]
    sample = traffic.sampled("quick", since=7 * DAY, until=14 * DAY - 1)
    assert [one.id for one in sample] == [f"chatcmpl-{number}" for number in range(168)]


def test_a_call_a_second_all_week_reads_no_more_than_the_slots_allow(
    captured: list[Reference], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "_MOST_COUNTED", 1000)
    captured += [reference(number, 7 * DAY + number) for number in range(DAY)]
    looked_at: list[str] = []
    select = index.select

    def counted(*args: Any, **more: Any) -> Iterator[Reference]:
        for one in select(*args, **more):
            looked_at.append(one.id)
            yield one

    monkeypatch.setattr(index, "select", counted)
    sample = traffic.sampled("quick", since=7 * DAY, until=8 * DAY - 1)
    assert len(looked_at) == 8 * 1000
    assert set(Counter(one.created // (3 * HOUR) for one in sample).values()) == {250}


def test_a_burst_at_the_beginning_of_hours_is_no_pace(captured: list[Reference]) -> None:
    """Nine hundred calls within half a minute every three hours, as a job sends them, and one a minute besides."""
    bursts = [7 * DAY + slot * 3 * HOUR + call // 30 for slot in range(56) for call in range(900)]
    times = sorted([*bursts, *range(7 * DAY, 14 * DAY, 60)])
    captured += [reference(number, created) for number, created in enumerate(times)]
    sample = traffic.sampled("quick", since=7 * DAY, until=14 * DAY - 1)
    ours = sum(one.created % (3 * HOUR) < 30 for one in sample)
    assert ours / len(sample) == pytest.approx(900 / 1080, rel=0.05)
    assert len(sample) == pytest.approx(traffic.MOST, rel=0.05)
