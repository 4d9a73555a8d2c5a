"""Runs a module as a program that ends with its parent: `python -m local.stack.tether MODULE ARGUMENT…`.

The parent holds the other end of our standard input. However it ends, by SIGKILL too, the pipe closes, and
this process and every process of its group are killed.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _follow_parent() -> None:
    while os.read(0, 1024):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    sys.argv = sys.argv[1:]
    threading.Thread(target=_follow_parent, daemon=True, name="tether").start()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
