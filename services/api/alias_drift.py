"""How the traffic of an alias stands to what its model learnt from."""

from __future__ import annotations

from aliases import changing
from distillations.drift import looks
from distillations.drift.document import AliasDrift, TrafficDrift
from distillations.drift.watched import Watched, watched_of
from foundation.routes import Routes

router = Routes("Aliases")


@router.get("/v1/aliases/<alias>/drift", scope="read")
def retrieve_alias_drift(alias: str) -> AliasDrift:
    """Retrieve the newest look at the traffic of an alias, field by field, with the looks before it in short.

    Once a day the traffic of seven days is held against the training set of the model that answers. Where it has moved,
    `next` is the next distillation, filled in. Each slice that a trained model answers is watched by itself.
    """
    watched = watched_of(changing.load(alias))
    if not watched:
        sentence = f"Nothing is watched: no model that was trained on a dataset here answers for {alias}."
        return AliasDrift(id=alias, status="unwatched", sentence=sentence, history=looks.history(alias, {}))
    first, *others = (_newest(alias, one) for one in watched)
    return AliasDrift(**dict(first), slices=others)


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
