"""Gates by the pairs of their windows."""

import pytest

from rollouts.gates import Gates
from rollouts.judging import alpha_of, judge, standings
from rollouts.rollout import Rollout, Window
from rollouts.round import SideTally
from tests.rollouts.build import AT, rollout, tally

GATES = Gates(max_latency_p95_ms=900, max_cost_ratio=0.5)


def windows(count: int, gates: Gates = GATES, stages: list[int] | None = None) -> Rollout:
    """A rollout with so many windows, of one stage or of these."""
    of = stages or [0] * count
    opened = [Window(stage=stage, since=AT, alpha=alpha_of(n, gates)) for n, stage in enumerate(of, start=1)]
    return rollout(gates=gates, windows=opened, stage=of[-1])


def full(**fields: object) -> object:
    candidate = SideTally(asked=200, timed=200)
    return tally(200, 3, 3).model_copy(update={"candidate": candidate, "priced": 200, **fields})


def states(counted: object, gates: Gates = GATES) -> dict[str, str]:
    return {gate: found.state for gate, found in standings(windows(1, gates), {1: counted}).items()}


def test_all_windows_together_may_err_with_alpha():
    assert sum(alpha_of(number, GATES) for number in range(1, 10_000)) == pytest.approx(0.01, rel=1e-3)
    assert sum(alpha_of(number, GATES) for number in range(1, 10_000)) < 0.01


@pytest.mark.parametrize("gates", [Gates(), GATES])
def test_the_gates_of_a_window_share_what_it_may_err_with(gates: Gates) -> None:
    found = judge(windows(3, gates), {3: tally(100)})
    may_err = [(1 - finding.confidence) / 2 for finding in found]
    assert sum(may_err) == pytest.approx(alpha_of(1, gates))
    assert len(set(may_err)) == 1


def test_what_is_as_good_as_before_holds_in_every_gate():
    assert states(full()) == dict.fromkeys(["quality", "errors", "malformed", "latency", "cost"], "holds")


def test_a_gate_without_a_limit_is_none():
    assert list(states(tally(200), Gates())) == ["quality", "errors", "malformed"]


@pytest.mark.parametrize(
    ("gate", "fields"),
    [
        ("quality", {"quality": tally(200, 60).quality}),
        ("errors", {"candidate": SideTally(asked=200, errors=40, timed=200)}),
        ("malformed", {"malformed": tally(200, 40).quality}),
        ("latency", {"candidate": SideTally(asked=200, timed=200, slow=60)}),
        ("cost", {"dearer": 160}),
    ],
)
def test_each_gate_is_breached_by_its_own_figures_alone(gate, fields):
    found = states(full(**fields))
    assert [name for name, state in found.items() if state == "breached"] == [gate]
    finding = next(one for one in judge(windows(1), {1: full(**fields)}) if one.gate == gate)
    assert finding.evidence >= 1
    assert finding.interval[0] >= finding.limit
    assert "allowed" in finding.sentence


def test_a_few_pairs_say_nothing_and_a_small_excess_is_doubtful():
    assert states(tally(99))["quality"] == "unknown"
    assert states(tally(100, 4))["quality"] == "doubtful"
    assert states(full(priced=99))["cost"] == "unknown"


def test_the_interval_passes_the_limit_just_as_the_gate_is_breached():
    for worse in range(10, 40):
        finding = judge(windows(1, Gates()), {1: tally(100, worse)})[0]
        assert (finding.state == "breached") == (finding.interval[0] > finding.limit)


def test_a_good_past_does_not_hide_what_comes() -> None:
    good, bad = tally(5000, 5, 5), tally(100, 35)
    assert standings(windows(1), {1: good.plus(bad)})["quality"].state == "holds"
    apart = standings(windows(2), {1: good, 2: bad})["quality"]
    assert (apart.state, apart.window, apart.seen.number) == ("breached", 2, 100)


def test_a_small_difference_is_not_forgotten_with_a_new_window() -> None:
    some = tally(500, 70, 30)
    assert standings(windows(1), {1: some})["quality"].state == "doubtful"
    both = standings(windows(2), {1: some, 2: some})["quality"]
    assert (both.state, both.window, both.seen.number) == ("breached", 1, 1000)


def test_pairs_of_an_earlier_window_count_also_where_they_come_late() -> None:
    bad = tally(100, 35)
    assert standings(windows(2, stages=[0, 1]), {1: bad})["quality"].state == "breached"


def test_a_stage_holds_by_its_own_pairs() -> None:
    stages = [0, 1, 1]
    found = standings(windows(3, stages=stages), {1: tally(400), 2: tally(60), 3: tally(39)})["quality"]
    assert (found.state, found.window, found.seen.number) == ("unknown", 2, 99)
    found = standings(windows(3, stages=stages), {1: tally(400), 2: tally(60, 3), 3: tally(60)})["quality"]
    assert (found.state, found.seen.number) == ("doubtful", 120)


def test_a_stage_that_was_resumed_begins_anew() -> None:
    of = windows(2)
    of.windows[1] = of.windows[1].model_copy(update={"since": AT + 9})
    of.stage_since = AT + 9
    assert standings(of, {1: tally(400), 2: tally(50)})["quality"].state == "unknown"


def test_no_pairs_are_no_evidence():
    found = judge(windows(1), {})
    assert {one.state for one in found} == {"unknown"}
    assert {one.observed for one in found} == {None}
    assert all(one.evidence <= 0 for one in found)
