from __future__ import annotations

from collections import Counter
from random import Random

from assembly.report.topics import OTHER, topics_of

WORDS = {
    "refund": ["refund", "money", "back", "charged"],
    "delivery": ["parcel", "courier", "late", "address"],
    "account": ["login", "password", "locked", "reset"],
}


def questions(number: int = 40) -> dict[str, Counter[str]]:
    random = Random(5)
    made = {}
    for topic, words in WORDS.items():
        for place in range(number):
            made[f"{topic}-{place}"] = Counter([*random.sample(words, 3), "please", f"unique{topic}{place}"])
    return made


def test_questions_with_the_same_words_are_one_topic_and_named_by_them() -> None:
    topics = topics_of(questions())
    for topic, words in WORDS.items():
        names = Counter(topics.of[f"{topic}-{place}"] for place in range(40))
        for name in names:
            assert set(topics.words[name][:2]) <= set(words)
    shown = {word for words in topics.words.values() for word in words}
    assert "please" not in shown, "it stands in all of them"
    assert not any(word.startswith("unique") for word in shown), "it stands in one of them"


def test_the_same_questions_have_the_same_topics() -> None:
    assert topics_of(questions()) == topics_of(questions())


def test_few_questions_and_questions_without_a_word_have_no_topics() -> None:
    assert topics_of({"a": Counter(["refund"])}).of == {}
    assert topics_of({str(number): Counter() for number in range(100)}).of == {}
    mixed = {**questions(), "empty": Counter()}
    assert topics_of(mixed).of["empty"] == OTHER
