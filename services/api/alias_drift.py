"""How the traffic of an alias stands to what its model learnt from."""

from __future__ import annotations

from aliases import changing
from distillations.drift import looks
from distillations.drift.document import AliasDrift
from distillations.drift.watched import watched_of
from foundation.routes import Routes

router = Routes("Aliases")


@router.get("/v1/aliases/<alias>/drift", scope="read")
def retrieve_alias_drift(alias: str) -> AliasDrift:
    """Retrieve the newest look at the traffic of an alias, field by field, with the looks before it in short.

    Once a day the traffic of seven days is held against the training set of the model that answers. Where it has moved,
    `next` is the next distillation, filled in.
    """
    known = changing.load(alias)
    watched = watched_of(known)
    newest = looks.latest(alias)
    if watched is None:
        sentence = f"Nothing is watched: no model that was trained on a dataset here answers for {alias}."
        return AliasDrift(id=alias, status="unwatched", sentence=sentence, history=looks.history(alias))
    if newest is None or newest.dataset_id != watched.dataset.id:
        sentence = f"There was no look yet at what {watched.model.id} answers. There is one a day."
        newest = AliasDrift(
            id=alias,
            status="waiting",
            sentence=sentence,
            model=watched.model.id,
            dataset_id=watched.dataset.id,
            distillation_id=watched.model.distillation_id,
        )
    return newest.model_copy(update={"history": looks.history(alias)})
