"""What the lab holds, taken at one moment and put back at another: uploaded files, jobs and models.

Only a lab at rest has a moment: before it is taken, every training is waited for.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any, NamedTuple

from starlette.routing import Mount, Route

from tests.flow.system import System
from tests.lab_server import LABS

_LONGEST_TRAINING_S = 20


class LabMoment(NamedTuple):
    """The lab's own objects, in copies of what holds them. A job's document is replaced, never changed."""

    files: dict[str, Any]
    models: dict[str, Any]
    jobs: dict[str, tuple[Any, dict[str, Any], list[Any]]]

    def paid_for(self) -> Counter[str]:
        """How many jobs there are for each intent. A job of another test of this process may have none."""
        asked_with = [about["metadata"] or {} for _, about, _ in self.jobs.values()]
        return Counter(metadata.get("stillhouse_intent", "") for metadata in asked_with)


def taken(system: System) -> LabMoment:
    """What there is when every training has ended."""
    for thread in threading.enumerate():
        if thread.name.endswith("(_run)"):
            thread.join(_LONGEST_TRAINING_S)
    files, models, jobs = _held(system)
    return LabMoment(dict(files), dict(models), {name: (job, job.about, [*job.events]) for name, job in jobs.items()})


def put_back(system: System, moment: LabMoment) -> None:
    files, models, jobs = _held(system)
    for held, wanted in ((files, moment.files), (models, moment.models)):
        held.clear()
        held.update(wanted)
    jobs.clear()
    for name, (job, about, events) in moment.jobs.items():
        job.about, job.events = about, [*events]
        jobs[name] = job


def _held(system: System) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What the endpoints of the lab keep."""
    of = {
        route.path: getattr(route.endpoint, "__self__", None)
        for mount in LABS[system.lab].routes
        if isinstance(mount, Mount)
        for route in mount.routes
        if isinstance(route, Route)
    }
    files: Any = of["/files"]
    tuning: Any = of["/fine_tuning/jobs"]
    return files._files, tuning._models._own, tuning._jobs
