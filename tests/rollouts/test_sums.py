"""The sums of a rollout are those of all its rounds, whatever is killed, late, twice or at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import botocore.client
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation import table
from rollouts import sums
from rollouts.rollout import MOST_LOST
from rollouts.round import RolloutRound, unsummed
from rollouts.sums import WindowSum, counted, fold, summed
from tests.examples import examples
from tests.rollouts.build import tally

pytestmark = pytest.mark.usefixtures("system")
_NUMBERS = count()
_ROUNDS = 9
_MOST_CALLS = 14
ID = "rollout_1"


class Killed(Exception):
    """The process was stopped."""


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rounds are enough, and three enter at most."""
    monkeypatch.setattr(sums, "ENOUGH", 2)
    monkeypatch.setattr(sums, "_MOST", 3)


def begin(number: int, rollout_id: str = ID) -> RolloutRound:
    window = number % 3 + 1
    return RolloutRound(
        id=f"round_{number}",
        rollout_id=rollout_id,
        key=str(number),
        window=window,
        stage=window // 2,
        begun_at=10,
    ).begin()


def end(number: int, rollout_id: str = ID) -> None:
    """Tally the round, once it is begun."""
    round_ = RolloutRound.find(rollout_id, f"round_{number}")
    if round_:
        found = tally(number, worse=min(number, 1), usd=number)
        round_.record(found.model_copy(update={"lost": [f"lost-{number}"] * (number > 0)}))


def comparable(found: list[WindowSum]) -> list[dict[str, Any]]:
    """The sums, with what is lost in the order of its names: it has none of its own."""
    plain = [sum_.model_dump() for sum_ in found]
    return [{**sum_, "tally": {**sum_["tally"], "lost": sorted(sum_["tally"]["lost"])}} for sum_ in plain]


def agree(rollout_id: str = ID) -> None:
    """Check the sums against all rounds, read one by one."""
    found, rounds = counted(rollout_id), list(RolloutRound.every(rollout_id))
    assert comparable(found.sums) == comparable(summed(rounds))
    assert {round_.id for round_ in found.open_rounds} == {round_.id for round_ in rounds if round_.tally is None}


@contextmanager
def before_call(number: int, happen: Callable[[], None]) -> Iterator[None]:
    """Let something happen before the call of this number, from 1, is made of AWS."""
    made, numbers = botocore.client.BaseClient._make_api_call, count(1)

    def call(self: Any, name: str, arguments: Any) -> Any:
        if next(numbers) == number:
            happen()
        return made(self, name, arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", call)
        yield


def killed() -> None:
    raise Killed


class Others:
    """What others do meanwhile: tally two rounds, and fold all there are twice; a round may be written late."""

    def __init__(self, rollout_id: str, number: int) -> None:
        self.rollout_id, self.number = rollout_id, number

    def fold(self) -> None:
        fold(self.rollout_id)
        fold(self.rollout_id)

    def tally(self) -> None:
        for number in (self.number, self.number + 1):
            begin(number, self.rollout_id)
            end(number, self.rollout_id)

    def work(self) -> None:
        self.fold()
        self.tally()
        self.fold()
        begin(self.number, self.rollout_id)


_EVENTS = st.tuples(
    st.sampled_from(["begin", "begin", "end", "end", "fold", "killed", "overtaken", "read"]),
    st.integers(0, _ROUNDS - 2),
    st.integers(1, _MOST_CALLS),
)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(_EVENTS, min_size=8, max_size=30))
def test_any_order_any_kill_and_any_overlap_leave_the_sums_of_all_rounds(
    events: list[tuple[str, int, int]],
    few: None,  # noqa: ARG001
) -> None:
    rollout_id = f"rollout_{next(_NUMBERS)}"
    for event, number, call in events:
        others = Others(rollout_id, number)
        match event:
            case "begin":
                begin(number, rollout_id)
            case "end":
                end(number, rollout_id)
            case "fold":
                fold(rollout_id)
            case "killed":
                others.tally()
                with suppress(Killed), before_call(call, killed):
                    fold(rollout_id)
            case "overtaken":
                with before_call(call, others.work):
                    fold(rollout_id)
            case "read":
                with before_call(call % 4 + 1, others.fold):
                    agree(rollout_id)
        agree(rollout_id)
    for number in range(_ROUNDS + 2):
        begin(number, rollout_id)
        end(number, rollout_id)
        fold(rollout_id)
    fold(rollout_id)
    agree(rollout_id)
    assert sum(sum_.rounds for sum_ in counted(rollout_id).sums) == _ROUNDS + 2
    assert len(unsummed(rollout_id)) < sums.ENOUGH


def test_a_look_reads_few_rounds_one_by_one_and_all_are_still_there() -> None:
    read = []
    for number in range(60):
        begin(number)
        end(number)
        fold(ID)
        read.append(len(unsummed(ID)))
    assert max(read) == sums.ENOUGH - 1
    assert len(list(RolloutRound.every(ID))) == 60
    found = counted(ID)
    assert [sum_.rounds for sum_ in found.sums] == [20, 20, 20]
    assert found.tally.quality.pairs == sum(range(60))


@pytest.mark.usefixtures("few")
def test_a_round_that_is_tallied_late_enters_late() -> None:
    begin(1)
    for number in (4, 7):
        begin(number)
        end(number)
    fold(ID)
    [before] = counted(ID).sums
    assert [round_.id for round_ in counted(ID).open_rounds] == [begin(1).id]
    end(1)
    [after] = counted(ID).sums
    assert (before.rounds, after.rounds, after.tally.quality.pairs) == (2, 3, 12)


@pytest.mark.usefixtures("few")
def test_of_lost_pairs_those_of_the_newest_windows_are_kept() -> None:
    for number in range(6):
        lost = [f"{number}-{place}" for place in range(9)]
        begin(number).record(tally(9, 9).model_copy(update={"lost": lost}))
        fold(ID)
    kept = {sum_.window: len(sum_.tally.lost) for sum_ in counted(ID).sums}
    assert (kept, sum(kept.values())) == ({1: 0, 2: 2, 3: 18}, MOST_LOST)


@pytest.mark.usefixtures("few")
def test_an_entry_of_a_round_that_was_never_written_goes_after_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2):
        with suppress(Killed), monkeypatch.context() as patch:
            patch.setattr(table, "put_new", lambda _: killed())
            begin(number)
    fold(ID)
    assert len(unsummed(ID)) == 2
    monkeypatch.setattr("rollouts.round._BEGINNING_S", -1)
    fold(ID)
    assert unsummed(ID) == {}
