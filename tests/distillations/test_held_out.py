"""Which completions the test rows hold out: by id, by question, by conversation and by group."""

from __future__ import annotations

from typing import Any

from completions.completion import Completion
from completions.same_input import prefix_keys
from distillations.held_out import HeldOut
from tests.distilling import build

ANSWER = {"role": "assistant", "content": "yes"}


def held_out(group_by: str | None = None, **item: Any) -> HeldOut:
    rows = HeldOut(group_by)
    rows.add({"completion_id": "chatcmpl-1", "input": build.asked("mail"), "metadata": {}, **item})
    return rows


def completion(messages: list[dict[str, Any]], number: int = 2, **more: Any) -> Completion:
    request = {"model": build.TEACHER, "messages": messages}
    return Completion.of(build.record(number, "", request=request, **more), at=build.AT)


def is_held_out(rows: HeldOut, asked: Completion) -> tuple[bool, bool]:
    """Whether it is a row or asks the same, and whether a row stands in its conversation."""
    keys = prefix_keys(asked.messages)
    return bool(rows.rows_of(asked, keys[-1])), bool(rows.conversation_of(asked, keys))


def test_a_row_is_known_by_its_id_and_by_its_question() -> None:
    other = build.asked("other mail")
    assert is_held_out(held_out(), completion(other, number=1)) == (True, False)
    assert is_held_out(held_out(), completion(build.asked(" mail"))) == (True, True)
    assert is_held_out(held_out(), completion(other)) == (False, False)


def test_a_row_stands_in_a_conversation_that_begins_with_it() -> None:
    asked = [*build.asked("mail"), ANSWER, *build.asked("and the refund?")]
    assert is_held_out(held_out(), completion(asked)) == (False, True)
    assert is_held_out(held_out(), completion([*asked, ANSWER, *build.asked("when?")])) == (False, True)
    system = {"role": "system", "content": "Sort mails."}
    assert is_held_out(held_out(), completion([system, *asked])) == (False, False), "another prompt asks another thing"


def test_a_turn_before_the_row_s_is_another_question() -> None:
    later = [*build.asked("mail"), ANSWER, *build.asked("and the refund?")]
    assert is_held_out(held_out(input=later), completion(build.asked("mail"))) == (False, False)


def test_a_group_is_metadata_or_a_field_of_the_item() -> None:
    other = build.asked("other mail")
    by_user = held_out("user", metadata={"user": "ann"})
    assert is_held_out(by_user, completion(other, metadata={"user": "ann"})) == (False, True)
    assert is_held_out(by_user, completion(other, metadata={"user": "bob"})) == (False, False)
    by_answer = held_out("item.reference", reference="billing")
    assert is_held_out(by_answer, completion(other, reference="billing")) == (False, True)


def test_rows_without_the_key_make_no_group() -> None:
    other = completion(build.asked("other mail"), metadata={})
    assert is_held_out(held_out("user"), other) == (False, False)
    assert is_held_out(held_out("user", metadata={"user": "ann"}), other) == (False, False)


def test_the_rows_that_hold_a_completion_out_are_named() -> None:
    rows = held_out("user", metadata={"user": "ann"})
    for number in range(30, 60):
        rows.add({"completion_id": f"chatcmpl-{number}", "input": build.asked(" mail"), "metadata": {"user": "ann"}})
    asked = completion(build.asked("mail"), number=45)
    named = rows.rows_of(asked, prefix_keys(asked.messages)[-1])
    assert named[:2] == ["chatcmpl-45", "chatcmpl-1"]
    assert len(named) == len(set(named)) == 10
    of_user = completion(build.asked("other mail"), metadata={"user": "ann"})
    assert rows.conversation_of(of_user, prefix_keys(of_user.messages))[0] == "chatcmpl-1"
