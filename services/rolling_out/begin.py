"""Begin a round: take the calls of captured objects, write the runs' rows, have the runs planned.

In: a rollout, and the calls that are to be graded. Out: the round, and up to four runs, whose ids follow from it. The
round is there with the one write that names its objects: whoever is killed before has begun nothing, and after that
`go_on` finds what is there and does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from distillations import lineage
from distillations.lineage import Node
from evals.data_sources import CompletionsSource, FileId, ItemReference
from evals.eval import Eval
from evals.own_rows import write_rows
from evals.run import Run, new_run
from foundation import bus
from foundation.events import PlanRun
from foundation.ids import now
from rolling_out.captured import share_in
from rolling_out.part import Part, parts_of
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound, new_round_id
from rollouts.taken import rounds_with, take


class Begun(NamedTuple):
    """A round that is written, and the parts whose runs it needs."""

    rollout: Rollout
    graded_by: Eval
    round: RolloutRound
    parts: list[Part]


def begin(rollout: Rollout, keys: Sequence[str], parts: Sequence[Part], nanodollars: int) -> RolloutRound:
    """Write the round of these objects. The parts have those of their calls that no round has.

    Whoever calls it holds the lease of the rollout's rounds.
    """
    round_id = new_round_id()
    take(rollout.id, round_id, (call.id for part in parts if not part.sampled for call in part.calls))
    return RolloutRound(
        id=round_id,
        rollout_id=rollout.id,
        key=keys[0],
        further_keys=keys[1:],
        window=rollout.window,
        stage=rollout.stage,
        begun_at=now(),
        runs=[part.run(round_id) for part in parts],
        expected_nanodollars=nanodollars,
    ).begin()


def start(begun: Begun) -> None:
    """Write the runs of a round, and have them planned; those that are there already, as far as they are not."""
    ids = {(run.side, run.sampled): run.run_id for run in begun.round.runs}
    own = ((part, ids[part.side, part.sampled]) for part in begun.parts if (part.side, part.sampled) in ids)
    _plan(begun.rollout, [_begin_run(begun, part, run_id) for part, run_id in own])


def go_on(rollout: Rollout, round_: RolloutRound) -> None:
    """Do what is left of the beginning of a round that has no tally: whoever began it may have been killed."""
    runs = [Run.find(part.run_id) for part in round_.runs]
    graded_by = Eval.find(rollout.online_eval_id)
    if all(runs) or graded_by is None:
        _plan(rollout, runs)
        return
    calls = share_in(rollout, round_.keys)
    holders = rounds_with(rollout.id, calls)
    own = [call for call in calls.values() if holders.get(call.id) == round_.id]
    start(Begun(rollout, graded_by, round_, parts_of(rollout, own)))


def _plan(rollout: Rollout, runs: Iterable[Run | None]) -> None:
    bus.send_all(PlanRun(run_id=run.id, correlation_id=rollout.id) for run in runs if run and run.status == "queued")


def _begin_run(begun: Begun, part: Part, run_id: str) -> Run | None:
    """Write the run of a part and all that it needs, unless it is there. None where it has no rows any more."""
    rollout = begun.rollout
    known = Run.find(run_id)
    if known:
        return known
    lineage.link_completions((call.id for call in part.calls), Node("run", run_id))
    kind = "asked" if part.sampled else "as users got it"
    name = f"{rollout.id}: {part.side}, {kind}"
    file = write_rows(run_id, f"{run_id}.jsonl", part.rows)
    if file is None:
        return None
    run = new_run(run_id, begun.graded_by, name=name, data_source=_source(file.id, part), rollout_id=rollout.id)
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
