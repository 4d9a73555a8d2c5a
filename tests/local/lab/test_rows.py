import json

import pytest

from local.lab.rows import RowError, read_training_file

GOOD = {"messages": [{"role": "user", "content": "Hello there"}, {"role": "assistant", "content": "Hi"}]}


def file(*rows, filler=10):
    lines = [json.dumps(GOOD)] * filler + [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return "\n".join(lines).encode()


def messages(*changes):
    return {"messages": [{**message, **change} for message, change in zip(GOOD["messages"], changes, strict=True)]}


def test_examples_are_prompts_and_answers():
    read = read_training_file(file())
    assert len(read.examples) == 10
    assert read.examples[0].prompt == "user\nHello there"
    assert read.examples[0].answer == "Hi"
    assert read.tokens == 10 * 5


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"messages": [', "not valid JSON"),
        (["a", "list"], "not a JSON object"),
        ({"conversation": []}, "'messages' must be a list"),
        ({"messages": []}, "'messages' must be a list"),
        ({"messages": ["text"]}, "messages[0] is not an object"),
        (messages({"role": "human"}, {}), "messages[0] has the unknown role 'human'"),
        (messages({"content": None}, {}), "messages[0] has no content"),
        (messages({"content": 7}, {}), "messages[0] has a content that is neither"),
        (messages({"reference": "Hi"}, {}), "messages[0] has the unknown key 'reference'"),
        (messages({}, {"weight": 2}), "messages[1] has a weight other"),
        (messages({}, {"role": "user"}), "the last message must be the assistant's"),
        (messages({}, {"content": " "}), "no text"),
        (messages({}, {"content": None, "tool_calls": [{"id": "c"}]}), "no text"),
    ],
)
def test_a_malformed_row_is_named_with_its_line(row, says):
    with pytest.raises(RowError) as caught:
        read_training_file(file(row))
    assert str(caught.value).startswith("Line 11: " if says != "not valid JSON" else "Line 11 is ")
    assert says in str(caught.value)


def test_blank_lines_and_windows_line_ends_are_fine():
    assert len(read_training_file(file().replace(b"\n", b"\r\n\r\n")).examples) == 10


def test_ten_rows_are_the_fewest_unless_fewer_will_do():
    with pytest.raises(RowError, match="has 9 rows"):
        read_training_file(file(filler=9))
    assert len(read_training_file(file(filler=3), fewest=1).examples) == 3
    with pytest.raises(RowError, match="has 0 rows"):
        read_training_file(b"")


def test_an_answer_of_weight_0_is_not_learnt():
    silent = messages({}, {"weight": 0})
    assert len(read_training_file(file(silent)).examples) == 10
    with pytest.raises(RowError, match="nothing to learn"):
        read_training_file(file(*[silent] * 10, filler=0))


def test_what_stands_beside_the_messages_is_not_read():
    read = read_training_file(file({**GOOD, "reference": "secret"}, filler=9))
    assert "secret" not in repr(read)
