"""What lands while rounds are under way is taken together, each call once, whatever is killed or comes twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import botocore.client
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from evals.run import Run
from foundation import ids, lease
from rolling_out import advance, gather, observe
from rolling_out.budget import Room
from rollouts import waiting
from rollouts.rollout import Rollout, RolloutPause
from rollouts.round import RolloutRound, Tally
from rollouts.taken import holders
from rollouts.waiting import WaitingObject
from tests.conftest import Context
from tests.examples import examples
from tests.flow.system import System
from tests.rolling_out.calls import CANDIDATE, STABLE, begun, call, landed, names, rows

pytestmark = pytest.mark.usefixtures("system")
USD = 1_000_000_000
_NUMBERS = count()
_HANGING_MS = 600_000


@pytest.fixture(autouse=True)
def two_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "SIDE_BY_SIDE", 2)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets so many milliseconds pass."""
    passed, now_ms = [0], ids.now_ms
    monkeypatch.setattr(ids, "now_ms", lambda: now_ms() + passed[0])
    monkeypatch.setattr(lease, "now_ms", lambda: now_ms() + passed[0])

    def let_pass(ms: int) -> None:
        passed[0] += ms

    return let_pass


def land(*numbers: int) -> str:
    """Let an object with these calls land. Returns its key."""
    key = landed(*(call(number) for number in numbers))
    observe.observe(key, Context())
    return key


def end(rollout: Rollout, number: int | None = None) -> None:
    """Let the runs of some open rounds end, and the rollout hear of it."""
    for round_ in RolloutRound.open_ones(rollout.id)[:number]:
        for part in round_.runs:
            run = Run.find(part.run_id)
            if run:
                run.cancel()
    advance.advance(rollout.id, Context())


def rounds(rollout: Rollout) -> list[int]:
    """How many objects each round has taken, the oldest round first."""
    return [len(round_.keys) for round_ in RolloutRound.every(rollout.id)]


def test_what_lands_while_rounds_are_under_way_is_taken_together() -> None:
    rollout = begun()
    for number in range(6):
        land(number)
    assert rounds(rollout) == [1, 1]
    assert [each.calls for each in waiting.those(rollout.id)] == [1] * 4
    end(rollout, 1)
    assert rounds(rollout) == [1, 1, 4]
    assert not waiting.is_any(rollout.id)
    assert rows(rollout) == {("stable", False): names(*range(6)), ("candidate", True): names(*range(6))}
    end(rollout)
    land(6)
    assert rounds(rollout) == [1, 1, 4, 1]


def test_what_fills_a_round_waits_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("captured", "gather"):
        monkeypatch.setattr(f"rolling_out.{module}.MOST_IN_A_ROUND", 3)
    monkeypatch.setattr(gather, "SIDE_BY_SIDE", 1)
    rollout = begun()
    land(0)
    land(1, 2, 3, 4)
    assert rounds(rollout) == [1, 1]
    land(5, 6)
    assert [each.calls for each in waiting.those(rollout.id)] == [2]
    land(7, 8)
    # The two do not fit together: none of their calls is left out.
    assert (rounds(rollout), len(waiting.those(rollout.id))) == ([1, 1, 1], 1)
    land(9)
    assert (rounds(rollout), len(waiting.those(rollout.id))) == ([1, 1, 1, 2], 0)
    taken = rows(rollout)["stable", False]
    assert [name for name in taken if name in names(0, 5, 6, 7, 8, 9)] == names(0, 5, 6, 7, 8, 9)


def test_nothing_waits_for_a_round_that_hangs(clock: Callable[[int], None]) -> None:
    rollout = begun()
    for number in range(4):
        land(number)
    clock(_HANGING_MS - 20_000)
    advance.look(Context())
    assert rounds(rollout) == [1, 1]
    clock(20_000)
    advance.look(Context())
    assert rounds(rollout) == [1, 1, 2]
    assert len(RolloutRound.open_ones(rollout.id)) == 3


