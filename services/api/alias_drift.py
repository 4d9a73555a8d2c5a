"""How the traffic of an alias stands to what its model learnt from, and which metadata keys that leaves out."""

from __future__ import annotations

from typing import Annotated

from annotated_types import MaxLen

from aliases import changing
from aliases.alias import Alias, TagName
from distillations.drift import left_out, looks
from distillations.drift.document import AliasDrift, TrafficDrift
from distillations.drift.watched import Watched, watched_of
from foundation.document import Body
from foundation.routes import Routes

router = Routes("Aliases")


class DriftSettings(Body):
    """What the drift watch of an alias leaves out."""

    leave_out: Annotated[list[TagName], MaxLen(left_out.MOST_KEYS)]
    """The metadata keys that are not compared, all of them: those that change by nature, such as a release or a date.
    At most 20; an empty list for none."""


@router.get("/v1/aliases/<alias>/drift", scope="read")
def retrieve_alias_drift(alias: str) -> AliasDrift:
    """Retrieve the newest look at the traffic of an alias, field by field, with the looks before it in short.

    Once a day the traffic of seven days is held against the training set of the model that answers. Where it has moved,
    `next` is the next distillation, filled in. Each slice that a trained model answers is watched by itself.
    """
    return _drift(changing.load(alias))


@router.put("/v1/aliases/<alias>/drift", scope="write")
def configure_alias_drift(alias: str, asked: DriftSettings) -> AliasDrift:
    """Leave metadata keys out of the drift watch of an alias, from the next look on; a drift of theirs ends with it.

    The list replaces the one before. It holds for all slices and versions of the alias.
    """
    found = changing.load(alias)
    left_out.leave_out(alias, asked.leave_out)
    return _drift(found)


def _drift(alias: Alias) -> AliasDrift:
    keys, watched = left_out.of(alias.id), watched_of(alias)
    if not watched:
        sentence = f"Nothing is watched: no model that was trained on a dataset here answers for {alias.id}."
        history = looks.history(alias.id, {})
        return AliasDrift(id=alias.id, status="unwatched", sentence=sentence, history=history, left_out=keys)
    first, *others = (_newest(alias.id, one) for one in watched)
    return AliasDrift(**dict(first), slices=others, left_out=keys)


def _newest(alias: str, watched: Watched) -> TrafficDrift:
    """The newest look at a slice, with its history."""
    newest = looks.latest(alias, watched.when, watched.dataset.id)
    if newest is None:
        newest = TrafficDrift(
            id=alias,
            when=watched.when,
            status="waiting",
            sentence=f"There was no look yet at what {watched.model.id} answers. There is one a day.",
            model=watched.model.id,
            dataset_id=watched.dataset.id,
            distillation_id=watched.model.distillation_id,
        )
    return newest.model_copy(update={"history": looks.history(alias, watched.when)})
