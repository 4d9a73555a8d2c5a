"""A training file is read line by line, and uploaded without being held in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from openai import OpenAI

from tests.tuning.conftest import example_line, stored
from tests.tuning.trainers.far_openai import FarOpenAI
from tuning.trainers import Training, TrainingFile
from tuning.trainers.openai_files import OpenAIFiles

MEGABYTE = 1_000_000
LINES = 60
MOST_AT_ONCE = 16 * MEGABYTE

pytestmark = pytest.mark.usefixtures("system")


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> TrainingFile:
    """A file of 60 MB, whose lines are made as they are read."""
    line = example_line(0).replace(b"help", b"help" + b" x" * (MEGABYTE // 2)) + b"\n"
    monkeypatch.setattr("foundation.blobs.raw_lines", lambda _: (line for _ in range(LINES)))
    return TrainingFile("datasets/large/train.jsonl", LINES * len(line))


def peak(act: Callable[[], Any]) -> int:
    """The bytes that were held at once, above what was held before."""
    tracemalloc.start()
    act()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def training(file: TrainingFile) -> Training:
    return Training("ftjob-1", "m", file, None, hyperparameters={}, seed=1, suffix="s")


def test_it_says_where_it_lies_and_how_large_it_is() -> None:
    file = stored(b"one\ntwo\n")
    assert (file.size, list(file.read())) == (8, [b"one\n", b"two\n"])
    assert file.uri.startswith("s3://")
    assert file.uri.endswith(file.key)
    with file.opened() as lines:
        assert lines.read() == b"one\ntwo\n"


def test_checking_it_holds_a_line_at_a_time(large: TrainingFile) -> None:
    trainer = FarOpenAI().trainer()
    assert peak(lambda: trainer.check(training(large))) < MOST_AT_ONCE


class Counting(httpx2.BaseTransport):
    """Takes a request part by part, as a connection does."""

    sent = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        for part in request.stream:  # type: ignore[union-attr]
            self.sent += len(part)
        return httpx2.Response(200, json={"id": "theirs", "status": "queued", "error": None})


def test_uploading_it_holds_a_part_at_a_time(large: TrainingFile) -> None:
    transport = Counting()
    client = OpenAI(base_url="http://far/v1", api_key="any", http_client=httpx2.Client(transport=transport))
    assert peak(lambda: OpenAIFiles(client, wait=False)._upload("ftjob-1-train.jsonl", large)) < MOST_AT_ONCE
    assert transport.sent > large.size
