"""Completions chosen once: the same ones for whoever reads them later."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from completions import index, selection
from completions.postings import Reference
from completions.scan import Scan
from completions.sources import StoredCompletions
from foundation.errors import ApiError
from tests.distilling import build
from tests.flow.system import System

KEY = "datasets/dataset_1/selection.jsonl"


def source(**more: object) -> StoredCompletions:
    return StoredCompletions.model_validate({"type": "stored_completions", **more})


def chosen(*sources: StoredCompletions) -> list[str]:
    return [reference.id for reference in selection.chosen(sources, Scan())]


@pytest.fixture
def captured(system: System) -> System:
    build.captured(system, [build.record(n, f"mail {n}", split="odd" if n % 2 else "even") for n in range(6)])
    return system


@pytest.mark.usefixtures("captured")
def test_sources_count_together_and_each_completion_once() -> None:
    odd, first = source(metadata={"split": "odd"}), source(limit=2)
    assert chosen(odd, first) == ["chatcmpl-0", "chatcmpl-1", "chatcmpl-3", "chatcmpl-5"] == chosen(first, odd)
    assert chosen(source(text="mail 4")) == ["chatcmpl-4"]
    assert chosen(source(text="MAIL", limit=2)) == ["chatcmpl-0", "chatcmpl-1"]


def test_what_was_chosen_is_read_whatever_comes_later_but_not_what_is_deleted(captured: System) -> None:
    selection.write(KEY, selection.chosen([source()], Scan()))
    build.captured(captured, [build.record(9, "late")])
    index.delete("chatcmpl-3")
    selection.write(KEY, selection.chosen([source()], Scan()))
    assert [completion.id for completion in selection.read(KEY)] == [f"chatcmpl-{n}" for n in (0, 1, 2, 4, 5)]
    assert list(selection.read("datasets/none/selection.jsonl")) == []


def test_a_digest_is_of_what_was_said_and_of_its_tags(captured: System) -> None:
    before = selection.chosen([source()], Scan())
    assert selection.digest(before) == selection.digest(
        selection.chosen([source(metadata={"split": "odd"}), source()], Scan())
    )
    assert selection.digest(before) != selection.digest(before[1:])
    captured.ok("POST", "/v1/chat/completions/chatcmpl-0", {"metadata": {"split": "other"}})
    assert selection.digest(before) != selection.digest(selection.chosen([source()], Scan()))
    selection.write(KEY, selection.chosen([source(metadata={"split": "other"})], Scan()))
    assert [completion.metadata for completion in selection.read(KEY)] == [{"split": "other"}]


@pytest.mark.usefixtures("captured")
def test_more_than_one_call_can_look_through_is_refused() -> None:
    with pytest.raises(ApiError, match="Narrow it"):
        selection.chosen([source()], Scan(references=3))


@pytest.mark.usefixtures("captured")
def test_who_stops_early_has_asked_for_few_deletions(monkeypatch: pytest.MonkeyPatch) -> None:
    selection.write(KEY, selection.chosen([source()], Scan()))
    monkeypatch.setattr(selection, "_AT_ONCE", 2)
    monkeypatch.setattr(index, "_READ_AHEAD", 2)
    asked: list[str] = []
    real = index.deleted

    def deleted(references: Sequence[Reference]) -> list[Reference]:
        asked.extend(reference.id for reference in references)
        return real(references)

    monkeypatch.setattr(index, "deleted", deleted)
    completions = selection.read(KEY)
    assert next(completions).id == "chatcmpl-0"
    assert asked == ["chatcmpl-0", "chatcmpl-1"]
    assert [completion.id for completion in completions] == [f"chatcmpl-{n}" for n in range(1, 6)]


@pytest.mark.usefixtures("captured")
def test_a_text_is_looked_for_within_the_limit_and_no_further_than_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "_AT_ONCE", 2)
    scan = Scan(references=4)
    assert [reference.id for reference in selection.chosen([source(text="mail", limit=2)], scan)] == [
        "chatcmpl-0",
        "chatcmpl-1",
    ]
    assert scan.at is not None
    assert scan.at.id == "chatcmpl-1"
    with pytest.raises(ApiError, match="Narrow it"):
        selection.chosen([source(text="mail 5")], Scan(references=4))
