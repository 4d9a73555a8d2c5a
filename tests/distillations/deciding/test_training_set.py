"""What a verdict says of what its model learnt from."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.deciding.training_set import training_set
from distillations.report.document import REPORT
from foundation import blobs
from tests.distillations import documents
from tests.distillations.deciding.reports import report
from tests.distilling import build

pytestmark = pytest.mark.usefixtures("system")


def field(name: str, *, differs: bool) -> dict[str, Any]:
    figures = dict.fromkeys(
        (
            "psi",
            "psi_noise",
            "psi_noise_95",
            "jensen_shannon",
            "jensen_shannon_noise_95",
            "p_value",
            "adjusted_p_value",
        ),
        0.1,
    )
    return {"field": name, "kind": "labels", "rows": 9, "other_rows": 9, "differs": differs, **figures}


def test_leaks_skew_and_warnings_come_from_card_and_report() -> None:
    card = documents.card(
        dropped={"near_leaks": 3, "test_conversations": 0, "duplicates": 9}, contradicted=["c"], warnings=["Look."]
    )
    dataset = build.dataset(build.distillation(dataset_id="dataset_1"), card=card)
    skew = [field("hour", differs=True), field("topic", differs=False)]
    blobs.put(dataset.key(REPORT), report(skew=skew), content_type="application/json")
    found = training_set("dataset_1")
    assert found.warnings
    assert (found.warnings.warnings, found.warnings.leaks) == (["Look."], {"near_leaks": 3})
    assert (found.warnings.contradicted, found.warnings.skewed_fields) == (1, ["hour"])
    assert found.traffic
    assert found.traffic.rows == 3


def test_what_is_gone_says_nothing() -> None:
    assert training_set(None) == training_set("dataset_9") == (None, None, ())
    build.dataset(build.distillation(dataset_id="dataset_1"))
    found = training_set("dataset_1")
    assert found.warnings
    assert (found.warnings.skewed_fields, found.traffic) == ([], None)
