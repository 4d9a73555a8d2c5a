"""A thread that does one thing again and again, and survives what fails while the stack is being deployed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from local.stack.deploy import Report


@contextmanager
def repeated(name: str, once: Callable[[], None], *, pause: float, report: Report) -> Iterator[None]:
    """Calls `once` in a thread, `pause` seconds apart, for the length of the block.

    AWS errors are reported, once as long as they stay the same: the next call may find the resource.
    """
    ended = threading.Event()

    def run() -> None:
        last = ""
        while not ended.wait(pause):
            try:
                once()
                last = ""
            except (ClientError, BotoCoreError) as error:
                if not ended.is_set() and str(error) != last:
                    last = str(error)
                    report(f"{name}: {last}")

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=0.5)
