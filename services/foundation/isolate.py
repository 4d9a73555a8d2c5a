"""Find the items that make the work on a group fail, so that the others are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from foundation import aws
from foundation.errors import RetryLater


def isolate[Item](items: Sequence[Item], work: Callable[[Sequence[Item]], object]) -> Iterator[tuple[Item, Exception]]:
    """Work on all items together; where that fails, on each half, until those that fail are alone.

    Yields the failing items with their errors; the work on all others is done when the iterator ends. `work` must be
    safe to repeat. If the error is only that AWS is busy, no item is at fault, and the error is raised.
    """
    try:
        work(items)
    except Exception as error:
        if isinstance(error, RetryLater) or aws.is_busy(error):
            raise
        if len(items) == 1:
            yield items[0], error
            return
        middle = len(items) // 2
        yield from isolate(items[:middle], work)
        yield from isolate(items[middle:], work)
