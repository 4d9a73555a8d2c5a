"""The slices that few rows trained, as a verdict shows them: by metadata, by answer, and with their intervals."""

from __future__ import annotations

import orjson
import pytest

from distillations.deciding.rare_slices import answers_to, rare_gains
from distillations.report.document import RareSlice
from stats import PairedCounts, tango_interval
from tests.distillations.deciding.tables import outcomes


def rare(field: str, value: str, rows: int = 3) -> RareSlice:
    return RareSlice(
        field=field, value=value, train_rows=rows, train_lines=rows, production_share=None, even_share_rows=9.0
    )


def test_each_rare_slice_with_test_rows_is_shown_whether_or_not_it_proves_anything() -> None:
    tags = [{"kind": "refund"}] * 3 + [{"kind": "parcel"}] * 2
    distilled, baseline = outcomes("ffppf", metadata=tags), outcomes("pfpfp", metadata=tags)
    slices = [
        rare("metadata.kind", "refund"),
        rare("answer", "no", 7),
        rare("metadata.kind", "gone"),
        rare("tools", "no"),
    ]
    refund, no = rare_gains(slices, list(distilled), distilled, baseline, {"row-3": "no", "row-9": "no"}, seed=1)
    assert (refund.tag, refund.rows, refund.train_rows) == ("kind=refund", 3, 3)
    assert (refund.gain, refund.interval) == (-1 / 3, tango_interval(PairedCounts(3, 0, 1)))
    assert (no.tag, no.rows, no.gain, no.train_rows) == ("answer=no", 1, 1.0, 7)
    assert refund.adjusted_p_value == 1.0


def test_each_p_is_adjusted_for_the_others() -> None:
    tags = [{"kind": "refund"}] * 8 + [{"kind": "parcel"}] * 9
    distilled, baseline = outcomes("p" * 17, metadata=tags), outcomes("f" * 17, metadata=tags)
    slices = [rare("metadata.kind", "refund"), rare("metadata.kind", "parcel")]
    told = rare_gains(slices, list(distilled), distilled, baseline, {}, seed=1)
    # McNemar's exact p of 8 and of 9 rows that were won: 2 / 2^8 and 2 / 2^9. Holm doubles the smaller one.
    assert [slice_.adjusted_p_value for slice_ in told] == pytest.approx([2 / 2**8, 2 * 2 / 2**9])


def test_no_rare_slice_is_none() -> None:
    assert rare_gains([], ["row-0"], outcomes("p"), outcomes("f"), {}, seed=1) == []


def test_a_row_is_answered_as_the_teacher_answered_else_by_its_reference() -> None:
    said = {"choices": [{"message": {"role": "assistant", "content": " card\nlost "}}]}
    rows = [
        {"item": {"completion_id": "a", "reference": "wrong"}, "sample": said},
        {"item": {"reference": "refund"}},
        {"item": {"completion_id": "c", "reference": None}},
    ]
    assert answers_to(map(orjson.dumps, rows)) == {"a": "card lost", "1": "refund"}
