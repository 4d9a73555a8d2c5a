"""The recorder: batch objects readable by record and as a whole, and the same state after any redelivery."""

from __future__ import annotations

import pytest
from backports import zstd

from capture.odd import completion_of
from capture.record import record
from completions import batches, index
from completions.completion import Completion
from completions.filters import Filter
from foundation import blobs
from foundation.events import RecordCompletions
from foundation.ids import new_id
from tests.capture.build import everything, message
from tests.flow import loop
from tests.flow.system import System


def test_each_completion_can_be_read_alone_and_the_object_whole(system: System) -> None:
    batch_id = new_id("capture_")
    record([message(range(5), batch_id)])
    (key,) = blobs.keys("completions/")
    assert system.bucket
    lines = zstd.decompress(blobs.get(key)).splitlines()
    whole = [Completion.read(line) for line in lines]
    assert [completion.id for completion in whole] == [f"chatcmpl-rec-{number}" for number in range(5)]
    place = index.find("chatcmpl-rec-3")
    assert place is not None
    alone = zstd.decompress(blobs.get(place.object, offset=place.offset, length=place.length))
    assert Completion.read(alone) == whole[3]


@pytest.mark.usefixtures("system")
def test_a_completion_that_comes_alone_lies_in_the_frame_it_came_in() -> None:
    line = completion_of(loop.record(1, split="train", tag="rec")).line()
    frame = zstd.compress(line + b"\n", 19)
    record([RecordCompletions(batch_id=new_id("capture_"), part=0, parts=1, records=frame)])
    assert [blobs.get(key) for key in blobs.keys("completions/")] == [frame]


@pytest.mark.usefixtures("system")
def test_what_is_packed_in_another_way_is_packed_anew() -> None:
    first, second = (completion_of(loop.record(number, split="train", tag="rec")).line() for number in (1, 2))
    for packed in (zstd.compress(first), zstd.compress(second) + zstd.compress(b"\n")):
        record([RecordCompletions(batch_id=new_id("capture_"), part=0, parts=1, records=packed)])
    for key in blobs.keys("completions/"):
        assert zstd.decompress(blobs.get(key)) in {first + b"\n", second + b"\n"}
    assert [completion.id for completion in index.completions(Filter())] == ["chatcmpl-rec-1", "chatcmpl-rec-2"]


def test_a_redelivery_writes_the_same_again(system: System) -> None:
    batch_id = new_id("capture_")
    sent = message(range(30), batch_id)
    record([sent])
    once = everything(system)
    record([sent])
    assert everything(system) == once
    assert len(list(index.select(Filter()))) == 30


def test_parts_of_a_batch_are_objects_of_their_own(system: System) -> None:
    batch_id = new_id("capture_")
    record([message(range(3), batch_id, part=0, parts=2)])
    assert batches.parts(batch_id) == {0: 2}
    record([message(range(3, 6), batch_id, part=1, parts=2)])
    assert batches.parts(batch_id) == {0: 2, 1: 2}
    assert len(list(blobs.keys("completions/"))) == 2
    assert system.ok("GET", f"/v1/captures/{batch_id}")["status"] == "recorded"


def test_one_completion_in_two_batches_is_listed_once(system: System) -> None:
    record([message(range(3), new_id("capture_"))])
    record([message(range(4), new_id("capture_"))])
    listed = system.ok("GET", "/v1/chat/completions?metadata[tag]=rec")["data"]
    assert [completion["id"] for completion in listed] == [f"chatcmpl-rec-{number}" for number in range(4)]
