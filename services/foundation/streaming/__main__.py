"""The process that Lambda starts: loads the handler, and serves invocations until there are none."""

from __future__ import annotations

import sys

from foundation.settings import of_lambda
from foundation.streaming.serving import run

if __name__ == "__main__":
    sys.exit(run(of_lambda()))
