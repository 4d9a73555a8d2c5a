"""Who waits for runs that have ended: a dataset, a distillation, a learning curve or a rollout.

In: the keys of their summaries. Out: whoever waits goes on, or where that cannot be, ends with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from distilling import curves
from distilling.advance import advance, fail
from evals.run import Run
from foundation import blobs, bus
from foundation.events import AssembleDataset
from foundation.rollout_messages import AdvanceRollout


def tell(keys: Iterable[str]) -> None:
    for key in keys:
        # The summary of a run that was deleted since is gone, and nobody waited for that run.
        _tell(orjson.loads(blobs.find(key) or b"{}"))


def _tell(summary: dict[str, Any]) -> None:
    distillation_id, dataset_id = summary.get("distillation_id"), summary.get("dataset_id")
    if dataset_id:
        bus.send(AssembleDataset(distillation_id=distillation_id or "", dataset_id=dataset_id))
    elif distillation_id:
        advance(distillation_id)
    elif summary.get("learning_curve_id"):
        curves.advance(summary["learning_curve_id"])
    elif summary.get("rollout_id"):
        bus.send(AdvanceRollout(rollout_id=summary["rollout_id"]))


def give_up(keys: Iterable[str], reason: str) -> None:
    """Fail the distillations and learning curves that wait. The sweep sees to datasets, the clock to rollouts."""
    runs = [run for key in keys if (run := Run.find(key.split("/")[1]))]
    for distillation_id in {run.distillation_id for run in runs if run.distillation_id}:
        fail(distillation_id, "step_failed", f"Its next step could not be taken: {reason}.")
    for curve_id in {run.learning_curve_id for run in runs if run.learning_curve_id}:
        curves.give_up(curve_id, reason)
