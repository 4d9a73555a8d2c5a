"""Items chosen by status from the index are those that scanning the chunks finds, in the same order."""

from __future__ import annotations

import pytest

from evals import items_by_status as chosen
from evals.output_items import output_items_behind
from evals.run import Run
from tests.api.rows import CHECK, CLOSE, answered, create_eval, graded
from tests.flow.system import System


def test_the_index_finds_what_the_chunks_hold(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    eval_id = create_eval(system, CHECK, CLOSE)
    run = Run.load(graded(system, eval_id, answered(("pffe" + "p" * 30) * 6)))
    for descending in (False, True):
        for status in ("pass", "fail", "error", "odd"):
            wanted = list(output_items_behind(run, after=None, status=status, descending=descending))
            assert list(chosen.items_by_status(run, after=None, status=status, descending=descending)) == wanted
            assert bool(wanted) is (status != "odd")
            for item in wanted[3:4]:
                rest = chosen.items_by_status(run, after=item["id"], status=status, descending=descending)
                assert list(rest) == wanted[4:]
    assert not list(chosen.items_by_status(run, after="none", status="pass", descending=False))
    url = f"/v1/evals/{eval_id}/runs/{run.id}/output_items?status=error&limit=2"
    page = system.ok("GET", url)
    monkeypatch.setattr(chosen, "_MOST_ROWS", 1)
    assert system.ok("GET", url) == page
