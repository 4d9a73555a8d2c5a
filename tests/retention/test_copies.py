"""What a rollout has copied of a deleted completion goes with it: its rows, both answers, what was paid for."""

from __future__ import annotations

import pytest

from completions import index
from evals.run import Run
from foundation import blobs
from retention.copies import erase_copies
from rollouts.round import RolloutRound, total
from tests.flow.system import System
from tests.permissions import acting
from tests.rolling_out.calls import begun, call, push

GONE, STAYS = "chatcmpl-live-1", "chatcmpl-live-2"


def mentions(text: str) -> list[str]:
    """The objects of runs in which this text is."""
    return [key for key in blobs.keys("runs/") if text.encode() in blobs.get(key)]


def erased(*completion_ids: str) -> set[str]:
    """Erase the copies, as the sweep may. Those of which some are still to be erased."""
    with acting("SweepFunction"):
        return erase_copies(completion_ids)


def test_the_rows_of_a_deleted_completion_are_erased_from_the_runs_of_a_round(system: System) -> None:
    rollout = begun()
    push(system, *(call(number) for number in range(3)))
    before = total(RolloutRound.every(rollout.id))
    index.delete(GONE)
    assert mentions(GONE)
    for _ in range(2):
        assert erased(GONE, "chatcmpl-never-seen") == set()
    assert not mentions(GONE)
    assert not mentions("mail 1:")
    assert len(mentions(STAYS)) == 4
    assert not [key for key in blobs.keys("runs/") if "/calls/" in key]
    pairs = system.ok("GET", f"/v1/rollouts/{rollout.id}/pairs")["data"]
    assert [pair["id"] for pair in pairs] == ["chatcmpl-live-0", STAYS]
    assert total(RolloutRound.every(rollout.id)) == before


def test_what_is_still_being_graded_is_erased_by_a_later_sweep(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = begun()
    monkeypatch.setattr("rolling_out.begin.bus.send_all", lambda _: None)
    push(system, *(call(number) for number in range(3)))
    assert erased(GONE, STAYS) == {GONE, STAYS}
    [round_] = RolloutRound.every(rollout.id)
    for part in round_.runs:
        Run.load(part.run_id).cancel()
    assert erased(GONE, STAYS) == set()
    assert not mentions(GONE)


def test_rows_whose_run_was_never_begun_are_erased_too(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    begun()
    monkeypatch.setattr("rolling_out.begin.bus.send_all", lambda _: None)
    monkeypatch.setattr(Run, "create", lambda _: False)
    push(system, *(call(number) for number in range(3)))
    assert mentions(GONE)
    assert erased(GONE) == set()
    assert not mentions(GONE)
    assert mentions(STAYS)
