"""Which completions may train, and why the others may not."""

from __future__ import annotations

from typing import Any

from assembly.curate import Curator, Example
from assembly.curation import RULES, Known
from completions.completion import Completion
from distillations.held_out import HeldOut
from tests.distilling import build


def completion(number: int, text: str, answer: str | None = "yes", **more: Any) -> Completion:
    return Completion.of(build.record(number, text, answer, **more), at=build.AT)


def curated(completions: list[Completion], **options: Any) -> tuple[list[Example], Curator]:
    held_out = HeldOut()
    held_out.ids |= options.pop("test_ids", set())
    curator = Curator(Known(held_out=held_out), **{"seed": 42, "share": 0.1, **options})
    return list(curator.examples(completions)), curator


def drops(curator: Curator) -> dict[str, int]:
    return {reason: count for reason, count in curator.dropped.items() if count}


def test_the_same_input_and_answer_trains_once() -> None:
    examples, curator = curated([completion(1, "mail"), completion(2, " mail\n"), completion(3, "other mail")])
    assert [example.completion_id for example in examples] == ["chatcmpl-1", "chatcmpl-3"]
    assert drops(curator) == {"duplicates": 1}
    assert curator.dropped_ids["contradictions"] == []


def test_the_same_input_with_another_answer_is_shown_and_not_trained_on() -> None:
    same = [completion(1, "mail", "yes"), completion(2, "mail", "no"), completion(3, "mail", "yes")]
    examples, curator = curated(same)
    assert [example.completion_id for example in examples] == ["chatcmpl-1"]
    assert drops(curator) == {"contradictions": 1, "duplicates": 1}
    assert curator.dropped_ids["contradictions"] == ["chatcmpl-2"]


def test_many_contradictions_are_counted_and_some_are_shown() -> None:
    _, curator = curated([completion(number, "mail", f"answer {number}") for number in range(31)])
    assert curator.dropped["contradictions"] == 30
    assert len(curator.dropped_ids["contradictions"]) == 20


def test_a_dropped_answer_does_not_stand_in_the_way_of_a_good_one() -> None:
    examples, curator = curated(
        [completion(1, "mail", "cut", choice={"finish_reason": "length"}), completion(2, "mail")]
    )
    assert [example.completion_id for example in examples] == ["chatcmpl-2"]
    assert drops(curator) == {"truncated": 1}


def test_every_rule_is_counted_even_where_it_dropped_nothing() -> None:
    _, curator = curated([])
    assert dict(curator.dropped) == dict.fromkeys(RULES, 0)


def test_the_first_rule_that_drops_a_completion_is_counted_alone() -> None:
    cut = completion(1, "mail", choice={"finish_reason": "length"})
    assert drops(curated([cut], test_ids={"chatcmpl-1"})[1]) == {"test_leaks": 1}
    refusal = {"role": "assistant", "content": None, "refusal": "I cannot."}
    assert drops(curated([completion(1, "mail", choice={"message": refusal})])[1]) == {"refused": 1}


def test_the_split_follows_from_seed_and_input_alone() -> None:
    mails = [completion(number, f"mail {number}") for number in range(400)]

    def held_out(some: list[Completion], seed: int) -> set[str]:
        return {example.completion_id for example in curated(some, seed=seed)[0] if example.validates}

    first = held_out(mails, 42)
    assert first == held_out(mails[::-1], 42)
    assert first & {mail.id for mail in mails[:100]} == held_out(mails[:100], 42)
    assert first != held_out(mails, 43)
    assert 20 <= len(first) <= 60


def test_what_the_trainer_would_refuse_is_left_out_with_the_reason() -> None:
    odd = completion(1, "mail", None, choice={"message": {"role": "assistant", "content": None, "tool_calls": ["odd"]}})
    _, curator = curated([odd])
    assert drops(curator) == {"malformed": 1}
    [problem] = curator.problems
    assert problem.startswith("chatcmpl-1: messages.1.assistant.tool_calls.0: ")


def test_the_turns_before_an_answer_are_counted() -> None:
    turns = [*build.asked("one"), {"role": "assistant", "content": "no"}, *build.asked("two")]
    longer = build.record(1, "x", request={"model": build.TEACHER, "messages": turns})
    examples, _ = curated([Completion.of(longer, at=build.AT), completion(2, "mail")])
    assert [example.history_turns for example in examples] == [1, 0]
