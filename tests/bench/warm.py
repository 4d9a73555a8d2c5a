"""Benches one after the other, each in a process that is forked from this one, which has imported them all.

In: a line of JSON for each on standard input, with its name and its arguments. Out: a line of JSON for each, with what
it wrote on standard output and on standard error.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NoReturn

_LONGEST_S = 300


def main() -> None:
    benches = {
        path.stem: import_module(f"tests.bench.{path.stem}") for path in Path(__file__).parent.glob("bench_*.py")
    }
    for line in sys.stdin:
        name, arguments = json.loads(line)
        with TemporaryFile() as output, TemporaryFile() as errors:
            child = os.fork()
            if child == 0:
                _run(benches[f"bench_{name}"], arguments, output, errors)
            os.waitpid(child, 0)
            written = [(file.seek(0), file.read().decode())[1] for file in (output, errors)]
        sys.stdout.write(json.dumps(written) + "\n")
        sys.stdout.flush()


def _run(bench: object, arguments: list[str], output: IO[bytes], errors: IO[bytes]) -> NoReturn:
    """What a forked process does: it never returns to what its parent was at."""
    signal.alarm(_LONGEST_S)
    os.dup2(output.fileno(), sys.stdout.fileno())
    os.dup2(errors.fileno(), sys.stderr.fileno())
    sys.argv = [str(getattr(bench, "__file__", "")), *arguments]
    try:
        bench.main()  # type: ignore[attr-defined]
    except SystemExit as ended:
        sys.stderr.write(f"{ended.code}\n")
    except BaseException:  # noqa: BLE001 - nothing may go on as if it were the parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
