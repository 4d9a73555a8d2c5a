"""Change an alias because a verdict says so, where the alias asks for that: once for each verdict.

In: the distilled model that beats its baseline, and its verdict. Out: the version that was made of the alias. However
often it is asked for, it is made once, also after people have gone back from it.
"""

from __future__ import annotations

from itertools import takewhile

from aliases import changing, history
from aliases.alias import Alias, Routing, Target
from aliases.changing import Said
from foundation.bounds import cut
from foundation.errors import ApiError, RetryLater
from foundation.ids import derived_id

BY = "verdict"
"""Who makes such a version, in the place of a key's id."""
_ROUNDS = 5


def promote(name: str, model: str, *, verdict_id: str, decided_at: int, why: str) -> Alias | None:
    """The version by which this verdict has let the model take the alias's calls, or None where it does not.

    `decided_at` is when the verdict was decided, in seconds since the epoch.
    """
    for _ in range(_ROUNDS):
        alias = Alias.find(name)
        if alias is None:
            return None
        made = _made_by(alias, verdict_id, decided_at)
        if made or alias.promote_on != "beats_baseline":
            return made
        attempt = derived_id("change_", verdict_id, name)
        try:
            changing.put(name, _promoted(alias, model), Said(BY, cut(why), verdict_id, attempt, alias.version))
        except ApiError:
            continue  # Somebody has changed it meanwhile.
        return _made_by(changing.load(name), verdict_id, decided_at)
    raise RetryLater(f"the alias {name} is changed by many at once")


def _made_by(alias: Alias, verdict_id: str, since: int) -> Alias | None:
    """The version that the verdict has made, among those that are no older than it."""
    younger = takewhile(lambda version: version.updated_at >= since, history.versions(alias))
    return next((version for version in younger if (version.by, version.verdict_id) == (BY, verdict_id)), None)


def _promoted(alias: Alias, model: str) -> Routing:
    """The model takes all calls without a `when` of their own; who had most of them stands in where it is away."""
    routing = alias.routing
    before = routing.main
    slices = [target for target in routing.targets if target.when]
    fallback = routing.fallback or (before if before != model else None)
    return routing.model_copy(update={"targets": [Target(model=model), *slices], "fallback": fallback})
