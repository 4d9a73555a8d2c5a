from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import turns
from tests.examples import examples

NAMES = ["role", "content", "content_parts", "text", "type", "tool_calls", "function", "name", "arguments", "image_url"]
NAMES += ["url", "refusal", "reasoning_content", "message", "finish_reason", "usage", "total_tokens"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=examples(60))
def test_whatever_a_message_is_it_can_be_shown(message):
    turn = turns.turn(message)
    assert all(isinstance(text, str) for text in (turn.role, turn.text, turn.refusal, turn.reasoning))
    assert all(isinstance(part.kind, str) for part in turn.parts)
    assert all(isinstance(text, str) for call in turn.calls for text in call)


@given(st.dictionaries(st.sampled_from(["messages", "choices", "usage", "model"]), JSON))
@settings(max_examples=examples(60))
def test_whatever_a_completion_has_it_is_a_line(fields):
    usage = fields.pop("usage", None)
    line = turns.row({"id": "x", "created": 1, **fields, "usage": usage if isinstance(usage, dict) else None})
    assert isinstance(line.question, str)
    assert isinstance(line.answer, str)


def test_the_question_is_what_the_user_said_last():
    messages = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "so"},
        {"role": "user", "content": [{"type": "text", "text": "last"}, {"type": "image_url", "image_url": {}}]},
    ]
    called = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "find", "arguments": "{}"}}]}
    line = turns.row({"id": "x", "created": 1, "messages": messages, "choices": [{"message": called}]})
    assert (line.question, line.answer) == ("last", "calls find")
    assert turns.row({"id": "x", "created": 1, "choices": []}).answer == "the call failed"
