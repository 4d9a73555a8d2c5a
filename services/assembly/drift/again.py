"""The next distillation, filled in: that of the model that drifts again, with the alias's recent traffic.

In: the model's distillation, the alias, and the traffic that was looked at. Out: the body of a request, the form of the
dashboard with it, and the command. The older three quarters of the teacher's answers train, the newest quarter is what
all models are measured on: so the same rows never do both.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from aliases.alias import When
from assembly.drift.traffic import source_of
from completions.postings import Reference
from distillations.distillation import Distillation
from distillations.drift.document import NextDistillation
from foundation.bounds import cut
from foundation.settings import settings

_TRAIN_SHARE = 0.75
_LEAST_ANSWERS = 40
"""Fewer leave no ten examples that train beside the rows to measure on."""
_LONGEST_NAME = 128
_SAME = ("eval_id", "teacher", "trainer", "hyperparameters", "checkpoints", "contenders", "seed", "train_on_history")


def next_of(
    distillation: Distillation, alias: str, when: When, traffic: Sequence[Reference], *, since: int, until: int
) -> NextDistillation:
    """The next distillation. `traffic` was captured between these times, in seconds since the epoch."""
    answered = [reference.created for reference in traffic if distillation.teacher in reference.models]
    return NextDistillation(
        body=_body(distillation, alias, when, (since, _cut_at(answered, since, until), until)),
        teacher_answers=len(answered),
        lacks=_lacks(distillation, alias, len(answered), len(traffic)),
        url=_form(distillation, alias, when, since),
        command=_command(alias, when),
    )


def _body(distillation: Distillation, alias: str, when: When, times: tuple[int, int, int]) -> dict[str, Any]:
    since, cut_at, until = times
    asked = distillation.model_dump(mode="json", include={*_SAME, "gate", "recipe"}, exclude_none=True)
    train = source_of(alias, since=since, until=cut_at, when=when)
    test = source_of(alias, since=cut_at + 1, until=until, when=when)
    return {
        **asked,
        "name": cut(f"{distillation.name} on recent traffic", _LONGEST_NAME),
        "alias": alias,
        "student": distillation.students or distillation.student,
        "train": train.model_dump(mode="json", exclude_unset=True),
        "test": test.model_dump(mode="json", exclude_unset=True),
    }


def _cut_at(answered: Sequence[int], since: int, until: int) -> int:
    """The time up to which answers train, in seconds since the epoch."""
    if not answered:
        return since + int(_TRAIN_SHARE * (until - since))
    return min(answered[int(_TRAIN_SHARE * (len(answered) - 1))], until - 1)


def _lacks(distillation: Distillation, alias: str, answers: int, rows: int) -> str | None:
    if answers >= _LEAST_ANSWERS:
        return None
    return (
        f"{answers} of the {rows} completions that were looked at have an answer of {distillation.teacher}, and a "
        f"distillation learns from those: let it answer a share of {alias} for some days (stillhouse alias set {alias} "
        f"MODEL=3 {distillation.teacher}=1), then look here again."
    )


def _command(alias: str, when: When) -> str:
    slices = (word for key, value in when.items() for word in ("--slice", f"{key}={value}"))
    return shlex.join(["stillhouse", "alias", "drift", alias, "--distill", *slices])


def _form(distillation: Distillation, alias: str, when: When, since: int) -> str:
    begun = {"repeat": distillation.id, "alias": alias, "since": time.strftime("%Y-%m-%d", time.gmtime(since))}
    if when:
        begun["tags"] = ", ".join(f"{key}={value}" for key, value in when.items())
    return f"{settings().API_URL.removesuffix('/v1')}/distillations/new?{urlencode(begun)}"
