"""A command that writes what a variable of its environment holds, and then waits until it is killed."""

import os
import signal
import sys


def main() -> None:
    sys.stdout.write(os.environ[sys.argv[1]])
    sys.stdout.flush()
    signal.pause()
