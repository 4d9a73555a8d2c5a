"""Which traffic a training set is held against, and when that need not be read again."""

from __future__ import annotations

from typing import Any

import pytest

from assembly import production
from assembly.production import counted, is_told, is_what_was_selected, recent_traffic
from completions.sources import StoredCompletions
from distillations.dataset import dataset_key
from distillations.deciding.saving import counted_of, requests_per_month
from distillations.recipe import UsedRecipe
from distillations.report.document import REPORT, CountedTraffic, DatasetReport, ProductionTraffic
from foundation import blobs
from tests.distilling import build
from tests.flow.system import System

NOW = 1_800_000_000


def source(**conditions: Any) -> StoredCompletions:
    return StoredCompletions(type="stored_completions", **conditions)


def test_the_newest_completions_of_the_filters_count_whatever_their_limits(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.captured(system, [build.record(number, f"mail {number}", split="train") for number in range(9)])
    build.captured(system, [build.record(100, "chat", split="other")])
    monkeypatch.setattr(production, "MOST", 4)
    narrow = source(metadata={"split": "train"}, limit=1, created_after=build.AT + 3)
    newest = [completion.id for completion in recent_traffic([narrow], before=build.AT + 7)]
    assert newest == [f"chatcmpl-{number}" for number in (7, 6, 5, 4)]
    both = [completion.id for completion in recent_traffic([narrow, source(metadata={"split": "other"})], before=NOW)]
    assert both == ["chatcmpl-8", "chatcmpl-7", "chatcmpl-100"]


def test_traffic_is_counted_back_from_the_newest_until_a_day(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """One each half hour for two days; the first of a day before the newest ends the count."""
    build.captured(system, [build.record(1800 * number, f"mail {number}", split="train") for number in range(96)])
    every, narrow = source(), source(metadata={"split": "train"}, limit=1, created_after=build.AT + 9)
    a_day = CountedTraffic(rows=49, seconds=86_400)
    assert counted([narrow], before=NOW) == a_day
    assert counted([narrow, every], before=NOW) == a_day, "what both select counts once"
    assert counted([narrow], before=build.AT + 1800 * 47) is None, "all there is spans less"
    assert counted([narrow, source(text="mail")], before=NOW) is None
    assert counted([source(metadata={"split": "none"})], before=NOW) is None
    monkeypatch.setattr(production, "_COUNTED", 40)
    assert counted([narrow], before=NOW) == CountedTraffic(rows=40, seconds=39 * 1800)
    monkeypatch.setattr(production, "_COUNTED", 2)
    assert counted([narrow], before=NOW) is None, "less than an hour"


@pytest.mark.parametrize(
    ("most", "sources", "rows"),
    [(5_000, 1, 60), (40, 1, 40), (120, 2, 120)],
)
def test_a_report_has_the_count_where_its_newest_do_not_tell(
    system: System, monkeypatch: pytest.MonkeyPatch, most: int, sources: int, rows: int
) -> None:
    """Sixty, one each half hour; and as many of another tag, one each day."""
    busy = [build.record(1800 * number, f"mail {number}", split="train") for number in range(60)]
    rare = [build.record(86_400 * (number - 59) + 7, f"fax {number}", split="rare") for number in range(60)]
    build.captured(system, busy + rare)
    monkeypatch.setattr(production, "MOST", most)
    selected = [{"type": "stored_completions", "metadata": {"split": split}} for split in ("train", "rare")]
    made = system.ok("POST", "/v1/datasets", {"source": selected[:sources], "dry_run": True})
    system.settle()
    report = DatasetReport.model_validate_json(blobs.get(dataset_key(made["id"], REPORT)))
    assert report.production
    assert (report.production.rows, report.production.counted is not None) == (rows, most < 5_000)
    # Of the rare ones, one or two are within the day.
    assert requests_per_month(counted_of(report.production)) == pytest.approx(1440, abs=31 * (sources - 1))


@pytest.mark.parametrize(
    ("rows", "span_s", "sources", "told"),
    [
        (60, 3_600, 1, True),
        (4_990, 3_600, 1, False),
        (4_990, 90_000, 1, True),
        (2_490, 90_000, 2, False),
        (60, 3_600, 2, True),
    ],
)
def test_traffic_of_which_a_few_are_malformed_is_not_taken_for_all_there_is(
    rows: int, span_s: int, sources: int, *, told: bool
) -> None:
    traffic = ProductionTraffic(filters=["all"], rows=rows, begins_at=NOW - span_s, ends_at=NOW, in_training=0)
    assert is_told(traffic, sources) is told


@pytest.mark.parametrize(
    ("conditions", "selected", "same"),
    [
        ({}, 5_000, True),
        ({}, 5_001, False),
        ({"created_before": NOW - 60}, 10, True),
        ({"created_before": NOW - 90_000}, 10, False),
        ({"created_after": 5}, 10, False),
        ({"limit": 10}, 10, False),
    ],
)
def test_a_filter_of_all_times_has_selected_its_traffic_already(
    conditions: dict[str, Any], selected: int, *, same: bool
) -> None:
    asked = source(**conditions)
    recipe = UsedRecipe(source=asked)
    assert is_what_was_selected([asked], recipe, selected, before=NOW) is same
    assert not is_what_was_selected([source(model="other")], recipe, selected, before=NOW)
