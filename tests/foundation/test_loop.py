"""All coroutines of a process run on one event loop, so that HTTP connections are shared."""

from __future__ import annotations

import asyncio

import pytest

from foundation import loop


async def _running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_every_coroutine_runs_on_the_same_loop() -> None:
    assert loop.run(_running_loop()) is loop.run(_running_loop())


def test_an_error_of_the_coroutine_is_raised_and_the_loop_goes_on() -> None:
    async def fail() -> None:
        raise LookupError("no such thing")

    before = loop.run(_running_loop())
    with pytest.raises(LookupError, match="no such thing"):
        loop.run(fail())
    assert loop.run(_running_loop()) is before
