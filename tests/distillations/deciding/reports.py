"""A training set's report as it is stored, each field to be overridden."""

from __future__ import annotations

from typing import Any

import orjson


def report(**fields: Any) -> bytes:
    counts = ("created_at", "selected", "rows", "train_rows", "train_lines", "validation_rows", "train_tokens")
    lists = ("warnings", "steps", "labels", "amounts", "periods", "topics", "imbalances", "rare_slices", "estimates")
    empty = {**dict.fromkeys(counts, 1), **{name: [] for name in lists}, "drift": None, "suitability": None}
    traffic = {"rows": 3, "begins_at": 1, "ends_at": 86_401, "in_training": 2}
    return orjson.dumps({"id": "dataset_1", **empty, "skew": [], "production": traffic, **fields})
