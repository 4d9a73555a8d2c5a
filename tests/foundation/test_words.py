"""Words of texts, whether their script leaves spaces between them or not."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.words import CHARACTER, MARKS, SPACED, UNSPACED, unspaced, words_in
from tests.examples import examples

_CHINESE = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The parcel's late, isn't it?", ["The", "parcel", "s", "late", "isn", "t", "it"]),
        ("Wo bleibt das Päckchen", ["Wo", "bleibt", "das", "Päckchen"]),
        ("소포가 아직 안 왔어요", ["소포가", "아직", "안", "왔어요"]),
        ("我的信用卡被扣款了。", list("我的信用卡被扣款了")),
        ("iPhone 15的电池。坏了2次", ["iPhone", "15", "的", "电", "池", "坏", "了", "2", "次"]),
        ("クーポンが使えません", list("クーポンが使えません")),
        ("人々・〆", ["人", "々", "〆"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("ແກ້ໄຂ", ["ແ", "ກ້", "ໄ", "ຂ"]),
        ("មិនទាន់", ["មិ", "ន", "ទា", "ន់"]),
        ("မရောက်", ["မ", "ရော", "က်"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
        ("", []),
        ("。。…", []),
    ],
)
def test_words_are_told_by_spaces_or_are_characters(text: str, words: list[str]) -> None:
    assert words_in(text) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("信用卡 被扣款", "信用卡被扣款"),
        ("ใบ\u200bเสร็จ", "ใบเสร็จ"),
        ("ガス代", "カ\u3099ス代"),
        ("１２３番ｶﾞｽ", "123番ガス"),
        ("Zürich", "Zu\u0308rich"),
    ],
)
def test_letters_and_breaks_that_are_the_same_to_a_reader_make_the_same_words(one: str, other: str) -> None:
    assert words_in(one) == words_in(other)


@given(st.text())
@settings(max_examples=examples(300))
def test_every_letter_is_in_a_word_and_nothing_else_but_marks(text: str) -> None:
    normal = unicodedata.normalize("NFKC", text)
    said = "".join(words_in(text))
    assert re.sub(f"[{MARKS}]", "", said) == "".join(re.findall(r"\w", normal))
    assert all(re.fullmatch(rf"{SPACED}+|{CHARACTER}", word) for word in words_in(text))


@given(st.text(st.characters(max_codepoint=0xDFF)))
@settings(max_examples=examples(200))
def test_where_a_script_has_spaces_nothing_but_the_normal_form_changes(text: str) -> None:
    assert words_in(text) == re.findall(r"\w+", unicodedata.normalize("NFKC", text))
    assert unspaced(text) == 0


@given(_CHINESE, _CHINESE)
@settings(max_examples=examples(200))
def test_what_is_written_together_has_the_words_of_both(one: str, other: str) -> None:
    assert words_in(one + other) == words_in(one) + words_in(other)
    assert words_in(f"{one}abc{other}") == [*words_in(one), "abc", *words_in(other)]


def test_a_set_of_unspaced_characters_has_no_letter_of_a_script_with_spaces() -> None:
    for letter in "aéßжあ漢ไ가अعא":
        assert bool(re.fullmatch(f"[{UNSPACED}]", letter)) == (letter in "あ漢ไ")
    assert unspaced("iPhone 的电池 ที่") == 4
