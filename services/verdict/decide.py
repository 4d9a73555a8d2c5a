"""Decide a distillation: the evidence, the outcome by fixed rules, and one sentence about both.

In: `DecideVerdict`. Out: one `Verdict`, written once, and a `VerdictDecided` for those who tell people of it.
"""

from __future__ import annotations

from distillations import lineage
from distillations.deciding.document import RunGone, runs_of, verdict_of
from distillations.deciding.reuse import RowSet
from distillations.distillation import TERMINAL, Distillation
from distillations.lineage import Node
from distillations.verdict import Verdict
from foundation import bus
from foundation.events import StepFailed, VerdictDecided
from foundation.ids import now
from verdict.promoting import promote_winner


def decide(distillation_id: str) -> None:
    """Decide the distillation unless it is decided, and send `VerdictDecided`, which may be sent twice without harm.

    The alias that it names is changed last: whatever fails there, people have their verdict.
    """
    distillation = Distillation.load(distillation_id)
    if distillation.status not in TERMINAL:
        _decide(distillation)
    promote_winner(distillation)


def _decide(distillation: Distillation) -> None:
    verdict = Verdict.find(distillation.verdict_id)
    if verdict:
        verdict.create()  # A delivery that broke off may have left it out of the list.
    else:
        try:
            _write(distillation)
        except RunGone as gone:
            failed = StepFailed(
                distillation_id=distillation.id, during="deciding", code="run_deleted", message=gone.message
            )
            bus.send(failed)
            return
    decided = VerdictDecided(distillation_id=distillation.id)
    bus.send(decided)


def _write(distillation: Distillation) -> None:
    """Write the verdict and its lineage, unless another delivery has. Raises RunGone."""
    runs, row_set = runs_of(distillation), RowSet.of(distillation)
    row_set.note(distillation)
    verdict = verdict_of(distillation, runs, row_set, at=now())
    run_ids = [*verdict.runs.values(), *(contender.run_id for contender in verdict.contenders)]
    run_ids += [attempt.run_id for attempt in distillation.attempts if attempt.run_id]
    edges = [(Node("run", run_id), Node("verdict", verdict.id)) for run_id in run_ids]
    lineage.link([*edges, (Node("model", verdict.scores["distilled"].model), Node("verdict", verdict.id))])
    verdict.create()