def objects(*given: tuple[int, int]) -> list[WaitingObject]:
    """Objects with so many calls that cost so much."""
    return [WaitingObject(str(place), calls, nanodollars, 0) for place, (calls, nanodollars) in enumerate(given)]


@pytest.mark.parametrize(
    ("given", "left", "number", "is_full"),
    [
        ([(1, 1)] * 5, 100, 5, False),
        ([(1, 1)] * 250, 1000, 200, True),
        ([(100, 1), (100, 1)], 100, 2, True),
        ([(150, 1), (51, 1), (1, 1)], 100, 1, True),
        # Twice what they may cost fits into what is left.
        ([(1, 10)] * 5, 60, 3, False),
        ([(1, 10)] * 5, 0, 1, False),
    ],
)
def test_the_oldest_are_taken_that_fit_into_a_round_and_the_budget(
    given: list[tuple[int, int]], left: int, number: int, is_full: bool
) -> None:
    chosen = gather._fitting(objects(*given), Room(False, left, 1, 0))
    assert (len(chosen[0]), chosen[1]) == (number, is_full)


@pytest.fixture
def a_dollar_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def expected(parts: Any, _: Any) -> int:
        return sum(USD * len(part.calls) for part in parts if part.sampled)

    monkeypatch.setattr("rolling_out.budget.expected", expected)


@pytest.mark.usefixtures("a_dollar_a_call")
def test_near_the_end_of_the_budget_what_has_no_room_waits_for_the_rounds_under_way() -> None:
    rollout = begun(max_usd=5.0)
    land(0, 1)
    for number in (2, 3, 4):
        land(number)
    assert (rounds(rollout), len(waiting.those(rollout.id))) == ([1], 3)
    end(rollout)
    # Twice two dollars fit into five, twice three do not.
    assert (rounds(rollout), len(waiting.those(rollout.id))) == ([1, 2], 1)
    end(rollout)
    assert rounds(rollout) == [1, 2, 1]


@pytest.mark.usefixtures("a_dollar_a_call")
def test_once_the_budget_is_spent_what_waits_is_dropped() -> None:
    rollout = begun(max_usd=5.0)
    land(0, 1)
    land(2)
    RolloutRound(id="r", rollout_id=rollout.id, key="r", window=1, stage=0, begun_at=1).begin().record(
        Tally(spent_nanodollars=5 * USD)
    )
    gather.gather(rollout.id, Context())
    assert waiting.is_any(rollout.id)
    for round_ in RolloutRound.open_ones(rollout.id):
        round_.record(Tally())
    land(3)
    assert not waiting.is_any(rollout.id)
    assert rounds(rollout) == [1, 1]


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({"status": "frozen"}, False),
        ({"status": "rolled_back"}, False),
        ({"status": "promoted"}, False),
        ({"status": "paused", "pause": RolloutPause(reason="budget", since=1, message="m")}, False),
        ({"status": "paused", "pause": RolloutPause(reason="provider_away", since=1, message="m")}, True),
    ],
    ids=["frozen", "rolled back", "promoted", "budget", "provider away"],
)
def test_what_waits_is_dropped_where_no_pairs_are_taken(changes: dict[str, Any], stays: bool) -> None:
    rollout = begun()
    for number in range(3):
        land(number)
    rollout.change(changes)
    advance.advance(rollout.id, Context(), resend=True)
    assert waiting.is_any(rollout.id) == stays
    assert rounds(rollout) == [1, 1]


def test_what_comes_just_as_a_rollout_ends_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = begun()
    monkeypatch.setattr(gather, "SIDE_BY_SIDE", 0)
    rollout.change({"status": "canceled"})
    gather.arrive(rollout, landed(call(0)), [], Context())
    waiting.add(rollout.id, "completions/a", calls=1, nanodollars=0)
    gather.gather(rollout.id, Context())
    assert not waiting.is_any(rollout.id)
    waiting.add("rollout_gone", "completions/a", calls=1, nanodollars=0)
    gather.gather("rollout_gone", Context())
    assert not waiting.is_any("rollout_gone")


