"""Every bench runs to its table at a tiny size, so that it still works when it is wanted. No figure is judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.examples import of_the_soak

REPOSITORY = Path(__file__).resolve().parents[2]
TINY = {
    "cold_start": ("--rounds", "1"),
    "cost": ("--records", "2", "--rate", "1"),
    "datasets": ("--records", "300", "--texts", "50"),
    "effect": ("--intents", "2", "--seeds", "1", "--splits", "0", "--only", "default, "),
    "evals": ("--rows", "10", "--rounds", "1", "--no-peers"),
    "evals_size": ("--rows", "200"),
    "first_token": ("--calls", "1"),
    "gateway": ("--calls", "1", "--no-peers"),
    "ingest": ("--records", "2", "--rounds", "1"),
    "pages": ("--records", "20", "--models", "2", "--rounds", "1"),
    "search": ("--records", "100"),
    "wrapper": ("--calls", "1"),
}
LONG = ["cold_start", "first_token"]
"""They start processes of their own."""


def test_every_bench_is_run() -> None:
    assert {path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")} == TINY.keys()


SAY_WHAT_PAYS = {"effect"}
"""Benches whose figures are no targets."""


type Run = Callable[[str], tuple[str, str]]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Run a bench; what it writes on standard output, and on standard error."""
    with subprocess.Popen(
        [sys.executable, "tests/bench/warm.py"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": "client:services:."},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as warm:
        assert warm.stdin
        assert warm.stdout
        source, sink = warm.stdout, warm.stdin

        def run(name: str) -> tuple[str, str]:
            sink.write(json.dumps([name, TINY[name]]) + "\n")
            sink.flush()
            output, errors = json.loads(source.readline())
            return output, errors

        yield run
        sink.close()


@pytest.mark.parametrize("name", [*(name for name in TINY if name not in LONG), *of_the_soak(*LONG)])
def test_a_bench_runs_to_its_table(name: str, run: Run) -> None:
    output, errors = run(name)
    assert "Traceback" not in errors, errors
    assert "target" in output or name in SAY_WHAT_PAYS, output + errors
    assert "points (" in output or name not in SAY_WHAT_PAYS, output + errors
