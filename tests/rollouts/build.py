"""Rollouts as tests want them."""

from __future__ import annotations

from typing import Any

from aliases import changing
from aliases.alias import Alias
from aliases.changing import Said
from aliases.rolling_out import OPEN_ROLLOUTS
from evals.eval import Eval
from foundation import table
from rollouts.gates import Gates
from rollouts.judging import alpha_of
from rollouts.moving import step_of
from rollouts.rollout import Rollout, Window
from rollouts.round import Differences, RolloutRound, SideTally, Tally
from tests.aliases.build import routing

STABLE, CANDIDATE, NAME = "lab-judge", "lab-small", "quick-reply"
AT = 1_800_000_000
SLICE = ("lab-large", 1, {"topic": "legal"})


def rollout(**fields: Any) -> Rollout:
    """A rollout in its shadow, without rows."""
    gates = fields.pop("gates", Gates())
    given: dict[str, Any] = {
        "id": "rollout_1",
        "created_at": AT,
        "alias": NAME,
        "alias_version": 1,
        "before": routing((STABLE, 1), SLICE),
        "stable": STABLE,
        "candidate": CANDIDATE,
        "eval_id": "eval_given",
        "online_eval_id": "eval_online",
        "share": 1.0,
        "max_usd": 5.0,
        "stages": [0, 1, 5, 25, 100],
        "gates": gates,
        "by": "first",
        "stage_since": AT,
        "windows": [Window(stage=0, since=AT, alpha=alpha_of(1, gates))],
    }
    return Rollout(**{**given, **fields})


def stored(**fields: Any) -> Rollout:
    """A rollout that has begun, with its alias and its eval."""
    alias = changing.put(NAME, routing((STABLE, 1), SLICE), Said("first"))
    criterion = {"type": "regex", "name": "short", "id": "short", "input": "{{ sample.output_text }}", "pattern": "."}
    Eval(
        id="eval_online",
        created_at=AT,
        name="online",
        data_source_config={"type": "custom", "schema": {}},
        testing_criteria=[criterion],
    ).create()
    made = rollout(alias_version=alias.version, before=alias.routing, **fields)
    made.move = step_of(made, "started", "It has begun.", by="first")
    table.put({"pk": OPEN_ROLLOUTS, "sk": NAME, "rollout_id": made.id, "at": AT})
    made.create()
    return Rollout.load(made.id)


def tally(
    pairs: int = 100, worse: int = 0, better: int = 0, *, failed: int | None = None, usd: float = 0.0, **fields: Any
) -> Tally:
    """So many graded pairs, in which the candidate was worse and better so often; both answered all, well formed."""
    stable = SideTally(asked=pairs, failed=better if failed is None else failed)
    candidate = SideTally(asked=pairs, failed=stable.failed + worse - better, users=0)
    given: dict[str, Any] = {
        "quality": Differences(worse=worse, better=better, same=pairs - worse - better),
        "malformed": Differences(same=pairs),
        "stable": stable,
        "candidate": candidate,
        "spent_nanodollars": round(usd * 1e9),
        "lost": [f"chatcmpl-{number}" for number in range(min(worse, 20))],
    }
    return Tally(**{**given, **fields})


def add_round(of: Rollout, counted: Tally | None, key: str = "a") -> RolloutRound:
    """A round of the current window, with its tally."""
    made = RolloutRound(
        id=f"round_{key}",
        rollout_id=of.id,
        key=key,
        window=of.window,
        stage=of.stage,
        begun_at=AT,
    ).begin()
    if counted:
        made.record(counted)
    return made


def alias() -> Alias:
    return changing.load(NAME)


def weights() -> dict[str, int]:
    """The targets without a `when`."""
    return {target.model: target.weight for target in alias().targets if not target.when}
