"""Change an alias: each change is a version, made by a conditional write, with who made it and why.

In: a routing, and who asks. Out: the alias as it then is. The same routing again makes no version, so that a request
may be sent twice; a retry that comes after somebody else's change is known by its attempt and changes nothing. Raises
ApiError (412) where the alias is not in the version that the caller expects.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from itertools import islice
from typing import Any, NamedTuple

from aliases import history
from aliases.alias import MOST_ALIASES, Alias, Routing, every_alias
from foundation.errors import ApiError, Conflict, NotFound, RetryLater
from foundation.ids import now

_SALT_BYTES = 16
_ROUNDS = 5
_REMEMBERED = 20
_CHANGED = 412
_NOTHING = Routing.model_construct(targets=[])


class Said(NamedTuple):
    """Who changes an alias, and why. `expected` is the version that it must have, 0 for none, None for any."""

    by: str
    why: str | None = None
    verdict_id: str | None = None
    attempt: str = ""
    expected: int | None = None


def put(name: str, routing: Routing, said: Said, refuse: Callable[[Alias | None], None] = lambda _: None) -> Alias:
    """Let an alias have this routing; it is made where there is none. `refuse` raises for what must not be."""
    for _ in range(_ROUNDS):
        stored = Alias.find_any(name)
        current = None if stored is None or stored.deleted else stored
        if stored and current and (_same(current, routing) or _was_done(stored, said)):
            return current
        _refuse_other_version(name, current, said)
        refuse(current)
        made = _next(stored, routing, said) if stored else _create(name, routing, said)
        if made:
            return made
    raise RetryLater(f"the alias {name} is changed by many at once")


def roll_back(name: str, to: int | None, said: Said, refuse: Callable[[Routing], None] = lambda _: None) -> Alias:
    """Let an alias have the routing of an earlier version again: of `to`, or of the one before the current one."""
    for _ in range(_ROUNDS):
        current = load(name)
        if _was_done(current, said):
            return current
        _refuse_other_version(name, current, said)
        earlier = history.before(current) if to is None else _version(current, to)
        if earlier is None:
            raise Conflict(f"The alias '{name}' has no version before this one.", code="nothing_before")
        refuse(earlier.routing)
        made = _next(current, earlier.routing, said, rolled_back_to=earlier.rolled_back_to or earlier.version)
        if made:
            return made
    raise RetryLater(f"the alias {name} is changed by many at once")


def delete(name: str, said: Said) -> None:
    """Let there be no alias of this name any more; its versions stay, and go on where it is made again."""
    for _ in range(_ROUNDS):
        current = load(name)
        _refuse_other_version(name, current, said)
        if _next(current, _NOTHING, said, deleted=True):
            return
    raise RetryLater(f"the alias {name} is changed by many at once")


def load(name: str) -> Alias:
    """The alias of this name. Raises NotFound, naming the field."""
    alias = Alias.find(name)
    if alias is None:
        raise NotFound("alias", name[:64], param="alias")
    return alias


def _version(current: Alias, number: int) -> Alias:
    version = history.version_of(current, number)
    if version is None or version.deleted:
        raise ApiError(
            f"Invalid 'to': the alias '{current.id}' has no version {number} to go back to. "
            f"GET /v1/aliases/{current.id}/versions lists them.",
            code="invalid_value",
            param="to",
        )
    return version


def _was_done(current: Alias, said: Said) -> bool:
    """Whether the request that is made here has made one of the last versions: this is a retry of it."""
    recent = islice(history.versions(current), _REMEMBERED) if said.attempt else ()
    return any(version.attempt == said.attempt for version in recent)


def _refuse_other_version(name: str, current: Alias | None, said: Said) -> None:
    version = current.version if current else 0
    if said.expected not in {None, version}:
        now_ = f"is in version {version}" if current else "does not exist"
        raise ApiError(
            f"The alias '{name}' {now_}, not in version {said.expected}: somebody has changed it. Read it again.",
            code="alias_changed",
            param="version",
            status=_CHANGED,
        )


def _create(name: str, routing: Routing, said: Said) -> Alias | None:
    """The new alias; None where somebody else was first."""
    if len(list(every_alias())) >= MOST_ALIASES:
        raise Conflict(
            f"There are {MOST_ALIASES} aliases already, as many as there may be. Delete one first.",
            code="too_many_aliases",
            param="alias",
        )
    fields = {**_fields(routing), **_said(said), "salt": secrets.token_hex(_SALT_BYTES)}
    alias = Alias(id=name, created_at=now(), version=1, updated_at=now(), **fields)
    return alias if alias.create() else None


def _next(stored: Alias, routing: Routing, said: Said, **also: Any) -> Alias | None:
    """The next version, which takes the place of the stored one; None where that is not the current one any more."""
    history.keep(stored)
    fields = {**_fields(routing), **_said(said), "rolled_back_to": None, "deleted": False, **also}
    changes = {**fields, "version": stored.version + 1, "updated_at": now()}
    made = Alias.model_validate({**stored.model_dump(), **changes})
    written = {name: made.model_dump(mode="json")[name] for name in changes}
    return made if stored.change(written, where={"version": stored.version}) else None


def _same(current: Alias, routing: Routing) -> bool:
    return current.model_dump(include=set(Routing.model_fields)) == routing.model_dump()


def _fields(routing: Routing) -> dict[str, Any]:
    return {name: getattr(routing, name, None) for name in Routing.model_fields}


def _said(said: Said) -> dict[str, Any]:
    return {"by": said.by, "why": said.why, "verdict_id": said.verdict_id, "attempt": said.attempt}
