"""How often a drift is told where there is none, over a month of daily looks, and how soon a shift is found."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from assembly.drift import moved
from assembly.drift.cells import fields_of
from assembly.drift.looked import ALPHA
from assembly.drift.observed import Observed, observed
from completions.completion import Completion
from distillations.drift.document import FieldDrift
from stats.spending import spent_at
from tests.assembly.reporting import reported
from tests.distilling import build

_TOPICS = [[f"{letter}{word}ord" for word in "abcdefghijkl"] for letter in "kmnprs"]
_COMMON = [f"th{letter}s" for letter in "abcdefghijklmnopqrstu"]
_STATES = [f"S{number}" for number in range(50)]


def mails(number: int, random: Random, *, shift: float = 0.0) -> Iterator[Completion]:
    """Mails of eight products, fifty states, three tiers and six topics; a share of them about a rare product."""
    for _ in range(number):
        is_new = random.random() < shift
        product = 7 if is_new else random.choices(range(8), [40, 20, 15, 10, 6, 5, 3, 1])[0]
        topic = 5 if is_new else random.choices(range(6), [30, 25, 20, 15, 8, 2])[0]
        length = max(4, int(random.lognormvariate(3, 0.6)))
        words = random.choices(_TOPICS[topic], k=length // 2) + random.choices(_COMMON, k=length // 2)
        metadata = {
            "product": f"P{product}",
            "state": random.choices(_STATES, [1 / (place + 1) for place in range(50)])[0],
            "tier": random.choices("abc", [70, 25, 5])[0],
        }
        record = build.record(random.getrandbits(60), " ".join(words), f"label {topic}", metadata=metadata)
        record["response"]["created"] = build.AT
        yield Completion.of(record, at=build.AT)


def first_drift(
    seed: int, *, looks: int, train: int, a_day: int, shift: float = 0.0, topics: bool = False
) -> int | None:
    """The number of the first look that finds a drift; None where none does. Each looks at seven days of traffic."""
    random = Random(seed)
    rows = list(mails(train, random))
    report, learnt = reported(rows), observed(rows, [], None)
    days = [observed(mails(a_day, random, shift=shift), [], None) for _ in range(6)]
    fields: list[FieldDrift] = []
    for number in range(1, looks + 1):
        days = [*days[-6:], observed(mails(a_day, random, shift=shift), [], None)]
        week = _together(days, topics=topics)
        beside = fields_of(report, week, learnt if topics else learnt._replace(words={}))
        fields = moved.fields_now(beside, fields, alpha=spent_at(number, ALPHA), at=number)
        if moved.is_to_tell(fields):
            return number
    return None


def _together(days: list[Observed], *, topics: bool) -> Observed:
    words = {name: words for day in days for name, words in day.words.items()} if topics else {}
    features = [features for day in days for features in day.features]
    return Observed(features, words, len(features), len(features))


def conversations(number: int, turns: int, random: Random) -> list[Completion]:
    """So many conversations of so many turns, each of one user in one state."""
    made = []
    for user in range(number):
        state = random.choice(_STATES[:10])
        opened = [{"role": "user", "content": f"I am {user:04}"}, {"role": "assistant", "content": "Welcome."}]
        for _ in range(turns):
            record = build.record(random.getrandbits(60), "Go on.", metadata={"state": state})
            record["request"]["messages"] = [*opened, *record["request"]["messages"]]
            record["response"]["created"] = build.AT
            made.append(Completion.of(record, at=build.AT))
    return made


def test_a_set_of_few_long_conversations_beside_a_sample_of_many_is_not_told(*, soak: bool) -> None:
    """Of much traffic hardly two turns of one conversation are looked at, while the set has all turns of each."""
    told = []
    for seed in range(100 if soak else 4):
        random = Random(seed)
        rows = conversations(60, 15, random)
        traffic = observed(conversations(300, 1, random), [], None)
        beside = fields_of(reported(rows), traffic, observed(rows, [], None)._replace(words={}))
        fields = moved.fields_now(beside, [], alpha=spent_at(1, ALPHA), at=1)
        told += [seed] if moved.is_to_tell(fields) else []
    assert len(told) <= (2 if soak else 0)


def test_traffic_that_never_changes_is_not_told(*, soak: bool) -> None:
    """A hundred aliases for a month with --soak, of which five may be told of."""
    seeds, looks = range(100 if soak else 3), 30 if soak else 3
    told = [seed for seed in seeds if first_drift(seed, looks=looks, train=300, a_day=20)]
    assert len(told) <= max(1, len(seeds) // 20)


@pytest.mark.soak
def test_neither_are_its_topics(*, soak: bool) -> None:
    seeds, looks = range(20 if soak else 1), 10 if soak else 2
    told = [seed for seed in seeds if first_drift(seed, looks=looks, train=300, a_day=20, topics=True)]
    assert len(told) <= len(seeds) // 20


def test_a_fifth_of_the_traffic_about_something_rare_is_found_with_twenty_calls_a_day(*, soak: bool) -> None:
    """Within three looks in 95 of 100 cases."""
    seeds = range(100 if soak else 2)
    found = [seed for seed in seeds if first_drift(seed, looks=3, train=300, a_day=20, shift=0.2)]
    assert len(found) >= 0.95 * len(seeds)
