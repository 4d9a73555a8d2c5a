"""Every bench runs to its table at a tiny size, so that it still works when it is wanted. No figure is judged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples import of_the_soak

REPOSITORY = Path(__file__).resolve().parents[2]
TINY = {
    "cold_start": ("--rounds", "1"),
    "cost": ("--records", "2", "--rate", "1"),
    "datasets": ("--records", "300", "--texts", "50"),
    "effect": ("--intents", "2", "--seeds", "1", "--splits", "0"),
    "evals": ("--rows", "10", "--rounds", "1", "--no-peers"),
    "evals_size": ("--rows", "200"),
    "first_token": ("--calls", "1"),
    "gateway": ("--calls", "1", "--no-peers"),
    "ingest": ("--records", "2", "--rounds", "1"),
    "pages": ("--records", "20", "--rounds", "1"),
    "search": ("--records", "100"),
    "wrapper": ("--calls", "1"),
}
LONG = ["cold_start", "first_token"]
"""They start processes of their own."""


def test_every_bench_is_run() -> None:
    assert {path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")} == TINY.keys()


SAY_WHAT_PAYS = {"effect"}
"""Benches whose figures are no targets."""


@pytest.mark.parametrize("name", [*(name for name in TINY if name not in LONG), *of_the_soak(*LONG)])
def test_a_bench_runs_to_its_table(name: str) -> None:
    ended = subprocess.run(
        [sys.executable, f"tests/bench/bench_{name}.py", *TINY[name]],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": "client:services:."},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    assert "target" in ended.stdout or name in SAY_WHAT_PAYS, ended.stdout + ended.stderr
    assert "points (" in ended.stdout or name not in SAY_WHAT_PAYS, ended.stdout + ended.stderr
