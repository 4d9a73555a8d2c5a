"""How answers are printed: hostile text cannot act on a terminal."""

import pytest

from stillhouse import stack


@pytest.mark.parametrize(
    ("captured", "shown"),
    [
        ("a\x1b[2Jb", "a<U+001B>[2Jb"),
        ("pay \u202egnp.exe", "pay <U+202E>gnp.exe"),
        ("two\nlines\tand 👩\u200d💻", "two\nlines\tand 👩\u200d💻"),
        ("\x00\r", "<U+0000><U+000D>"),
    ],
)
def test_what_is_invisible_stands_by_its_name(captured, shown):
    assert stack.plain(captured) == shown
    assert list(stack.fields({"name": captured})) == [f"name: {shown}"]


def test_ids_may_hold_anything():
    assert stack.place("models", "ft:a/b c?d") == "/models/ft%3Aa%2Fb%20c%3Fd"
