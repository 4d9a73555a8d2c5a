"""Two completions word by word."""

from __future__ import annotations

from dashboard.side_by_side import pairs


def message(content: str, **fields: object) -> dict[str, object]:
    return {"role": "assistant", "content": content, **fields}


def test_what_one_of_them_alone_says_is_told_apart() -> None:
    [pair] = pairs([message("the queue is billing.")], [message("the queue is returns.")])
    assert pair.first is not None
    assert pair.second is not None
    assert [piece.text for piece in pair.first.pieces if not piece.same] == ["billing"]
    assert [piece.text for piece in pair.second.pieces if not piece.same] == ["returns"]
    assert "".join(piece.text for piece in pair.first.pieces) == "the queue is billing."
    assert not pair.same
    assert pairs([message("x")], [message("x")])[0].same


def test_blanks_alone_are_nothing_in_common() -> None:
    """Else texts of other words are compared blank by blank, for a second each."""
    [pair] = pairs([message("one two, three")], [message("four five. six")])
    assert pair.first is not None
    assert [piece.text for piece in pair.first.pieces] == ["one two, three"]


def test_a_message_that_the_other_lacks_stands_alone() -> None:
    both = pairs([message("a"), message("b")], [message("a")])
    assert (both[1].first is not None, both[1].second) == (True, None)


def test_very_many_words_or_differences_are_compared_as_wholes() -> None:
    long = " ".join(str(number) for number in range(2_000))
    other = " ".join(f"{number}{'x' * (number % 2)}" for number in range(200))
    for ours, theirs in ((long, long + "!"), (" ".join(map(str, range(200))), other)):
        [pair] = pairs([message(ours)], [message(theirs)])
        assert pair.first is not None
        assert len(pair.first.pieces) == 1


def test_in_a_script_without_spaces_characters_are_told_apart() -> None:
    [pair] = pairs([message("订单已经发货。请查收。")], [message("订单已经退货。请查收。")])
    assert pair.first is not None
    assert [(piece.text, piece.same) for piece in pair.first.pieces] == [
        ("订单已经", True),
        ("发", False),
        ("货。请查收。", True),
    ]
    [thai] = pairs([message("ร้านเปิด")], [message("ร้านปิด")])
    assert thai.first is not None
    assert "".join(piece.text for piece in thai.first.pieces) == "ร้านเปิด"


def test_a_long_text_of_such_a_script_is_compared_by_what_stands_between_signs() -> None:
    clause = "我的订单还没有收到。" * 30
    [pair] = pairs([message(f"{clause}请退款。")], [message(f"{clause}请换货。")])
    assert pair.first is not None
    assert [piece.text for piece in pair.first.pieces] == [clause, "请退款", "。"]


def test_calls_and_parts_are_named() -> None:
    call = {"function": {"name": "find", "arguments": "{}"}}
    [pair] = pairs([message("", tool_calls=[call])], [{"role": "user", "content": [{"type": "input_audio"}]}])
    assert pair.first is not None
    assert pair.second is not None
    assert pair.first.also == "calls find({})"
    assert pair.second.also == "a part: input_audio"
