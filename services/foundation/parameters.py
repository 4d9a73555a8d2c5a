"""Refuse unknown parameters and fields: ignoring a misspelt condition would widen the scope of a request.

In: a route's declaration and the names in a request's query. Out: nothing, or a refusal that names the first unknown
one and the nearest name that the route takes. Every cold start imports this module, so it imports `difflib` only when
it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from foundation.errors import ApiError
from foundation.routes import Query, Route

_LONGEST_NAMED = 64
_MAP = "object"
_MEMBER = re.compile(r"([^\[\].]+)\[[^\[\]]*\]")


def refuse_unknown(route: Route, names: Iterable[str]) -> None:
    """Raises ApiError for the first of the query's names that the route has not declared."""
    declared = route.described.get("query", ())
    plain = [query.name for query in declared if any(kind != _MAP for kind in _kinds(query))]
    maps = [query.name for query in declared if _MAP in _kinds(query)]
    for name in names:
        member = _MEMBER.fullmatch(name)
        if name not in plain and not (member and member[1] in maps):
            raise unknown_name(name, _alike(name, maps) or [*plain, *(f"{name}[key]" for name in maps)])


def unknown_name(name: str, known: Sequence[str], *, within: str = "") -> ApiError:
    """The refusal of a name that is none of those `known`. `within` is the path of the object that has it."""
    shown = f"{within}.{name}" if within else name
    shown = shown[: len(within) + _LONGEST_NAMED]
    return ApiError(
        f"Unknown parameter: '{shown}'. {remedy(name, known)}", code="unknown_parameter", param=shown, status=400
    )


def remedy(name: str, known: Sequence[str]) -> str:
    """The sentence that names the known name nearest to this one, or all known names if none is near."""
    if not known:
        return "There are none here."
    from difflib import get_close_matches

    nearest = get_close_matches(name[:_LONGEST_NAMED], known, n=1)
    return f"Did you mean '{nearest[0]}'?" if nearest else f"Known are: {', '.join(known)}."


def _kinds(query: Query) -> list[str]:
    """The types that a parameter may have: that of its schema, or of each of its arms."""
    return [str(arm.get("type")) for arm in query.schema.get("anyOf", [query.schema])]


def _alike(name: str, maps: Sequence[str]) -> list[str]:
    """The right spelling of a member of one of the maps that was sent as `metadata.team` or `metdata[team]`, if any."""
    from difflib import get_close_matches

    base, *rest = re.split(r"[\[\].]+", name[:_LONGEST_NAMED])
    key = rest[0] if rest else ""
    return [f"{near}[{key or 'key'}]" for near in get_close_matches(base, maps, n=1, cutoff=0.8)]
