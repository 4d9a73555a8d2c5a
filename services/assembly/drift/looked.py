"""One look at the traffic of an alias: a week of it beside what its model learnt from.

In: the alias, its model and dataset, the dataset's report, and the look before. Out: the look. A week is looked at, so
that times of day and weekdays are in it as in any other week; before a week has passed there is too little.

All looks at one dataset together find a drift where there is none with a chance of 0.02 at most: a look may use what
`spent_at` gives it, and Holm's correction keeps its fields together to that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from aliases.alias import Alias
from assembly.drift import moved
from assembly.drift.again import next_of
from assembly.drift.cells import LEAST, Beside, counted_in, fields_of
from assembly.drift.observed import Observed, observed
from assembly.drift.traffic import first_at, sampled
from assembly.masking import mask_of
from assembly.report.concerns import skew_sentences
from assembly.report.features import label_of
from assembly.report.survey import SAMPLE
from completions import index, selection
from completions.completion import Completion
from completions.postings import Reference
from distillations import file_lines
from distillations.dataset import DatasetId, dataset_key
from distillations.distillation import Distillation
from distillations.drift.document import TrafficDrift
from distillations.drift.watched import Watched
from distillations.report.document import DatasetReport
from distillations.text_steps import PersonalData
from stats.spending import spent_at

ALPHA = 0.02
"""The chance that any look at one alias and dataset finds a drift where there is none."""
WINDOW_S = 7 * 86_400
_A_WEEK = "A whole week of traffic is looked at, so that each weekday and time of day is in it:"


def looked(
    alias: Alias,
    watched: Watched,
    report: DatasetReport,
    before: TrafficDrift | None,
    *,
    at: int,
    left_out: Sequence[str] = (),
) -> TrafficDrift:
    """The look at this time, in seconds since the epoch. `before` is the last look that is about the same dataset.

    The metadata keys in `left_out` change by nature, and are not compared.
    """
    unwanted = frozenset(map(label_of, left_out))
    drift = TrafficDrift(
        id=alias.id,
        when=watched.when,
        status="too_little",
        sentence="",
        model=watched.model.id,
        dataset_id=watched.dataset.id,
        distillation_id=watched.model.distillation_id,
        looked_at=at,
        begins_at=at - WINDOW_S,
        ends_at=at,
        **_known(before, unwanted),
    )
    young = _too_young(alias.id, report, at - WINDOW_S)
    if young:
        return drift.model_copy(update={"sentence": young})
    references = sampled(alias.id, since=at - WINDOW_S, until=at, is_meant=_is_of(alias, watched))
    traffic = _observed(watched, index.read(references))
    counts = {"rows": len(traffic.features), "conversations": traffic.conversations}
    if traffic.conversations < LEAST:
        sentence = (
            f"Too little traffic to tell: {len(traffic.features)} completions of {traffic.conversations} conversations "
            f"in seven days, and {LEAST} are needed."
        )
        return drift.model_copy(update={**counts, "sentence": sentence})
    learnt = _learnt(alias, watched, report)
    beside = [one for one in fields_of(learnt.report, traffic, learnt.questions) if one.trained.field not in unwanted]
    return _compared(drift.model_copy(update=counts), watched, beside, references)


def _is_of(alias: Alias, watched: Watched) -> Callable[[Reference], bool]:
    """Whether a completion is of the slice that the model answers."""
    return lambda reference: alias.routing.group_of(reference.metadata or {})[0].when == watched.when


def _known(before: TrafficDrift | None, unwanted: AbstractSet[str]) -> dict[str, Any]:
    """What stays of the look before: nothing of a field that is left out now."""
    if before is None:
        return {}
    fields = [field for field in before.fields if field.comparison.field not in unwanted]
    since = min((field.since for field in fields if field.since is not None), default=None)
    return {"looks": before.looks, "fields": fields, "since": since, "told_at": before.told_at if since else None}


def _too_young(alias: str, report: DatasetReport, since: int) -> str:
    """Why there cannot be enough traffic yet; empty where there can."""
    selected = [value.last_at for field in report.labels for value in field.values if value.last_at]
    first = first_at(alias, since=since)
    if first is None:
        return f"Too little traffic to tell: no completion was captured by the alias {alias}."
    if first > since:
        return f"{_A_WEEK} the first completion of the alias is of {_day(first)}."
    if max(selected, default=0) > since:
        return f"{_A_WEEK} the newest completion of the training set is of {_day(max(selected))}."
    return ""


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def _observed(watched: Watched, completions: Iterable[Completion]) -> Observed:
    """What is noted of completions, with the slices and the masks that the report of the dataset has."""
    recipe = watched.recipe
    return observed(completions, recipe.slice_keys, mask_of(recipe.steps_of(PersonalData)))


class _Learnt(NamedTuple):
    """What the traffic is held against."""

    report: DatasetReport
    questions: Observed
    """What is noted of some completions that were selected for training, of those that are still there."""


def _learnt(alias: Alias, watched: Watched, report: DatasetReport) -> _Learnt:
    """The training set; where the alias has slices, those of its completions that the slice would have had.

    A model that learnt from everything and answers one slice would else seem to drift from the first day on. Of a slice
    that the set hardly has, it is the whole set.
    """
    if len(alias.routing.groups) > 1:
        of_slice = _selected(watched, _is_of(alias, watched))
        if of_slice.conversations >= LEAST:
            return _Learnt(counted_in(report, of_slice.features), of_slice)
    return _Learnt(report, _selected(watched))


def _selected(watched: Watched, is_meant: Callable[[Reference], bool] | None = None) -> Observed:
    key = dataset_key(_chosen_for(watched), "selection.jsonl")
    return _observed(watched, selection.some(key, SAMPLE, read_lines=file_lines.completions, is_meant=is_meant))


def _chosen_for(watched: Watched) -> str:
    """The dataset whose completions were chosen: that of a distillation may be made of another one's."""
    distillation = Distillation.find(watched.dataset.distillation_id or "")
    train = distillation.train if distillation else None
    return train.id if isinstance(train, DatasetId) else watched.dataset.id


def _compared(
    drift: TrafficDrift, watched: Watched, beside: Sequence[Beside], references: Sequence[Reference]
) -> TrafficDrift:
    """The look at enough traffic."""
    at, number = drift.looked_at or 0, drift.looks + 1
    alpha = spent_at(number, ALPHA)
    fields = moved.fields_now(beside, drift.fields, alpha=alpha, at=at)
    since = min((field.since for field in fields if field.since is not None), default=None)
    tells = moved.is_to_tell(fields)
    found = drift.model_copy(
        update={
            "looks": number,
            "alpha": alpha,
            "fields": moved.told(fields) if tells else fields,
            "since": since,
            "told_at": at if tells else drift.told_at if since else None,
        }
    )
    if since is None:
        sentence = f"No drift in {drift.rows:,} completions of seven days."
        return found.model_copy(update={"status": "steady", "sentence": sentence})
    distillation = Distillation.find(watched.model.distillation_id or "")
    again = distillation and next_of(distillation, drift.id, drift.when, references, since=at - WINDOW_S, until=at)
    return found.model_copy(
        update={
            "status": "drifted",
            "sentence": (
                f"The traffic of {drift.named} has moved away from what {watched.model.id} learnt from "
                f"({watched.dataset.id}): so it is since {_day(since)}."
            ),
            "newcomers": moved.newcomers(beside, fields),
            "concerns": list(skew_sentences(field.comparison for field in fields)),
            "next": again,
        }
    )
