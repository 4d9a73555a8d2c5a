"""The names of the posting lists that a completion is in: of its tags, and of the alias that it was asked by."""

from __future__ import annotations

from typing import Any

from foundation.ids import derived_id

# A key of the table ends at 2048 bytes.
_LONGEST = 1024
_MOST_BYTES_A_LETTER = 4


def tags(metadata: dict[str, str]) -> list[str]:
    """The names of the lists of these tags. A tag that is too long for a key of the table is named by its digest."""
    dimensions = [f"t:{name}={value}" for name, value in metadata.items()]
    return [name if _fits_a_key(name) else derived_id("t#", name) for name in dimensions]


def alias_label(alias: dict[str, Any] | None) -> str | None:
    """What a filter names of an alias: `quick-reply@3`."""
    return f"{alias['name']}@{alias['version']}" if alias else None


def alias_lists(alias: str) -> list[str]:
    """The names of the lists of an alias: of all its versions, and of the one that is named as `quick-reply@3`."""
    name = alias.partition("@")[0]
    return [f"a:{name}"] if name == alias else [f"a:{name}", f"a:{alias}"]


def _fits_a_key(dimension: str) -> bool:
    return len(dimension) * _MOST_BYTES_A_LETTER <= _LONGEST or len(dimension.encode()) <= _LONGEST
