"""What is asked of Together and Fireworks, and what their doubles answer: as it is listed, and as their SDKs know it.

`make sdks` runs all of it; `RECORD_EXCHANGES=1` writes the listings anew.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.trainers.recording import RECORDED, listed, listing, recorded, shapes
from tuning.trainers import fireworks, together

SDKS = Path(__file__).resolve().parents[3] / ".venv-sdks" / "bin" / "python"
HOLD = Path(__file__).parent / "sdks" / "hold.py"
STATES = {
    "together job": together._STATES,
    "together deployment": together._DEPLOYED,
    "fireworks job": fireworks._STATES,
    "fireworks deployment": fireworks._DEPLOYED,
}

pytestmark = pytest.mark.usefixtures("system")


def exchanges() -> list[dict[str, Any]]:
    return [{"at": provider, **exchange._asdict()} for provider in RECORDED for exchange in recorded(provider)]


def held(found: list[dict[str, Any]], states: dict[str, list[str]]) -> subprocess.CompletedProcess[str]:
    """Hold exchanges and states against the SDKs, in their environment, where nothing of ours is."""
    return subprocess.run(
        [SDKS, HOLD],
        input=json.dumps({"exchanges": found, "states": states}),
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("provider", RECORDED)
def test_what_is_asked_and_answered_is_what_is_listed(provider: str) -> None:
    found = shapes(recorded(provider))
    if os.environ.get("RECORD_EXCHANGES"):
        listing(provider).write_text("".join(f"{line}\n" for line in sorted(found)), encoding="utf-8")
    assert sorted(found ^ listed(provider)) == [], "see the top of this file, and run `make sdks`"


@pytest.mark.soak(alone=True)
def test_the_sdks_ask_and_are_answered_the_same() -> None:
    ended = held(exchanges(), {what: list(states) for what, states in STATES.items()})
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    assert ended.stdout.endswith("no difference\n")


def spoilt(found: list[dict[str, Any]], method: str, path: str, side: str) -> dict[str, Any]:
    """The body or the answer of the first exchange of this kind, to be spoilt."""
    document: dict[str, Any] = next(
        one[side] for one in found if (one["method"], one["status"]) == (method, 200) and one["path"].endswith(path)
    )
    return document


@pytest.mark.soak(alone=True)
def test_whatever_differs_from_the_sdks_is_told() -> None:
    found = exchanges()
    order = spoilt(found, "POST", "/v1/fine-tunes", "body")
    order["epochs"] = order.pop("n_epochs")
    order["training_method"]["train_on_inputs"] = "never"
    spoilt(found, "POST", "/supervisedFineTuningJobs", "body")["loraRank"] = "16"
    spoilt(found, "POST", "/deployments", "answer")["trafficMode"] = "TRAFFIC_MODE_DARK"
    del spoilt(found, "GET", "/v1/accounts", "answer")["accounts"][0]["email"]
    next(one for one in found if one["method"] == "DELETE" and one["at"] == "fireworks" and one["query"])["query"] = {
        "force": "true"
    }
    found.append({**found[0], "path": "/v1/tunes"})
    ended = held(found, {"together job": [state for state in together._STATES if state != "user_error"]})
    assert (ended.returncode, ended.stderr) == (1, "")
    for told in (
        "body.epochs is unknown",
        "body.n_epochs is wanted",
        "body.training_method.train_on_inputs is 'never'",
        "body.loraRank is '16'",
        "answer.trafficMode is 'TRAFFIC_MODE_DARK'",
        "answer.accounts[].email is wanted",
        "query.force is unknown",
        "/v1/tunes: no method of the SDK asks this",
        "together job: user_error stands in one table only",
    ):
        assert told in ended.stdout
