"""Metadata keys that change by nature are left out of the drift watch, by the API, the command and the page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aliases import changing
from aliases.changing import Said
from distillations.drift import left_out
from foundation.ids import now
from tests.aliases.build import routing
from tests.assembly.drifting import ALIAS, DAY, learnt, looked, mails, told, traffic
from tests.distilling import build
from tests.examples import examples
from tests.flow.system import System

PATH = f"/v1/aliases/{ALIAS}/drift"


def released(records: list[dict[str, Any]], release: str) -> list[dict[str, Any]]:
    """The mails, as captured by this release of the application."""
    for record in records:
        record["metadata"]["release"] = release
    return records


def drifted(found: dict[str, Any]) -> list[str]:
    return [field["comparison"]["field"] for field in found["fields"] if field["since"] is not None]


@pytest.fixture
def watched(system: System, monkeypatch: pytest.MonkeyPatch) -> System:
    """A model that learnt from release 1, and traffic of release 2."""
    monkeypatch.setattr("tests.assembly.drifting.mails", lambda *a, **kw: released(mails(*a, **kw), "1"))
    learnt(system)
    traffic(system, released(mails(96, seed=2, first=1000), "2"))
    return system


def test_a_release_drifts_until_it_is_left_out_and_is_told_no_more(watched: System) -> None:
    at = now()
    assert drifted(looked(watched, at=at)) == ["metadata.release"]
    assert len(told(watched)) == 1
    asked = watched.ok("PUT", PATH, {"leave_out": ["release", "build", "release"]})
    assert (asked["left_out"], asked["status"]) == (["build", "release"], "drifted")
    found = looked(watched, at=at + DAY)
    assert (found["status"], found["since"], found["told_at"], found["next"]) == ("steady", None, None, None)
    assert "metadata.release" not in {field["comparison"]["field"] for field in found["fields"]}
    assert {"metadata.topic", "metadata.country"} <= {field["comparison"]["field"] for field in found["fields"]}
    assert told(watched) == []
    assert watched.ok("PUT", PATH, {"leave_out": []})["left_out"] == []
    assert drifted(looked(watched, at=at + 2 * DAY)) == ["metadata.release"]
    assert len(told(watched)) == 1, "it has begun anew"


def test_what_is_left_out_before_the_first_look_is_never_told(watched: System) -> None:
    watched.ok("PUT", PATH, {"leave_out": ["release"]})
    assert looked(watched)["status"] == "steady"
    assert told(watched) == []


def test_it_stays_over_versions_of_the_alias_and_holds_for_every_slice(watched: System) -> None:
    watched.ok("PUT", PATH, {"leave_out": ["release"]})
    changing.put(ALIAS, routing((build.MODEL, 1), (build.MODEL, 1, {"country": "at"})), Said("ada"))
    found = looked(watched)
    assert found["left_out"] == ["release"]
    assert [one["status"] for one in (found, *found["slices"])] == ["too_little", "steady"]


def test_an_alias_that_is_not_watched_may_be_configured_and_one_that_is_not_there_may_not(system: System) -> None:
    system.ok("PUT", f"/v1/aliases/{ALIAS}", {"targets": [{"model": "lab-judge"}]})
    assert system.ok("PUT", PATH, {"leave_out": ["release"]})["left_out"] == ["release"]
    assert system.ok("GET", PATH)["status"] == "unwatched"
    status, body = system.call("PUT", "/v1/aliases/nobody/drift", {"leave_out": []})
    assert (status, body["error"]["param"]) == (404, "alias")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "leave_out"),
        ({"leave_out": "release"}, "leave_out"),
        ({"leave_out": None}, "leave_out"),
        ({"leave_out": [""]}, "leave_out[0]"),
        ({"leave_out": [1]}, "leave_out[0]"),
        ({"leave_out": ["x" * 65]}, "leave_out[0]"),
        ({"leave_out": ["\u00fc" * 40]}, "leave_out[0]"),
        ({"leave_out": [f"k{number}" for number in range(21)]}, "leave_out"),
        ({"leave_out": [], "other": 1}, "other"),
    ],
)
def test_what_is_no_list_of_keys_is_refused_by_its_field(system: System, body: dict[str, Any], param: str) -> None:
    system.ok("PUT", f"/v1/aliases/{ALIAS}", {"targets": [{"model": "lab-judge"}]})
    status, answer = system.call("PUT", PATH, body)
    assert (status, answer["error"]["param"]) == (400, param)
    assert system.ok("GET", PATH)["left_out"] == []


@given(st.lists(st.text(min_size=1, max_size=16), max_size=20))
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_keys_come_back_sorted_and_once(system: System, keys: list[str]) -> None:
    sound = [key for key in keys if key.isprintable()]
    assert system
    assert left_out.leave_out("odd", sound) == left_out.of("odd") == sorted(set(sound))
