"""The parts of a round: whose answers are graded, and whether users got them.

In: a rollout, and the calls that a round has. Out: for each model the answers that users got, and the calls to which it
is asked for the other answer. A call that its model failed, or that the fallback answered, is an error of that model,
and is in no pair. Of a failed call that nobody answered the other model is asked, too: the request may be to blame.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from completions.completion import Completion
from foundation.ids import derived_id
from rollouts.rollout import Rollout
from rollouts.round import RoundRun, Side

_FAILED = "The model did not answer this call."


class Part(NamedTuple):
    """The calls of one run of a round."""

    side: Side
    sampled: bool
    """Whether the model is asked for its answers now; else they are those that users got."""
    model: str
    calls: list[Completion]

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of the run."""
        return (_row(call, sampled=self.sampled) for call in self.calls)

    def run(self, round_id: str) -> RoundRun:
        """The run, whose id follows from the round and the part."""
        kind = "sampled" if self.sampled else "stored"
        run_id = derived_id("evalrun_", round_id, self.side, kind)
        return RoundRun(run_id=run_id, side=self.side, sampled=self.sampled)


def parts_of(rollout: Rollout, calls: Iterable[Completion]) -> list[Part]:
    """The parts in which there are calls."""
    found: dict[tuple[Side, bool], list[Completion]] = defaultdict(list)
    for call in calls:
        side = side_of(rollout, call)
        if side is None:
            continue
        found[side, False].append(call)
        if call.failed or not did_fail(call):
            found["candidate" if side == "stable" else "stable", True].append(call)
    models = {"stable": rollout.stable, "candidate": rollout.candidate}
    return [Part(side, sampled, models[side], own) for (side, sampled), own in found.items()]


def side_of(rollout: Rollout, call: Completion) -> Side | None:
    """The model that the alias chose for a call; None where it is neither of the two."""
    target = (call.alias or {}).get("target")
    if target == rollout.candidate:
        return "candidate"
    return "stable" if target == rollout.stable else None


def did_fail(call: Completion) -> bool:
    """Whether the model that the alias chose gave no answer: an error came, or the fallback answered."""
    return call.failed or call.request.get("model") != (call.alias or {}).get("target")


def _row(call: Completion, *, sampled: bool) -> dict[str, Any]:
    if sampled:
        return call.row(with_sample=False)
    if did_fail(call):
        return {**call.row(with_sample=False), "sample": {"error": {"message": _FAILED}}}
    return call.row()
