"""The words that tell what a text is about."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.report.terms import terms_in
from assembly.report.topics import topics_of
from tests.assembly.mails import LANGUAGES, MAILS, mail
from tests.examples import examples


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("where is my parcel no 42", ["where", "parcel"]),
        ("x" * 30, ["x" * 24, "x" * 6]),
        ("信用卡", ["信用", "用卡"]),
        ("信用卡。iphone 15", ["信用", "用卡", "iphone"]),
        ("クーポンが使えません", ["クーポン", "使え"]),
        ("荷物が届かない", ["荷物", "届か"]),
        ("ありがとうございます", []),
        ("บัตรหาย", ["บัตรห", "ตรหา", "รหาย"]),
        ("消포 소포가", ["소포가"]),
    ],
)
def test_terms_are_words_or_what_is_likely_one(text: str, terms: list[str]) -> None:
    assert list(terms_in(text)) == terms


@given(st.text())
@settings(max_examples=examples(200))
def test_terms_of_any_text_are_short_and_come_lazily(text: str) -> None:
    assert all(1 < len(term) <= 24 or not term.isascii() for term in terms_in(text))
    assert list(islice(terms_in(text * 3), 2)) == list(terms_in(text * 3))[:2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_mails_about_one_thing_are_one_topic(language: str) -> None:
    """Of six sentences each is a topic, whatever the facts in it are."""
    dice, said = Random(3), MAILS[language]
    some = {**said, "sentences": said["sentences"][:6]}
    asked, about = {}, {}
    for number in range(180):
        about[str(number)] = number % 6
        facts = {name: dice.choice(values) for name, values in some["facts"].items()}
        text = some["sentences"][number % 6].format(**facts, n=dice.randrange(20, 900))
        asked[str(number)] = Counter(islice(terms_in(text.casefold()), 64))
    topics = topics_of(asked)
    pure = Counter((topics.of[name], about[name]) for name in asked)
    assert {about_ for _, about_ in pure} == set(range(6))
    assert len({topic for topic, _ in pure}) == len(pure), "no topic is about two things"


def test_a_mail_of_many_sentences_has_many_terms() -> None:
    for language in LANGUAGES:
        assert len(set(terms_in(mail(Random(1), language)))) > 10
