"""Which languages question and answer are in, and where that is not said."""

from __future__ import annotations

import pytest

from assembly.languages import languages_of

GERMAN = "K\u00f6nnen Sie mir bitte sagen, wann mein Paket endlich ankommt?"
ENGLISH = "Could you please tell me when my parcel will finally arrive?"


@pytest.mark.parametrize(
    ("question", "answer", "languages"),
    [
        (GERMAN, ENGLISH, ("de", "en")),
        (
            GERMAN,
            "\u60a8\u7684\u5305\u88f9\u5c06\u4e8e\u660e\u5929\u4e0a\u5348\u9001\u8fbe\uff0c\u7ed9\u60a8\u5e26\u6765\u7684\u4e0d\u4fbf\u6211\u4eec\u6df1\u8868\u6b49\u610f",
            ("de", "zh"),
        ),
        (GERMAN, "shipping", ("", "")),
        (GERMAN, '{"answer": "Your parcel will arrive tomorrow morning, we hope"}', ("", "")),
        (GERMAN, "```python\nfor parcel in parcels: print(parcel.arrives)\n```", ("", "")),
        (f"Translate into English: {GERMAN}", ENGLISH, ("", "")),
        ("", ENGLISH, ("", "en")),
        ("ช่วยเปลี่ยนที่อยู่จัดส่งเป็นที่ทำงานในกรุงเทพได้ไหมครับ", ENGLISH, ("th", "en")),
        ("请用English回答我。我的包裹现在到底在什么地方。为什么还没有送到家里", ENGLISH, ("", "")),
        ("ช่วยแปลข้อความต่อไปนี้ให้หน่อยครับ ร้านอยู่ที่กรุงเทพ", ENGLISH, ("", "")),
        (GERMAN, "OK " + "\U0001f389" * 14, ("", "")),
    ],
)
def test_languages_are_told_where_both_are_long_enough(question: str, answer: str, languages: tuple[str, str]) -> None:
    asked = [{"role": "system", "content": ENGLISH}, {"role": "user", "content": question}]
    assert languages_of(asked, {"role": "assistant", "content": answer}) == languages


def test_a_question_without_a_user_has_none() -> None:
    assert languages_of([{"role": "system", "content": ENGLISH}], {"content": None}) == ("", "")
