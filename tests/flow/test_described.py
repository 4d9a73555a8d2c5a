"""The statuses that every call of the tests is held against: that there are any, and that they are the route's own."""

from __future__ import annotations

import pytest

from tests.flow.described import statuses
from tests.flow.system import System


def test_a_path_has_the_statuses_of_its_own_route() -> None:
    assert statuses("POST", "/v1/models") != statuses("DELETE", "/v1/models/lab-small")
    assert {201, 400, 404, 409} <= (statuses("POST", "/v1/models") or set())
    assert 201 not in (statuses("GET", "/v1/models/lab-small") or {201})
    assert statuses("GET", "/v1/nowhere") is None


def test_a_status_that_is_not_described_fails_a_test(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.flow.system.statuses", lambda *_: frozenset({200}))
    with pytest.raises(AssertionError, match="404 is not described"):
        system.call("GET", "/v1/evals/eval_absent")
