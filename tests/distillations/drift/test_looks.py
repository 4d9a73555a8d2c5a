"""The looks at an alias's traffic as rows, also of traffic with as many odd fields as a report has."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from distillations.drift import looks
from distillations.drift.document import FieldDrift, TrafficDrift
from distillations.report.comparison import FieldComparison, ShareChange
from foundation import table
from stats import Interval

pytestmark = pytest.mark.usefixtures("system")
AT = 1_800_000_000


def value(random: Random) -> str:
    """As long a value as a field may have, of which each character takes four bytes."""
    return "".join(chr(random.randrange(0x20000, 0x2A6DF)) for _ in range(64))


def field(random: Random) -> FieldDrift:
    shares = [
        ShareChange(
            value=value(random),
            share=random.random(),
            other_share=random.random(),
            interval=Interval(-random.random(), random.random()),
        )
        for _ in range(20)
    ]
    figures: dict[str, Any] = dict.fromkeys(
        ("psi", "psi_noise", "psi_noise_95", "jensen_shannon", "jensen_shannon_noise_95"), random.random()
    )
    comparison = FieldComparison(
        field=f"metadata.{value(random)}"[:64],
        kind="labels",
        rows=2000,
        other_rows=2000,
        p_value=1e-9,
        adjusted_p_value=1e-9,
        differs=True,
        changes=shares[:10],
        **figures,
    )
    return FieldDrift(comparison=comparison, shares=shares, since=AT)


def test_a_look_at_as_many_fields_as_a_report_has_fits_into_a_row() -> None:
    """Whoever may capture chooses the tags: a look that fits no row would be a dead letter, each day anew."""
    random = Random(1)
    drift = TrafficDrift(
        id="quick",
        when={"topic": "refund"},
        status="drifted",
        sentence="It has moved.",
        dataset_id="dataset_1",
        looked_at=AT,
        fields=[field(random) for _ in range(55)],
    )
    assert len(drift.model_dump_json().encode()) > 400_000
    looks.keep(drift)
    assert looks.latest("quick", {"topic": "refund"}, "dataset_1") == drift
    assert looks.latest("quick", {}, "dataset_1") is None
    assert [look.drifted for look in looks.history("quick", {"topic": "refund"})] == [
        [one.comparison.field for one in drift.fields]
    ]


def test_a_look_that_was_written_before_they_were_compressed_is_read() -> None:
    drift = TrafficDrift(id="quick", status="steady", sentence="No drift.", dataset_id="dataset_1", looked_at=AT)
    table.put({"pk": "DRIFT#quick", "sk": "LATEST#dataset_1", "doc": drift.model_dump_json()})
    assert looks.latest("quick", {}, "dataset_1") == drift
