"""A completion that was handed over is found by its id until the recorder has written it, small or large."""

from __future__ import annotations

import random

import pytest

from completions import index, recent
from completions.completion import Completion
from foundation import blobs, links
from foundation.ids import now

pytestmark = pytest.mark.usefixtures("cloud")


def completion(text: str) -> Completion:
    request = {"model": "m", "messages": [{"role": "user", "content": text}]}
    choice = {"message": {"role": "assistant", "content": "a"}}
    return Completion.of({"request": request, "response": {"id": "resp_1", "choices": [choice]}}, at=now())


def test_a_small_one_lies_in_its_row() -> None:
    recent.keep(completion("q"))
    assert recent.find("resp_1") == completion("q")
    assert list(blobs.keys("answers/")) == []
    assert recent.find("resp_2") is None


def test_a_large_one_lies_in_s3_and_is_swept_with_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = random.Random(0).randbytes(400_000).hex()
    recent.keep(completion(noise))
    row = recent.find("resp_1")
    assert row is not None
    assert row.messages[0]["content"] == noise
    assert len(list(blobs.keys("answers/"))) == 1
    monkeypatch.setattr(links, "now", lambda: now() + 2 * 3600)
    assert links.discard_copies(lambda: True) == 1


def test_it_ends_after_a_quarter_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    recent.keep(completion("q"))
    monkeypatch.setattr(recent, "now", lambda: now() + links.LINK_S + 1)
    assert recent.find("resp_1") is None


def test_a_deletion_leaves_nothing_of_it() -> None:
    recent.keep(completion("q"))
    index.delete("resp_1")
    assert recent.find("resp_1") is None
    assert index.gone(["resp_1"]) == {"resp_1"}
