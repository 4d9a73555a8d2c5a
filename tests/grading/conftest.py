"""Chunks are smaller here, so that few rows make several."""

from __future__ import annotations

import pytest

from grading import plan


@pytest.fixture(autouse=True)
def _chunks_of_fifty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "ROWS_A_CHUNK", 50)
