"""What a trainer tells is kept once, and of very much of it an even share."""

from __future__ import annotations

from itertools import pairwise

import pytest

from foundation import table
from tests.flow.system import System
from tests.tuning.conftest import opened
from tuning.telling import keep_events
from tuning.trainers import TrainerEvent

AT = 1_790_000_000


def steps(count: int) -> list[TrainerEvent]:
    return [TrainerEvent(f"step-{n}", AT + n, f"Step {n}", metrics={"step": float(n)}) for n in range(count)]


def kept(job_id: str) -> set[str]:
    return {row["message"] for row in table.query(job_id, prefix="EVENT#THEIRS#")}


@pytest.mark.parametrize("count", [500, 501, 20_003])
def test_of_many_steps_an_even_share_is_kept_with_the_first_and_the_last(count: int, system: System) -> None:
    assert system
    job = opened()
    words = [TrainerEvent("begun", AT, "It has begun")]
    for _ in range(2):
        assert keep_events(job, [*words, *steps(count)], 0) == AT + count - 1
    told = kept(job.id)
    assert {"It has begun", "Step 0", f"Step {count - 1}"} <= told
    assert 250 <= len(told) <= 502
    numbers = sorted(int(message.removeprefix("Step ")) for message in told - {"It has begun"})
    gaps = {later - earlier for earlier, later in pairwise(numbers[:-1])}
    assert len(gaps) == 1


def test_steps_that_come_look_by_look_stay_few(system: System) -> None:
    """Each look tells all there are, and keeps those that the one before would have kept."""
    assert system
    job = opened()
    since = 0
    for count in range(400, 2001, 400):
        since = keep_events(job, steps(count), since)
    assert len(kept(job.id)) <= 500 + 250 * 2 + 5
