"""Have a rollout do what is due: the one entrance for whatever has changed.

In: its id; after a tally, by the clock, after what somebody asked of it. Out: the rollout as it then is. Called twice,
or late, or by two at once, it takes each step once: every step is decided by a conditional write on what was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from aliases.alias import Alias
from evals.eval import Eval
from evals.run import Run
from foundation.errors import RetryLater
from foundation.ids import now
from providers.model_version import ModelVersion
from rollouts.judging import judge
from rollouts.moving import PAUSES, finish, move, open_window, step_of
from rollouts.next_step import Due, Known, due, known_of
from rollouts.rollout import MOST_LOST, Rollout, RolloutEnd, RolloutPause
from rollouts.round import RolloutRound
from rollouts.sums import Counted, counted

_MOST_STEPS = 20


def advance(rollout_id: str) -> Rollout | None:
    """Finish the step under way, then take those that are due. None where there is no such rollout."""
    rollout = Rollout.find(rollout_id)
    for _ in range(_MOST_STEPS):
        if rollout is None:
            return None
        moved = finish(rollout)
        step = moved and _next(moved)
        if moved and step is None:
            return moved
        rollout = Rollout.find(rollout_id)
    raise RetryLater(f"the rollout {rollout_id} is changed by many at once")


def what_is_known(rollout: Rollout, found: Counted | None = None) -> Known:
    """What a decision about a rollout rests on, read now."""
    found = found or counted(rollout.id)
    tallies, last_pairs_at = known_of(found.sums)
    alias = Alias.find(rollout.alias)
    return Known(
        tallies=tallies,
        last_pairs_at=last_pairs_at,
        alias_version=alias.version if alias else None,
        now=now(),
        provider_is_away=_is_away(found.open_rounds),
        gone=_gone(rollout),
    )


def _next(rollout: Rollout) -> Due | None:
    """Take the step that is due. Returns it, also where somebody else was first; None where none is."""
    if not rollout.is_open:
        return None
    known = what_is_known(rollout)
    step = due(rollout, known)
    if step:
        _take(rollout, step, known)
    return step


def _take(rollout: Rollout, step: Due, known: Known) -> None:
    if step.kind is None:
        open_window(rollout)
        return
    message = PAUSES[step.pause] if step.pause else ""
    pause = RolloutPause(reason=step.pause, since=known.now, message=message) if step.pause else None
    ended = _end(rollout, step, known) if step.kind in {"rolled_back", "failed", "promoted"} else None
    move(rollout, step_of(rollout, step.kind, step.why), pause=pause, ended=ended)


def _end(rollout: Rollout, step: Due, known: Known) -> RolloutEnd:
    """Why it ends, with the figures and pairs of the gate that was exceeded, or of all."""
    findings = judge(rollout, known.tallies)
    told = [finding for finding in findings if step.gate in {None, finding.gate}]
    window = told[0].window if step.gate and told else rollout.window
    since = [known.tallies[number].lost for number in sorted(known.tallies) if number >= window]
    lost = list(chain.from_iterable(since))[-MOST_LOST:] if step.gate else []
    return RolloutEnd(why=step.why, gate=step.gate, figures=[finding.sentence for finding in told], pairs=lost)


def _is_away(open_rounds: Sequence[RolloutRound]) -> bool:
    """Whether a run of an open round waits for its provider. The newest rounds are looked at."""
    newest = sorted(open_rounds, key=lambda round_: -round_.begun_at)[:3]
    runs = (Run.find(run.run_id) for round_ in newest for run in round_.runs)
    return any(run.paused is not None and not run.ended for run in runs if run)


def _gone(rollout: Rollout) -> str | None:
    if Eval.find(rollout.online_eval_id) is None:
        return f"The eval {rollout.online_eval_id}, by which its pairs are graded, was deleted."
    versions = (ModelVersion.find(model) for model in (rollout.candidate, rollout.stable))
    retired = next((version.id for version in versions if version and version.retired_at is not None), None)
    return f"The model {retired} is retired: it answers no more." if retired else None
