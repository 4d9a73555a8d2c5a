"""Begin the round of a captured object: take its calls, write the runs' rows, have the runs planned.

In: a rollout, the object's key, and those of its calls that are the rollout's share. Out: the round, written once, and
up to four runs, whose ids follow from it; nothing where the budget has no room, or nobody takes pairs now. Done again
it finds what is there and does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from completions.completion import Completion
from distillations import lineage
from distillations.lineage import Node
from evals.data_sources import CompletionsSource, FileId, ItemReference
from evals.eval import Eval
from evals.own_rows import write_rows
from evals.run import Run, new_run
from foundation import bus
from foundation.events import PlanRun
from foundation.ids import now
from rolling_out import budget
from rolling_out.part import Part, parts_of
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound, round_id_of
from rollouts.taken import place_of, take

MOST_IN_A_ROUND = 200
"""The calls that a round takes of one object. The budget is passed by one round at most: it must be no large one."""


class Begun(NamedTuple):
    """A round that is written, and the parts whose runs it needs."""

    rollout: Rollout
    graded_by: Eval
    round: RolloutRound
    parts: list[Part]


def begin(rollout_id: str, key: str, calls: Sequence[Completion]) -> Begun | None:
    """Write the round of these calls, or find it where it was begun before. None where there is nothing to do.

    Whoever calls it holds the lease of the rollout's rounds.
    """
    rollout = Rollout.load(rollout_id)
    round_id = round_id_of(rollout_id, key)
    known = RolloutRound.find(rollout_id, round_id)
    eval_ = Eval.find(rollout.online_eval_id)
    if eval_ is None or (known and known.tally is not None):
        return None
    wanted = _wanted(rollout, calls)
    expected = 0
    if known is None:
        expected = budget.expected(parts_of(rollout, wanted), eval_)
        if not (wanted and rollout.takes_pairs and budget.has_room(rollout, expected)):
            return None
    taken = take(rollout_id, round_id, [call.id for call in wanted])
    parts = parts_of(rollout, [call for call in wanted if call.id in taken])
    return Begun(rollout, eval_, known or _write(rollout, key, parts, expected), parts) if parts else None


def start(begun: Begun) -> None:
    """Write the runs of a round, and have them planned; those that are there already, as far as they are not."""
    rollout, round_ = begun.rollout, begun.round
    own = {run.run_id for run in round_.runs}
    parts = (part for part in begun.parts if part.run(rollout.id, round_.key).run_id in own)
    runs = [_begin_run(rollout, begun.graded_by, round_.key, part) for part in parts]
    bus.send_all(PlanRun(run_id=run.id, correlation_id=rollout.id) for run in runs if run and run.status == "queued")


def _wanted(rollout: Rollout, calls: Sequence[Completion]) -> list[Completion]:
    """The calls, each id once, at most as many as a round takes."""
    own = {call.id: call for call in calls}
    return sorted(own.values(), key=lambda call: place_of(rollout.id, call.id))[:MOST_IN_A_ROUND]


def _write(rollout: Rollout, key: str, parts: Sequence[Part], expected: int) -> RolloutRound:
    return RolloutRound(
        id=round_id_of(rollout.id, key),
        rollout_id=rollout.id,
        key=key,
        window=rollout.window,
        stage=rollout.stage,
        begun_at=now(),
        runs=[part.run(rollout.id, key) for part in parts],
        expected_nanodollars=expected,
    ).begin()


def _begin_run(rollout: Rollout, eval_: Eval, key: str, part: Part) -> Run | None:
    """Write the run of a part and all that it needs, unless it is there. None where it has no rows any more."""
    run_id = part.run(rollout.id, key).run_id
    known = Run.find(run_id)
    if known:
        return known
    lineage.link_completions((call.id for call in part.calls), Node("run", run_id))
    kind = "asked" if part.sampled else "as users got it"
    name = f"{rollout.id}: {part.side}, {kind}"
    file = write_rows(run_id, f"{run_id}.jsonl", part.rows)
    if file is None:
        return None
    run = new_run(run_id, eval_, name=name, data_source=_source(file.id, part), rollout_id=rollout.id)
    run.model = part.model
    run.create()
    lineage.link_run(run)
    return run


def _source(file_id: str, part: Part) -> CompletionsSource:
    source = CompletionsSource(type="completions", source=FileId(type="file_id", id=file_id))
    if not part.sampled:
        return source
    # What was asked in an earlier round is asked anew: a model that has become worse would hide behind old answers.
    asked = {"model": part.model, "fresh": True}
    return source.model_copy(
        update={**asked, "input_messages": ItemReference(type="item_reference", item_reference="item.input")}
    )
