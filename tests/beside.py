"""The tests of the local stack side by side with the others: one process for those, more for these."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest

_FOLDERS = ("tests/stack/", "tests/conformance/", "tests/local/stack/test_lifecycle.py")
_IN_PROCESS = "tests/conformance/test_description.py"


def is_of_the_stack(nodeid: str) -> bool:
    """Whether a test needs the stack. There is one, and what a test kills, counts or lists there is its own."""
    return nodeid.startswith(_FOLDERS) and not nodeid.startswith(_IN_PROCESS)


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Of pytest-xdist: a process takes one file after the other, and all files of the stack as one."""
    from xdist.scheduler import LoadFileScheduling

    class OneStack(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "the stack" if is_of_the_stack(nodeid) else super()._split_scope(nodeid)

    return OneStack(config, log)


@cache
def give_way() -> None:
    """The functions of the stack have seconds, unit tests have time: these leave the processor to those."""
    os.nice(5)
