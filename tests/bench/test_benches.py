"""Every bench runs to its table at a tiny size, so that it still works when it is wanted. No figure is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples import of_the_soak
from tests.fresh import Fresh

TINY = {
    "cold_start": ("--rounds", "1"),
    "cost": ("--records", "2", "--rate", "1"),
    "datasets": ("--records", "200", "--texts", "20"),
    "effect": ("--intents", "2", "--seeds", "1", "--splits", "0", "--only", "default, quality"),
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


QUICKER = {"pages": ["--no-cold"]}
"""Left out without `--soak`, for the same reason."""


def test_every_bench_is_run() -> None:
    assert {path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")} == TINY.keys()


SAY_WHAT_PAYS = {"effect"}
"""Benches whose figures are no targets."""


@pytest.mark.soak
@pytest.mark.parametrize("name", [*(name for name in TINY if name not in LONG), *of_the_soak(*LONG)])
def test_a_bench_runs_to_its_table(name: str, fresh: Fresh, soak: bool) -> None:
    output, errors, _ = fresh.ran(f"tests.bench.bench_{name}", *TINY[name], *(() if soak else QUICKER.get(name, ())))
    assert "Traceback" not in errors, errors
    assert "target" in output or name in SAY_WHAT_PAYS, output + errors
    assert "points (" in output or name not in SAY_WHAT_PAYS, output + errors
