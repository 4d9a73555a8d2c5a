"""Tell people what a rollout did: an alert a step, whose id follows from it, so that each is told once.

In: the rollout, and the step. Out: an alert, for the steps that people are told of.
"""

from __future__ import annotations

from notifications.alerts import Alert
from notifications.event_types import EventType
from notifications.raising import raise_once
from rollouts.rollout import Rollout, Step, StepKind

_EVENTS: dict[StepKind, EventType] = {
    "started": "rollout.started",
    "advanced": "rollout.advanced",
    "paused": "rollout.paused",
    "rolled_back": "rollout.rolled_back",
    "failed": "rollout.rolled_back",
    "promoted": "rollout.promoted",
}


def tell(rollout: Rollout, step: Step) -> None:
    """Have people told of this step, unless nobody is told of its kind."""
    event = _EVENTS.get(step.kind)
    if event is None:
        return
    alert = Alert.of(
        event,
        rollout.id,
        step.number,
        sentence=_sentence(rollout, step),
        lines=_lines(rollout, step),
        command=f"stillhouse rollout show {rollout.id}",
    )
    raise_once(alert)


def _sentence(rollout: Rollout, step: Step) -> str:
    name, candidate, stable = rollout.alias, rollout.candidate, rollout.stable
    match step.kind:
        case "started":
            return f"The rollout of {candidate} for {name} has begun, with {_share(step.percent)}."
        case "advanced":
            return f"The rollout of {candidate} for {name} goes on: it answers {_share(step.percent)} now."
        case "promoted":
            return f"{candidate} is promoted: it answers all calls of {name} now, and {stable} is the fallback."
        case "paused":
            return f"The rollout of {candidate} for {name} is paused: {step.why}"
        case _:
            gate = f" by the gate '{rollout.ended.gate}'" if rollout.ended and rollout.ended.gate else ""
            if step.alias_version is None:  # It was in the shadow, or somebody has taken the calls from it before.
                return f"{candidate} is rolled back{gate}: it answers no calls of {name}."
            return f"{candidate} is rolled back{gate}: {stable} answers all calls of {name} again."


def _share(percent: int) -> str:
    return f"{percent}% of the calls" if percent else "no calls of users, only copies of them"


def _lines(rollout: Rollout, step: Step) -> list[str]:
    ended = rollout.ended
    if ended:
        pairs = [f"Answered worse: {', '.join(ended.pairs)}"] if ended.pairs else []
        return [ended.why, *ended.figures, *pairs]
    if rollout.pause:
        return [rollout.pause.message]
    return [step.why, f"To stop it: stillhouse rollout rollback {rollout.id}"]
