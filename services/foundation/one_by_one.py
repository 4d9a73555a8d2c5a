"""Do something for each of many: one at which it raises holds no other up.

In: the many, what is done, and how each is named in the log. Out: nothing; the first error is raised at the end, for
the alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from foundation.consumer import logger


def one_by_one[Item](
    items: Iterable[Item], do: Callable[[Item], object], *, name: Callable[[Item], str], failed: str
) -> None:
    """Do it for each. `failed` is what the log says of one at which it raised."""
    errors: list[Exception] = []
    for item in items:
        try:
            do(item)
        except Exception as error:  # noqa: BLE001 - the others are still to be done
            logger().exception(failed, extra={"about": name(item)})
            errors.append(error)
    if errors:
        raise errors[0]
