"""Change an alias because a verdict says so, where the alias asks for that: once for each verdict.

In: the distilled model that beats its baseline, and its verdict. Out: the version that was made of the alias. However
often it is asked for, it is made once, also after people have gone back from it, and not at all where they have changed
the alias for this verdict by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
        made_for_it = list(_made_for(alias, verdict_id, decided_at))
        if made_for_it or alias.promote_on != "beats_baseline":
            return _own(made_for_it)
        attempt = derived_id("change_", verdict_id, name)
        try:
            changing.put(name, _promoted(alias, model), Said(BY, cut(why), verdict_id, attempt, alias.version))
        except ApiError:
            continue  # Somebody has changed it meanwhile.
        return _own(_made_for(changing.load(name), verdict_id, decided_at))
    raise RetryLater(f"the alias {name} is changed by many at once")


def _made_for(alias: Alias, verdict_id: str, since: int) -> Iterator[Alias]:
    """The versions that name the verdict, made by it or by people, among those that are no older than it."""
    return (version for version in made_since(alias, since) if version.verdict_id == verdict_id)


def made_since(alias: Alias, since: int) -> Iterator[Alias]:
    """The versions that were made since then, in seconds since the epoch, the newest first."""
    return takewhile(lambda version: version.updated_at >= since, history.versions(alias))


def _own(versions: Iterable[Alias]) -> Alias | None:
    """The one of these versions that the verdict itself has made."""
    return next((version for version in versions if version.by == BY), None)


def _promoted(alias: Alias, model: str) -> Routing:
    """The model takes all calls without a `when` of their own; who had most of them stands in where it is away."""
    routing = alias.routing
    before = routing.main
    slices = [target for target in routing.targets if target.when]
    fallback = next((name for name in (routing.fallback, before) if name not in {None, model}), None)
    # Where it answers already, what it is not sure of goes on to its teacher; another model's threshold is not its own.
    own = next((target.cascade for target in routing.group_of({}) if target.model == model), None)
    return routing.model_copy(update={"targets": [Target(model=model, cascade=own), *slices], "fallback": fallback})
