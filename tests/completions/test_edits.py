"""Edits and deletions of stored completions: rows of their own, applied wherever completions are read."""

from __future__ import annotations

import json

import pytest
from backports import zstd

from completions import index
from completions.filters import Filter
from foundation import blobs
from foundation.ids import now_ms
from retention.erase import erase
from retention.failures import Failures
from tests.flow import loop
from tests.flow.system import System


@pytest.fixture
def stored(system: System) -> System:
    system.ok("POST", "/v1/captures", [loop.record(number, split="train", tag="e") for number in range(5)])
    system.settle()
    return system


def listed(system: System, query: str = "") -> list[str]:
    return [completion["id"] for completion in system.ok("GET", f"/v1/chat/completions?{query}")["data"]]


def test_an_edit_moves_a_completion_between_filters(stored: System) -> None:
    answer = stored.ok("POST", "/v1/chat/completions/chatcmpl-e-2", {"metadata": {"tag": "f", "new": "1"}})
    assert answer["metadata"] == {"tag": "f", "new": "1"}
    assert stored.ok("GET", "/v1/chat/completions/chatcmpl-e-2")["metadata"] == {"tag": "f", "new": "1"}
    assert listed(stored, "metadata[tag]=f") == ["chatcmpl-e-2"]
    assert listed(stored, "metadata[tag]=f&metadata[new]=1&model=recorded-teacher") == ["chatcmpl-e-2"]
    assert listed(stored, "metadata[tag]=e") == [f"chatcmpl-e-{number}" for number in (0, 1, 3, 4)]
    assert len(listed(stored)) == 5


def test_the_last_edit_holds_and_null_empties(stored: System) -> None:
    for metadata in ({"tag": "f"}, {"tag": "g"}, None):
        stored.ok("POST", "/v1/chat/completions/chatcmpl-e-1", {"metadata": metadata})
    assert stored.ok("GET", "/v1/chat/completions/chatcmpl-e-1")["metadata"] == {}
    assert listed(stored, "metadata[tag]=f") == listed(stored, "metadata[tag]=g") == []


def test_an_edit_back_finds_it_once(stored: System) -> None:
    for tag in ("f", "e"):
        stored.ok("POST", "/v1/chat/completions/chatcmpl-e-1", {"metadata": {"tag": tag}})
    assert listed(stored, "metadata[tag]=e").count("chatcmpl-e-1") == 1


def test_deleted_is_gone_everywhere_and_stays_gone(stored: System) -> None:
    answer = stored.ok("DELETE", "/v1/chat/completions/chatcmpl-e-3")
    assert answer == {
        "object": "chat.completion.deleted",
        "id": "chatcmpl-e-3",
        "deleted": True,
        "remains_in": [],
        "has_more": False,
    }
    for url in ("", "/messages"):
        assert stored.call("GET", f"/v1/chat/completions/chatcmpl-e-3{url}")[0] == 404
    assert stored.call("DELETE", "/v1/chat/completions/chatcmpl-e-3")[0] == 404
    assert "chatcmpl-e-3" not in listed(stored)

    both = [loop.record(number, split="train", tag="e") for number in (3, 4)]
    pushed = stored.ok("POST", "/v1/captures", both)
    assert pushed["ids"] == ["chatcmpl-e-4"]
    assert [(refusal["index"], refusal["code"]) for refusal in pushed["refused"]] == [(0, "deleted")]
    stored.settle()
    assert "chatcmpl-e-3" not in listed(stored)


def test_a_push_that_was_on_its_way_for_long_does_not_bring_it_back(
    stored: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.ok("POST", "/v1/captures", json.dumps(loop.record(9, split="train", tag="e")).encode())
    index.delete("chatcmpl-e-9")
    monkeypatch.setattr("capture.record.now_ms", lambda: now_ms() + 61_000)
    stored.settle()
    assert "chatcmpl-e-9" not in listed(stored)


def test_a_push_that_met_its_deletion_is_hidden_by_the_sweep(stored: System, monkeypatch: pytest.MonkeyPatch) -> None:
    stored.ok("POST", "/v1/captures", json.dumps(loop.record(9, split="train", tag="e")).encode())
    index.delete("chatcmpl-e-9")
    stored.settle()
    assert stored.call("GET", "/v1/chat/completions/chatcmpl-e-9")[0] == 404
    monkeypatch.setattr("retention.erase.now", lambda: now_ms() // 1000 + 7200)
    failures = Failures()
    erase(lambda: True, failures)
    failures.raise_any()
    assert "chatcmpl-e-9" not in listed(stored)
    assert b"chatcmpl-e-9" not in b"".join(zstd.decompress(blobs.get(key)) for key in blobs.keys("completions/"))


def test_a_deleted_cursor_still_points(stored: System) -> None:
    stored.ok("DELETE", "/v1/chat/completions/chatcmpl-e-1")
    assert listed(stored, "after=chatcmpl-e-1") == [f"chatcmpl-e-{number}" for number in (2, 3, 4)]


@pytest.mark.usefixtures("stored")
def test_what_was_deleted_is_not_selected_for_training() -> None:
    index.delete("chatcmpl-e-0")
    ids = [completion.id for completion in index.read(index.select(Filter(metadata={"tag": "e"})))]
    assert ids == [f"chatcmpl-e-{number}" for number in range(1, 5)]


def test_the_sdk_understands_both(stored: System) -> None:
    from openai.types.chat import ChatCompletion, ChatCompletionDeleted

    updated = stored.ok("POST", "/v1/chat/completions/chatcmpl-e-1", {"metadata": {"a": "b"}})
    deleted = stored.ok("DELETE", "/v1/chat/completions/chatcmpl-e-1")
    assert ChatCompletion.model_validate(updated, strict=False).id == "chatcmpl-e-1"
    assert ChatCompletionDeleted.model_validate(deleted, strict=True).deleted


@pytest.mark.parametrize(
    "metadata", [{"a": 1}, {"a" * 65: "b"}, {"a": "b" * 513}, {str(n): "" for n in range(17)}, "x"]
)
def test_bad_metadata_is_refused_and_changes_nothing(metadata: object, stored: System) -> None:
    status, answer = stored.call("POST", "/v1/chat/completions/chatcmpl-e-1", {"metadata": metadata})
    assert status == 400
    assert answer["error"]["param"].startswith("metadata")
    assert stored.ok("GET", "/v1/chat/completions/chatcmpl-e-1")["metadata"]["tag"] == "e"


def test_the_longest_tag_of_the_widest_letters_is_found(system: System) -> None:
    record = {**loop.record(1, split="train", tag="e"), "metadata": {"k" * 64: "\U0001f600" * 512}}
    system.ok("POST", "/v1/captures", record)
    system.settle()
    references = index.select(Filter(metadata=record["metadata"]))
    assert [reference.id for reference in references] == ["chatcmpl-e-1"]


def test_two_contents_of_one_id_on_their_way_at_once_are_paged_to_an_end(system: System) -> None:
    first = {**loop.record(1, split="train", tag="e"), "created": 1_790_000_000}
    second = {**loop.record(1, split="train", tag="f"), "created": 1_790_000_600}
    between = {**loop.record(2, split="train", tag="e"), "created": 1_790_000_300}
    second["response"]["id"] = first["response"]["id"]
    for record in (first, second, between):
        system.ok("POST", "/v1/captures", record)
    system.settle()
    collected, after = [], ""
    while len(collected) < 5:
        page = system.ok("GET", f"/v1/chat/completions?limit=1{after}")
        collected += [entry["created"] for entry in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    assert collected == [1_790_000_000, 1_790_000_300, 1_790_000_600]
