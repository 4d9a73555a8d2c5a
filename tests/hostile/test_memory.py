"""Nothing of a caller's size is held in memory whole: a line is bounded, frozen rows and training sets are streamed."""

from __future__ import annotations

import pytest

from evals.files import File, file_key
from foundation import blobs, bus
from foundation.events import AssembleDataset
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System
from tests.hostile import acts
from tests.hostile.walls import Walls

MEGABYTE = 1_000_000
MOST_AT_ONCE = 16 * MEGABYTE


def file_of(body: bytes) -> str:
    key = file_key("file-large")
    blobs.put(key, body)
    File(id="file-large", created_at=1, bytes=len(body), filename="rows", purpose="evals", key=key).create()
    return "file-large"


def test_a_run_over_a_line_beyond_the_bound_fails_and_names_it(system: System) -> None:
    small = b'{"item": {"reference": "yes"}, "sample": {"output_text": "yes"}}\n'
    large = b'{"item": {"reference": "yes", "text": "' + b"t" * (20 * MEGABYTE) + b'"}}\n'
    source = {"type": "file_id", "id": file_of(small + large + small)}
    run = acts.graded(system, acts.new_eval(system), {"type": "jsonl", "source": source})
    assert run["status"] == "failed"
    assert "2" in run["error"]["message"], "the line's number"
    assert "bytes" in run["error"]["message"]


def test_a_line_without_an_end_is_given_up_at_the_bound(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that joins each chunk to all before it copies a line of 120 MB sixty times over."""
    read: list[int] = []
    raw_lines = blobs._split

    def counted(chunks: object) -> object:
        def passed() -> object:
            for chunk in chunks:  # type: ignore[attr-defined]
                read.append(len(chunk))
                yield chunk

        return raw_lines(passed())  # type: ignore[arg-type]

    monkeypatch.setattr(blobs, "_split", counted)
    source = {"type": "file_id", "id": file_of(b"x" * (40 * MEGABYTE))}
    run = acts.graded(system, acts.new_eval(system), {"type": "jsonl", "source": source})
    assert run["status"] == "failed"
    assert 0 < sum(read) <= MOST_AT_ONCE


@pytest.fixture
def large_completions(system: System) -> System:
    for number in range(30):
        build.captured(
            system,
            [build.record(number, f"question {number} {'q' * MEGABYTE}", split="test" if number < 20 else "train")],
        )
    return system


def test_test_rows_are_frozen_in_a_stream(large_completions: System, walls: Walls) -> None:
    distillation = build.distillation("queued", student=loop.STUDENT)
    from distilling.advance import advance

    advance(distillation.id)
    assert loop.fetched(large_completions, distillation.id)["test_rows"] == 20
    assert 0 < walls.largest_body <= MOST_AT_ONCE


def test_a_training_set_is_written_in_a_stream(system: System, walls: Walls) -> None:
    for number in range(24):
        build.captured(system, [build.record(number, f"question {number} {'q' * MEGABYTE}", split="train")])
    distillation = build.distillation("assembling", dataset_id="dataset_1", job_id="ftjob-1")
    blobs.put(distillation.rows_key, b'{"item": {"completion_id": "chatcmpl-t", "input": []}}\n')
    walls.largest_body = 0
    bus.send(AssembleDataset(distillation_id=distillation.id, dataset_id="dataset_1"))
    system.deliver("ASSEMBLY")
    assert system.ok("GET", "/v1/datasets/dataset_1")["card"]["rows"] == 24
    assert 0 < walls.largest_body <= MOST_AT_ONCE
