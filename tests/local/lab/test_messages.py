import pytest

from local.lab.messages import digest, last_user_text, render

PLAIN = [{"role": "user", "content": "Where is it?"}]


@pytest.mark.parametrize(
    "same",
    [
        [{"content": "Where is it?", "role": "user"}],
        [{"role": "user", "content": [{"type": "text", "text": "Where is it?"}]}],
        [{"role": "user", "content": "Where is it?", "name": None, "id": "chatcmpl-1-0", "content_parts": None}],
    ],
)
def test_the_same_conversation_has_the_same_key(same):
    assert digest(same) == digest(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        [{"role": "system", "content": "Where is it?"}],
        [{"role": "user", "content": "Where is it? "}],
        [{"role": "user", "content": "Where is it?", "name": "ann"}],
        [*PLAIN, {"role": "assistant", "content": None, "tool_calls": []}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.test/b.png"}}]}],
    ],
)
def test_another_conversation_has_another_key(other):
    assert digest(other) != digest(PLAIN)


def test_the_last_user_message_is_the_question():
    messages = [*PLAIN, {"role": "assistant", "content": "Here."}, {"role": "user", "content": "And now?"}]
    assert last_user_text(messages) == "And now?"
    assert last_user_text([{"role": "system", "content": "Speak."}]) == "Speak."


def test_a_conversation_is_written_under_its_roles():
    assert render([{"role": "system", "content": "Be short."}, *PLAIN]) == "system\nBe short.\nuser\nWhere is it?"