def test_two_do_not_gather_at_once_and_who_has_gathered_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = begun()
    for number in range(3):
        land(number)
    take, late = gather._take, [3, 4]

    def taken(*given: Any, **named: Any) -> bool:
        """Others let objects wait meanwhile, and tally the rounds that they wait for: they leave them to this one."""
        done = take(*given, **named)
        if late:
            key = landed(*(call(late.pop()) for _ in range(2)))
            waiting.add(rollout.id, key, calls=2, nanodollars=0)
            end(rollout)
        return done

    for round_ in RolloutRound.open_ones(rollout.id):
        round_.record(Tally())
    monkeypatch.setattr(gather, "_take", taken)
    with lease.held(rollout.id, "GATHERING", Context()):
        gather.gather(rollout.id, Context())
    assert rounds(rollout) == [1, 1]
    gather.gather(rollout.id, Context())
    assert rounds(rollout) == [1, 1, 1, 1]
    assert rows(rollout)["stable", False] == names(*range(5))


@pytest.fixture
def half_begun(monkeypatch: pytest.MonkeyPatch) -> tuple[Rollout, str]:
    """A rollout and the object of its round, which was written and whose runs were not."""
    rollout, key = begun(), landed(call(0), call(1))
    with no_rows_written(monkeypatch):
        observe.observe(key, Context())
    assert rounds(rollout) == [1]
    return rollout, key


