"""What questions are about: clusters of them by their words.

In: the words of some questions, by id. Out: the topic of each, with the words that make it. Words that stand in fewer
than three questions, or in half of them, tell no topic, and are not shown. The same questions give the same topics.

TF-IDF: Salton & Buckley (1988), "Term-weighting approaches in automatic text retrieval", Information Processing &
Management 24:513-523. Spherical k-means: Dhillon & Modha (2001), "Concept decompositions for large sparse text data
using clustering", Machine Learning 42:143-175; its first centres by Arthur & Vassilvitskii (2007), "k-means++", SODA.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

MOST_TOPICS = 8
_QUESTIONS_A_TOPIC = 25
_LEAST_QUESTIONS = 50
_LEAST_WITH_WORD = 3
_MOST_WITH_WORD = 0.5
_MOST_WORDS = 2_000
_ROUNDS = 8
_SHOWN = 5
_SEED = 42
OTHER = "other"
"""The topic of questions that none of the words stands in."""

type Vector = dict[str, float]


class Topics(NamedTuple):
    """The topic of each question by id, named by its words, the most telling first."""

    of: dict[str, str]
    words: dict[str, list[str]]


def topics_of(questions: Mapping[str, Counter[str]]) -> Topics:
    """The topics; none of fewer than 50 questions."""
    if len(questions) < _LEAST_QUESTIONS:
        return Topics({}, {})
    vectors = _vectors(questions)
    some = {name: vector for name, vector in vectors.items() if vector}
    if len(some) < _LEAST_QUESTIONS:
        return Topics({}, {})
    number = max(2, min(MOST_TOPICS, len(some) // _QUESTIONS_A_TOPIC))
    centres = _first_centres(list(some.values()), number)
    nearest: dict[str, int] = {}
    for _ in range(_ROUNDS):
        before, nearest = nearest, _assigned(some, centres)
        if nearest == before:
            break
        centres = _centres(some, nearest, centres)
    return _named(questions, nearest, centres)


def _vectors(questions: Mapping[str, Counter[str]]) -> dict[str, Vector]:
    """The words of each question by weight, of length 1; empty where it has none that tells a topic."""
    having = Counter(word for words in questions.values() for word in words)
    most = _MOST_WITH_WORD * len(questions)
    telling = [word for word, count in having.items() if _LEAST_WITH_WORD <= count <= most]
    telling.sort(key=lambda word: (-having[word], word))
    rarity = {word: math.log(len(questions) / having[word]) for word in telling[:_MOST_WORDS]}
    return {
        name: _scaled({w: (1 + math.log(n)) * rarity[w] for w, n in words.items() if w in rarity})
        for name, words in questions.items()
    }


def _scaled(vector: Vector) -> Vector:
    length = math.sqrt(math.fsum(weight * weight for weight in vector.values()))
    return {word: weight / length for word, weight in vector.items()} if length else {}


def _first_centres(vectors: list[Vector], number: int) -> list[Vector]:
    """Vectors far from each other: each next one by lot, the likelier the less alike it is to those before."""
    random = Random(_SEED)
    centres = [vectors[random.randrange(len(vectors))]]
    apart = [1.0] * len(vectors)
    while len(centres) < number:
        apart = [
            min(known, max(0.0, 1.0 - _alike(vector, centres[-1])))
            for known, vector in zip(apart, vectors, strict=True)
        ]
        if not any(apart):
            break
        centres.append(random.choices(vectors, apart)[0])
    return centres


def _alike(vector: Vector, other: Vector) -> float:
    return math.fsum(weight * other[word] for word, weight in vector.items() if word in other)


def _assigned(vectors: Mapping[str, Vector], centres: list[Vector]) -> dict[str, int]:
    """The most alike centre of each, of as alike ones the first."""
    weights: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for place, centre in enumerate(centres):
        for word, weight in centre.items():
            weights[word].append((place, weight))
    nearest = {}
    for name, vector in vectors.items():
        scores = [0.0] * len(centres)
        for word, weight in vector.items():
            for place, of_centre in weights.get(word, ()):
                scores[place] += weight * of_centre
        nearest[name] = scores.index(max(scores))
    return nearest


def _centres(vectors: Mapping[str, Vector], nearest: Mapping[str, int], before: list[Vector]) -> list[Vector]:
    """The mean of each cluster, of length 1; one that is empty stays where it was."""
    sums: list[Vector] = [{} for _ in before]
    for name, place in nearest.items():
        total = sums[place]
        for word, weight in vectors[name].items():
            total[word] = total.get(word, 0.0) + weight
    return [_scaled(total) or old for total, old in zip(sums, before, strict=True)]


def _named(questions: Mapping[str, Counter[str]], nearest: Mapping[str, int], centres: list[Vector]) -> Topics:
    words = [sorted(centre, key=lambda word: (-centre[word], word))[:_SHOWN] for centre in centres]
    # Two clusters may have one name, since names are few words: they are then one topic.
    names = [", ".join(of_centre) for of_centre in words]
    of = {name: names[nearest[name]] if name in nearest else OTHER for name in questions}
    present = set(of.values())
    return Topics(of, {name: shown for name, shown in zip(names, words, strict=True) if name in present})
