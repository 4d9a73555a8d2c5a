"""A very large dataset, whose parts the state machine makes: the same bytes as without."""

from __future__ import annotations

from typing import Any

import pytest

from assembly import machine
from assembly.make import make
from distillations.dataset import Dataset
from foundation import aws, blobs
from tests import permissions
from tests.assembly.states import DEFINITION, States
from tests.distilling import build
from tests.flow.system import FakeContext, System


@pytest.fixture
def states(system: System, monkeypatch: pytest.MonkeyPatch) -> States:
    """The state machine, which takes sets of three parts of four completions."""
    stood_in = States(system)
    monkeypatch.setattr(aws, "stepfunctions", lambda: stood_in)
    return stood_in


@pytest.fixture
def asked(system: System) -> str:
    records = [build.record(100 + n, f"mail {n} of a customer who asks for it", split="train") for n in range(20)]
    records += [build.record(1, "mail 7"), build.record(200, "mail 3 of a customer who asks for it", split="train")]
    build.captured(system, records)
    body = {"source": build.source("train"), "held_out": build.source("test")}
    return str(system.ok("POST", "/v1/datasets", body)["id"])


def files() -> dict[str, bytes]:
    return {key: blobs.get(key) for key in blobs.keys("datasets/")}


def made_alone(asked: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, bytes], Dataset]:
    """What the function makes of it alone; then all is as if it had not, and parts are small."""
    before, waiting = files(), Dataset.load(asked)
    make(asked, FakeContext())
    whole = files(), Dataset.load(asked)
    blobs.delete(set(whole[0]) - set(before))
    waiting.change({"status": "queued", "card": None})
    monkeypatch.setattr("completions.selection.MOST_IN_A_PART", 4)
    monkeypatch.setattr(machine, "LEAST_PARTS", 3)
    return whole


def settled(system: System) -> None:
    while system.deliver("ASSEMBLY"):
        pass


def test_it_is_the_set_that_the_function_makes_alone(
    asked: str, states: States, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made_alone(asked, monkeypatch)
    settled(system)
    assert (files(), Dataset.load(asked)) == whole
    assert states.started == [asked]
    steps = [piece["step"] for piece in states.pieces]
    assert steps == ["read"] * 6 + ["template"] + ["sign"] * 6


@pytest.mark.parametrize("failing", [1, 7, 9])
def test_what_fails_in_it_is_done_by_the_function(
    failing: int, asked: str, states: States, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made_alone(asked, monkeypatch)
    states.fails = {failing}
    settled(system)
    assert (files(), Dataset.load(asked)) == whole
    assert (states.started, len(states.pieces)) == ([asked], failing)


def test_a_piece_that_comes_twice_is_done_once(
    asked: str, states: States, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made_alone(asked, monkeypatch)
    call = states._call
    monkeypatch.setattr(states, "_call", lambda *about: (call(*about), call(*about)))
    settled(system)
    assert (files(), Dataset.load(asked)) == whole


def test_one_that_is_deleted_meanwhile_leaves_nothing(
    asked: str, states: States, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_alone(asked, monkeypatch)
    call = states._call

    def deleted(*about: Any) -> None:
        with permissions.meanwhile():
            for dataset in filter(None, [Dataset.find(asked)]):
                dataset.remove()
        call(*about)

    monkeypatch.setattr(states, "_call", deleted)
    settled(system)
    assert Dataset.find(asked) is None
    assert not [key for key in files() if "/work/" in key]


def test_once_it_is_canceled_no_further_piece_is_made(
    asked: str, states: States, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_alone(asked, monkeypatch)
    call, read = states._call, []
    monkeypatch.setattr("assembly.parts.Parts.read", lambda *about: read.append(about))

    def canceled(*about: Any) -> None:
        call(*about)
        system.ok("POST", f"/v1/datasets/{asked}/cancel")

    monkeypatch.setattr(states, "_call", canceled)
    settled(system)
    assert len(states.pieces) > len(read) == 1
    assert not [key for key in files() if "/work/" in key]


def test_its_pieces_are_repeated_and_what_is_left_goes_back_to_the_function() -> None:
    for name, state in DEFINITION["States"].items():
        if state["Type"] == "Map":
            [inner] = state["ItemProcessor"]["States"].values()
            assert inner["Retry"][0]["MaxAttempts"] >= 3
            # Functions are few in a new account, and the API needs some, too.
            assert state["MaxConcurrency"] <= 8
            assert state["ToleratedFailurePercentage"] == 0
        if name != "GoOn" and state["Type"] != "Choice":
            assert [caught["Next"] for caught in state["Catch"]] == ["GoOn"]
    assert DEFINITION["States"]["GoOn"]["Parameters"]["DelaySeconds"] > 0


@pytest.mark.parametrize("code", ["ExecutionAlreadyExists", "StateMachineDoesNotExist"])
def test_without_a_state_machine_the_function_makes_it_alone(
    code: str, asked: str, states: States, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made_alone(asked, monkeypatch)

    def refused(**_: Any) -> None:
        raise machine.ClientError({"Error": {"Code": code}}, "StartExecution")

    monkeypatch.setattr(states, "start_execution", refused)
    settled(system)
    assert (files(), Dataset.load(asked)) == whole
