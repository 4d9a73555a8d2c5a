import re
from collections import Counter

import pytest

from local.samples import mail

SEED = 42


@pytest.fixture(scope="module")
def production():
    return mail.production(SEED, 1_200, 500)


@pytest.fixture(scope="module")
def schooling():
    return mail.schooling(SEED, 1_500)


def texts(rows, split=None):
    return [row.messages[-1].content for row in rows if split in {None, row.metadata["split"]}]


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    assert mail.production(1, 30, 10) == mail.production(1, 30, 10)
    assert mail.production(1, 30, 10) != mail.production(2, 30, 10)
    assert mail.schooling(1, 20) == mail.schooling(1, 20)


def test_rows_have_the_asked_splits_and_the_prompt_names_every_queue(production):
    assert Counter(row.metadata["split"] for row in production) == {"train": 1_200, "test": 500}
    assert {row.metadata["feature"] for row in production} == {"mail-triage"}
    prompts = {row.messages[0].content for row in production}
    assert prompts == {mail.prompt()}
    assert all(f"- {name}: " in mail.prompt() for name in mail.queue_names())


def test_every_queue_occurs_in_both_splits_and_they_are_unbalanced(production):
    for split in ("train", "test"):
        counts = Counter(row.reference for row in production if row.metadata["split"] == split)
        assert sorted(counts) == mail.queue_names()
        assert max(counts.values()) > 4 * min(counts.values())


def test_a_few_mails_repeat_and_a_few_leak_from_train_into_test(production):
    train, test = texts(production, "train"), texts(production, "test")
    assert 0.005 < 1 - len(set(train)) / len(train) < 0.06
    assert 2 <= len(set(train) & set(test)) < 0.06 * len(test)


def test_schooling_hardly_overlaps_with_production(schooling, production):
    shared = set(texts(schooling)) & set(texts(production))
    assert len(shared) < 0.03 * len(production)


def test_schooling_and_production_know_different_phrases():
    first, second = (" ".join(texts(rows)) for rows in (mail.schooling(SEED, 1_500), mail.production(SEED, 1_500, 2)))
    asks = ["how much longer this takes", "which day to stay at home", "the second factor", "Take me off"]
    asks += ["for good", "any update on delivery", "label created", "out of the window", "Which data do you"]
    known = [(ask.lower() in first.lower(), ask.lower() in second.lower()) for ask in asks]
    assert len(set(known)) > 1


def test_no_label_stands_in_a_mail_and_no_slot_is_left_open(schooling, production):
    for text in texts([*schooling, *production]):
        assert not any(name in text.lower() for name in mail.queue_names())
        assert not re.search(r"[{}\[\]|]", text.replace(" | ", ""))


def test_keywords_alone_are_far_from_enough(production):
    keywords = {
        "shipping_delay": "parcel|deliver|arriv|courier|tracking",
        "billing_refund": "refund|money back|reimburse",
        "login_access": "log ?in|password|sign|code|locked",
        "damaged_item": "broken|damaged|replace|missing|crack",
        "return_exchange": "return|send it back|label|swap|size",
        "order_change": "cancel|change|address|stop",
        "charge_dispute": "charge|bill|invoice|twice|payment",
        "product_advice": "which|waterproof|stock|clean|wash",
        "account_privacy": "delete|unsubscribe|data|newsletter",
        "business_inquiry": "wholesale|press|hotel|cafe|discount",
    }

    def guess(text):
        return max(keywords, key=lambda name: len(re.findall(keywords[name], text, re.IGNORECASE)))

    right = sum(guess(row.messages[-1].content) == row.reference for row in production) / len(production)
    assert 0.3 < right < 0.75


def test_a_learner_gains_from_examples_and_stays_below_perfect(schooling, production):
    sklearn = pytest.importorskip("sklearn.feature_extraction.text")
    linear = pytest.importorskip("sklearn.svm")
    words = sklearn.TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    test = [row for row in production if row.metadata["split"] == "test"]

    def score(rows):
        model = linear.LinearSVC().fit(words.fit_transform(texts(rows)), [row.reference for row in rows])
        return model.score(words.transform(texts(test)), [row.reference for row in test])

    few, many = score(schooling[:150]), score(schooling)
    assert few + 0.08 < many < 0.97
