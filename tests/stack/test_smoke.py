"""`make smoke` on the local stack, which has every step but the push by the capture's own URL."""

from __future__ import annotations

import dataclasses

import openai
import pytest

from infra.operate import smoke


@pytest.mark.usefixtures("stack")
def test_every_step_ends_well() -> None:
    lines = list(smoke.steps(smoke.local(), None))
    assert [step.split()[0] for step in lines] == ["pushed", "the", "a", "walls", "told"]
    assert "one row passed, one failed" in lines[2]


@pytest.mark.usefixtures("stack")
def test_a_wrong_key_is_no_success() -> None:
    target = dataclasses.replace(smoke.local(), key="sk-sh-first-wrong")
    with pytest.raises(openai.AuthenticationError):
        list(smoke.steps(target, None))


@pytest.mark.usefixtures("stack")
def test_a_step_that_does_not_end_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "_PATIENCE_S", -1)
    with pytest.raises(smoke.Failed, match="look at the alarms"):
        list(smoke.steps(smoke.local(), None))
