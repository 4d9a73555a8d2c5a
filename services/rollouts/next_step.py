"""What a rollout does next by itself, as a function of what is known of it.

In: the rollout, the sums of its rounds, the version of its alias, and the time. Out: the step that is due, and what it
waits for where none is. Nothing is read or written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from foundation.wording import counted
from rollouts.gates import GateName
from rollouts.judging import GateState, Standing, standings
from rollouts.rollout import PauseReason, Rollout, StepKind
from rollouts.round import Tally
from rollouts.sums import WindowSum

PAIRS_OF_A_WINDOW = 500
"""After so many pairs within one stage the next window is opened."""
_SECONDS_A_MINUTE = 60
_STATES: dict[GateState, str] = {"doubtful": "it is worse than allowed so far", "unknown": "it has too few pairs"}


class Known(NamedTuple):
    """What is known of a rollout besides its row."""

    tallies: Mapping[int, Tally]
    """The sums of its rounds by window."""
    last_pairs_at: int
    """When the newest graded pairs came in, in seconds since the epoch; 0 before any."""
    alias_version: int | None
    """The version in which the alias is; null where it was deleted."""
    now: int
    """In seconds since the epoch."""
    provider_is_away: bool = False
    """Whether a run of an open round waits for a provider."""
    gone: str | None = None
    """What a rollout cannot do without, and is not there any more, as a sentence."""

    @property
    def spent_usd(self) -> float:
        return sum(tally.spent_nanodollars for tally in self.tallies.values()) / 1e9


class Due(NamedTuple):
    """A step that is due. Of `window` the next window of the same stage is to be opened, which is no step."""

    kind: StepKind | None
    why: str = ""
    gate: GateName | None = None
    pause: PauseReason | None = None
    window: bool = False


def known_of(sums: Iterable[WindowSum]) -> tuple[dict[int, Tally], int]:
    """What was counted in each window, and when the newest graded pairs came in."""
    tallies: dict[int, Tally] = {}
    last = 0
    for sum_ in sums:
        tallies[sum_.window] = tallies.get(sum_.window, Tally()).plus(sum_.tally)
        last = max(last, sum_.last_pairs_at)
    return tallies, last


def due(rollout: Rollout, known: Known) -> Due | None:
    """The step that is due, or None. After it another one may be."""
    if not rollout.is_open or rollout.status == "frozen":
        return None
    if known.gone:
        return Due("failed", known.gone)
    if _is_paused_for(rollout, "alias_changed"):
        return None  # A person has taken over.
    found = standings(rollout, known.tallies)
    return _breach(found) or _pause(rollout, known) or _resumption(rollout, known) or _onwards(rollout, known, found)


def waits_for(rollout: Rollout, known: Known) -> str:
    """What has to happen before the next step, as a sentence; empty for one that has ended."""
    if not rollout.is_open:
        return ""
    if rollout.pause:
        return rollout.pause.message
    if rollout.status == "frozen":
        return "Somebody has frozen it, and has to resume it or roll it back."
    found = standings(rollout, known.tallies)
    open_gates = [f"{gate}: {_STATES[stands.state]}" for gate, stands in found.items() if stands.state in _STATES]
    left = _minutes_left(rollout, known)
    waits = [f"the gates ({'; '.join(open_gates)})"] if open_gates else []
    waits += [f"{counted(left, 'more minute')} of this stage"] if left > 0 else []
    return f"It waits for {' and '.join(waits)}." if waits else ""


def _breach(found: Mapping[GateName, Standing]) -> Due | None:
    gate = next((gate for gate, standing in found.items() if standing.state == "breached"), None)
    return Due("rolled_back", f"The gate '{gate}' is exceeded.", gate=gate) if gate else None


def _pause(rollout: Rollout, known: Known) -> Due | None:
    if known.alias_version != rollout.alias_version:
        return _paused("alias_changed")
    if _is_paused_for(rollout, "budget"):
        return None
    if known.spent_usd >= rollout.max_usd:
        return _paused("budget")
    silent_since = max(known.last_pairs_at, rollout.stage_since)
    if rollout.pause or known.now - silent_since < rollout.no_data_minutes * _SECONDS_A_MINUTE:
        return None
    if known.provider_is_away:
        return _paused("provider_away")
    refused = known.tallies.get(rollout.window, Tally()).refused_by_both
    return _paused("no_data", _REFUSED.format(counted(refused, "call"), rollout.alias) if refused else "")


def _paused(reason: PauseReason, why: str = "") -> Due:
    return Due("paused", why or _WHY_PAUSED[reason], pause=reason)


def _resumption(rollout: Rollout, known: Known) -> Due | None:
    """A pause for want of pairs ends with the next ones."""
    pause = rollout.pause
    if pause is None or not rollout.takes_pairs or known.last_pairs_at <= pause.since:
        return None
    return Due("resumed", "There are graded pairs again.")


def _onwards(rollout: Rollout, known: Known, found: Mapping[GateName, Standing]) -> Due | None:
    if rollout.status != "running":
        return None
    if all(standing.state == "holds" for standing in found.values()) and _minutes_left(rollout, known) <= 0:
        if rollout.stage == len(rollout.stages) - 1:
            return Due("promoted", "All gates hold in the last stage.")
        return Due("advanced", f"All gates hold at {rollout.percent}%.")
    pairs = known.tallies.get(rollout.window, Tally()).quality.pairs
    if pairs >= PAIRS_OF_A_WINDOW and rollout.may_open_window:
        return Due(None, window=True)
    return None


def _is_paused_for(rollout: Rollout, reason: PauseReason) -> bool:
    return rollout.pause is not None and rollout.pause.reason == reason


def _minutes_left(rollout: Rollout, known: Known) -> int:
    seconds = rollout.stage_since + rollout.min_minutes * _SECONDS_A_MINUTE - known.now
    return -(-seconds // _SECONDS_A_MINUTE)


_REFUSED = (
    "No graded pair has come for too long. Neither model answered {}: see what their provider says, "
    "GET /v1/chat/completions?alias={}&has_error=true."
)
_WHY_PAUSED: dict[PauseReason, str] = {
    "no_data": "No graded pair has come for too long: either nobody calls the alias, or the pairs cannot be graded.",
    "provider_away": "A provider does not answer, so no pairs are graded.",
    "budget": "The second answers and the judges have cost what they may.",
    "alias_changed": "Somebody else has changed the alias.",
}