@contextmanager
def no_rows_written(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have whoever begins a round fail once it is written."""

    def raises(*_: Any) -> Any:
        raise ValueError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("rolling_out.begin.write_rows", raises)
        with pytest.raises(ValueError, match="killed"):
            yield


def begun_runs(rollout: Rollout) -> list[bool]:
    return [Run.find(part.run_id) is not None for part in next(RolloutRound.every(rollout.id)).runs]


def test_an_object_that_comes_again_has_its_round_go_on_whatever_waits(half_begun: tuple[Rollout, str]) -> None:
    rollout, key = half_begun
    for number in (2, 3, 4):
        land(number)
    assert (rounds(rollout), begun_runs(rollout)) == ([1, 1], [False, False])
    observe.observe(key, Context())
    assert begun_runs(rollout) == [True, True]
    assert rows(rollout)["stable", False] == names(0, 1, 2)
    assert len(waiting.those(rollout.id)) == 2


def test_the_clock_lets_a_round_go_on_after_a_minute_whose_runs_are_not_there(
    half_begun: tuple[Rollout, str], clock: Callable[[int], None]
) -> None:
    rollout, _ = half_begun
    advance.look(Context())
    assert begun_runs(rollout) == [False, False]
    clock(60_000)
    advance.look(Context())
    assert begun_runs(rollout) == [True, True]
    assert rows(rollout)["stable", False] == names(0, 1)


def test_a_round_goes_on_with_its_own_calls_alone(
    clock: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = begun()
    land(0, 1)
    with no_rows_written(monkeypatch):
        land(1, 2)
    clock(60_000)
    advance.look(Context())
    assert rows(rollout)["stable", False] == names(0, 1, 2)


def test_a_round_that_cannot_go_on_holds_others_up_for_ten_minutes_at_most(
    half_begun: tuple[Rollout, str], clock: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout, key = half_begun
    waiting.add(rollout.id, key, calls=2, nanodollars=0)
    waiting.add(rollout.id, landed(call(2)), calls=1, nanodollars=0)
    with no_rows_written(monkeypatch):
        gather.gather(rollout.id, Context())
    assert len(waiting.those(rollout.id)) == 2
    clock(_HANGING_MS)
    monkeypatch.setattr(gather, "go_on", lambda *_: pytest.fail("it hangs"))
    gather.gather(rollout.id, Context())
    assert (rounds(rollout), waiting.is_any(rollout.id)) == ([1, 1], False)


def test_what_lands_does_not_overtake_what_waits() -> None:
    rollout = begun()
    waiting.add(rollout.id, landed(call(0)), calls=1, nanodollars=0)
    land(1)
    assert rounds(rollout) == [2]


def test_an_object_waits_until_the_runs_of_its_round_are_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = begun()
    for number in range(4):
        land(number)
    with no_rows_written(monkeypatch):
        end(rollout, 1)
    assert (rounds(rollout), len(waiting.those(rollout.id))) == ([1, 1, 2], 2)
    end(rollout, 1)
    advance.look(Context())
    assert (rounds(rollout), len(waiting.those(rollout.id))) == ([1, 1, 2], 0)
    assert rows(rollout)["stable", False] == names(*range(4))


def test_with_little_time_left_no_round_is_begun() -> None:
    rollout = begun()
    waiting.add(rollout.id, landed(call(0)), calls=1, nanodollars=0)
    gather.gather(rollout.id, Context(left_ms=5_000))
    assert rounds(rollout) == []
    gather.gather(rollout.id, Context())
    assert rounds(rollout) == [1]


# ------------------------------------------------------------------ kills


class Killed(BaseException):
    """The process was stopped."""


@contextmanager
def killed_at(number: int, *, after: bool) -> Iterator[None]:
    """Stop the process at its call of AWS of this number, from 1: it makes no further one, nor releases a lease."""
    made, numbers = botocore.client.BaseClient._make_api_call, count(1)

    def make(self: Any, name: str, arguments: Any) -> Any:
        place = next(numbers)
        if place > number or (place == number and not after):
            raise Killed
        answer = made(self, name, arguments)
        if place == number:
            raise Killed
        return answer

    with pytest.MonkeyPatch.context() as patch, suppress(Killed):
        patch.setattr(botocore.client.BaseClient, "_make_api_call", make)
        yield


_MOST_CALLS = 60
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""An example takes half a second: to make one that fails smaller would take minutes."""
_EVENTS = st.tuples(
    st.sampled_from(["land", "land", "land", "end", "end", "look"]),
    st.integers(0, 4),
    st.one_of(st.none(), st.tuples(st.integers(1, _MOST_CALLS), st.booleans())),
)


@settings(max_examples=examples(36), phases=_PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(_EVENTS, min_size=3, max_size=8))
def test_any_order_any_doubling_and_any_kill_takes_each_call_once(
    events: list[tuple[str, int, tuple[int, bool] | None]], shared: list[str], clock: Callable[[int], None]
) -> None:
    rollout = begun(id=f"rollout_{next(_NUMBERS)}")

    def happen(event: str, number: int) -> None:
        match event:
            case "land":
                observe.observe(shared[number], Context())
            case "end":
                end(rollout, 1)
            case "look":
                advance.look(Context())

    for event, number, kill in events:
        if kill:
            with killed_at(kill[0], after=kill[1]):
                happen(event, number)
            clock(70_000)  # SQS delivers it again when the lease of whoever was killed has run out.
        happen(event, number)
    for number in range(len(shared)):
        happen("land", number)
    for _ in range(4):
        clock(_HANGING_MS)
        happen("look", 0)
        end(rollout)
    assert not waiting.is_any(rollout.id)
    assert not RolloutRound.open_ones(rollout.id)
    found = rows(rollout)
    assert found == {
        ("stable", False): names(0, 1, 2, 4, 5),
        ("candidate", True): names(0, 1, 2, 4, 5),
        ("candidate", False): names(3),
        ("stable", True): names(3),
    }
    assert holders(rollout.id, names(*range(6))).keys() == {*names(*range(6))}


@pytest.fixture
def shared(system: System) -> list[str]:  # noqa: ARG001
    """Five objects, of which two share a call: SQS had brought its message again in another group."""
    return [
        landed(call(0), call(1)),
        landed(call(1), call(2), call(3, CANDIDATE)),
        landed(call(4)),
        landed(call(5)),
        landed(call(5), call(0, STABLE)),
    ]
