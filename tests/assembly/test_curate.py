"""Which completions may train, and why the others may not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from assembly.curate import Curator, Example, training_line
from completions.completion import Completion, input_key
from tests.distilling import build


def completion(number: int, text: str, answer: str | None = "yes", **more: Any) -> Completion:
    return Completion.of(build.record(number, text, answer, **more), at=build.AT)


def curated(completions: list[Completion], **options: Any) -> tuple[list[Example], Curator]:
    curator = Curator(**{"test_ids": set(), "test_inputs": set(), "seed": 42, "share": 0.1, **options})
    return list(curator.examples(completions)), curator


def drops(curator: Curator) -> dict[str, int]:
    return {reason: count for reason, count in curator.dropped.items() if count}


def test_the_same_input_and_answer_trains_once() -> None:
    examples, curator = curated([completion(1, "mail"), completion(2, " mail\n"), completion(3, "other mail")])
    assert [example.completion_id for example in examples] == ["chatcmpl-1", "chatcmpl-3"]
    assert drops(curator) == {"duplicates": 1}
    assert curator.contradicted == []


def test_the_same_input_with_another_answer_is_shown_and_not_trained_on() -> None:
    same = [completion(1, "mail", "yes"), completion(2, "mail", "no"), completion(3, "mail", "yes")]
    examples, curator = curated(same)
    assert [example.completion_id for example in examples] == ["chatcmpl-1"]
    assert drops(curator) == {"contradictions": 1, "duplicates": 1}
    assert curator.contradicted == ["chatcmpl-2"]


def test_many_contradictions_are_counted_and_some_are_shown() -> None:
    _, curator = curated([completion(number, "mail", f"answer {number}") for number in range(31)])
    assert curator.dropped["contradictions"] == 30
    assert len(curator.contradicted) == 20


def test_answers_that_differ_in_tool_calls_contradict() -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    with_tools = completion(2, "mail", choice={"message": message, "finish_reason": "tool_calls"})
    examples, curator = curated([completion(1, "mail"), with_tools])
    assert (len(examples), drops(curator)) == (1, {"contradictions": 1})


def test_a_test_row_does_not_train_by_id_nor_by_the_same_input_in_other_spelling() -> None:
    leaks = {"test_ids": {"chatcmpl-1"}, "test_inputs": {input_key(build.asked("ﬁne mail"))}}
    examples, curator = curated(
        [completion(1, "moved elsewhere"), completion(2, "fine \t mail "), completion(3, "mail")], **leaks
    )
    assert [example.completion_id for example in examples] == ["chatcmpl-3"]
    assert drops(curator) == {"test_leaks": 2}


def test_a_dropped_answer_does_not_stand_in_the_way_of_a_good_one() -> None:
    examples, curator = curated(
        [completion(1, "mail", "cut", choice={"finish_reason": "length"}), completion(2, "mail")]
    )
    assert [example.completion_id for example in examples] == ["chatcmpl-2"]
    assert drops(curator) == {"truncated": 1}


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({"finish_reason": "length"}, "truncated"),
        ({"finish_reason": "content_filter"}, "truncated"),
        ({"message": {"role": "assistant", "content": None, "refusal": "I cannot."}}, "refused"),
        ({"message": {"role": "assistant", "content": ""}}, "empty"),
        ({"message": {"role": "assistant", "content": None}}, "empty"),
    ],
)
def test_what_is_no_answer_is_dropped_with_the_reason(choice: dict[str, Any], reason: str) -> None:
    examples, curator = curated([completion(1, "mail", choice=choice)])
    assert (examples, drops(curator)) == ([], {reason: 1})


def test_what_no_chat_can_say_is_not_trained_on() -> None:
    searched = replace(completion(1, "mail"), untrainable="No chat completion can say: web_search_call.")
    examples, curator = curated([searched, completion(2, "mail", "no")])
    assert [example.completion_id for example in examples] == ["chatcmpl-2"]
    assert drops(curator) == {"untrainable": 1}


def test_every_reason_is_named_even_where_nothing_was_dropped() -> None:
    _, curator = curated([])
    assert dict(curator.dropped) == dict.fromkeys(
        ("test_leaks", "duplicates", "contradictions", "truncated", "refused", "empty", "untrainable"), 0
    )


def test_the_split_follows_from_seed_and_input_alone() -> None:
    mails = [completion(number, f"mail {number}") for number in range(400)]

    def held_out(some: list[Completion], seed: int) -> set[str]:
        return {example.completion_id for example in curated(some, seed=seed)[0] if example.validates}

    first = held_out(mails, 42)
    assert first == held_out(mails[::-1], 42)
    assert first & {mail.id for mail in mails[:100]} == held_out(mails[:100], 42)
    assert first != held_out(mails, 43)
    assert 20 <= len(first) <= 60


def test_a_line_is_openais_supervised_format_and_nothing_else() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [
        {"role": "system", "content": "Sort mails.", "name": "desk", "note": "private"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "found", "tool_call_id": "c"},
    ]
    answer = {"role": "assistant", "content": "billing", "refusal": None, "annotations": [], "audio": None}
    pushed = build.record(1, "x", choice={"message": answer}, metadata={"secret": "tag"})
    request = {"model": build.TEACHER, "messages": history, "tools": tools, "parallel_tool_calls": False}
    line = orjson.loads(training_line(Completion.of({**pushed, "request": {**request, "temperature": 1}}, at=1)))
    assert line == {
        "messages": [
            {"role": "system", "content": "Sort mails.", "name": "desk"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "content": "found", "tool_call_id": "c"},
            {"role": "assistant", "content": "billing"},
        ],
        "tools": tools,
        "parallel_tool_calls": False,
    }
