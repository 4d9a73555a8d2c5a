"""Rows, as a demo reads them."""

import pytest

from local.samples.rows import Message, Row


@pytest.fixture
def make_row():
    def make(text="hello", split=None, **fields):
        metadata = {"split": split} if split else {}
        messages = [Message(role="user", content=text)]
        return Row(messages=messages, reference="yes", metadata=metadata, **fields)

    return make
