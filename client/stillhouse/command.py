"""Where the `stillhouse` command starts. It needs the extra `cli`, which who only wraps a client does without.

In: the command line. Out: an exit code; where the extra is not installed, one line on standard error says what to do.
"""

from __future__ import annotations

import sys

_EXTRA = frozenset({"rich", "typer"})


def main() -> None:
    try:
        from stillhouse import cli
    except ModuleNotFoundError as missing:
        if missing.name not in _EXTRA:
            raise
        sys.exit(f"error: the command needs {missing.name}: pip install 'stillhouse[cli]'")
    cli.main()
