"""A dataset that is made by itself: once, the same bytes whatever breaks off on the way."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import EndpointConnectionError

from assembly.made import LEASE
from assembly.make import give_up, make
from assembly.settled import Whole
from assembly.time_left import GoesOn
from distillations import lineage
from distillations.dataset import Dataset
from foundation import blobs, lease, table
from foundation.errors import AtWork
from tests.assembly.striking import struck
from tests.distilling import build
from tests.flow.system import FakeContext, System


@pytest.fixture
def asked(system: System) -> str:
    """A dataset that waits to be made, with a duplicate and a test row among its completions."""
    records = [build.record(100 + n, f"mail {n}", split="train") for n in range(20)]
    build.captured(system, [*records, build.record(1, "mail 7"), build.record(200, "mail 3", split="train")])
    body = {"source": build.source("train"), "held_out": build.source("test")}
    return str(system.ok("POST", "/v1/datasets", body)["id"])


def left(dataset_id: str) -> tuple[dict[str, bytes], Dataset]:
    return {key: blobs.get(key) for key in blobs.keys("datasets/")}, Dataset.load(dataset_id)


def test_it_is_made_as_it_was_asked_for(asked: str) -> None:
    make(asked, FakeContext())
    files, dataset = left(asked)
    assert dataset.card
    assert (dataset.status, dataset.card.selected, dataset.card.rows) == ("ready", 21, 19)
    assert {rule: count for rule, count in dataset.card.dropped.items() if count} == {"test_leaks": 1, "duplicates": 1}
    assert not any(key.endswith("card.json") for key in files), "no job starts of it"
    assert {node["id"] for node in lineage.graph("chatcmpl-101")["nodes"]} >= {asked}
    assert lineage.graph("chatcmpl-107")["nodes"] == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_call_and_delivered_again_it_is_the_same(
    when: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    untouched, waiting = left(asked)
    with struck(0, when, monkeypatch) as calls:
        make(asked, FakeContext())
    whole = left(asked)
    for call in range(1, len(calls) + 1):
        blobs.delete(set(whole[0]) - set(untouched))
        waiting.change({"status": "queued", "card": None})
        table.delete(asked, f"LEASE#{LEASE}")
        with struck(call, when, monkeypatch), pytest.raises(EndpointConnectionError):
            make(asked, FakeContext())
        # The lease of who was killed ends by itself.
        table.delete(asked, f"LEASE#{LEASE}")
        make(asked, FakeContext())
        make(asked, FakeContext())
        assert left(asked) == whole, (call, calls[call - 1])


def test_one_delivery_at_a_time_makes_it(asked: str) -> None:
    with lease.held(asked, LEASE, FakeContext()), pytest.raises(AtWork):
        make(asked, FakeContext())
    assert Dataset.load(asked).status == "queued"


def test_one_that_has_ended_or_is_gone_is_left_alone(asked: str) -> None:
    make(asked, FakeContext())
    whole = left(asked)
    give_up(asked, "it was tried")
    make(asked, FakeContext())
    assert left(asked) == whole
    Dataset.load(asked).remove()
    make(asked, FakeContext())
    give_up(asked, "it was tried")
    assert Dataset.find(asked) is None


def test_one_that_is_canceled_and_deleted_while_it_is_made_leaves_nothing(
    asked: str, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files = Whole.write_files

    def written_in_vain(whole: Whole) -> None:
        system.ok("POST", f"/v1/datasets/{asked}/cancel")
        system.ok("DELETE", f"/v1/datasets/{asked}")
        write_files(whole)
        assert list(blobs.keys(f"datasets/{asked}/"))

    monkeypatch.setattr(Whole, "write_files", written_in_vain)
    make(asked, FakeContext())
    assert Dataset.find(asked) is None
    assert list(blobs.keys(f"datasets/{asked}/")) == []


def test_one_that_cannot_be_made_ends_as_failed(asked: str, system: System) -> None:
    blobs.put(f"datasets/{asked}/selection.jsonl", b"no reference\n")
    for _ in range(7):
        system.deliver("ASSEMBLY")
    dataset = Dataset.load(asked)
    assert dataset.error
    assert (dataset.status, dataset.error.code) == ("failed", "assembly_failed")


class ShortContext(FakeContext):
    """Lambda's context of a function that is always near its end."""

    def get_remaining_time_in_millis(self) -> int:
        return 5_000


def test_one_that_takes_more_than_an_invocation_is_gone_on_with(
    asked: str, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    untouched, waiting = left(asked)
    make(asked, FakeContext())
    whole = left(asked)
    blobs.delete(set(whole[0]) - set(untouched))
    waiting.change({"status": "queued", "card": None})
    monkeypatch.setattr("completions.selection.MOST_IN_A_PART", 4)
    monkeypatch.setattr("tests.flow.system.FakeContext", ShortContext)
    deliveries = 0
    while system.deliver("ASSEMBLY"):
        deliveries += 1
    assert left(asked) == whole, "nothing of the parts is left behind"
    assert deliveries > 6


def test_what_is_deleted_while_its_part_waits_never_trains(
    asked: str, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("completions.selection.MOST_IN_A_PART", 4)
    for _ in range(6):
        with pytest.raises(GoesOn):
            make(asked, ShortContext())
    assert any(b"mail 1" in blobs.get(key) for key in blobs.keys(f"datasets/{asked}/work/")), "its part was read"
    system.ok("DELETE", "/v1/chat/completions/chatcmpl-101")
    make(asked, FakeContext())
    files, dataset = left(asked)
    assert dataset.card
    assert dataset.card.selected == 20
    assert json.loads(files[f"datasets/{asked}/report.json"])["selected"] == 20
    lines = b"".join(files[f"datasets/{asked}/{name}.jsonl"] for name in ("train", "validation", "manifest", "rows"))
    assert b"chatcmpl-102" in lines
    assert b"chatcmpl-101" not in lines
    assert b'"mail 1"' not in lines
