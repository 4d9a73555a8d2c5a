"""`lab-small`, the untrained student: a zero-shot guesser that compares words.

In: a chat request. Out: the label named by the prompt whose name (and description, where there is one) shares
most character n-grams with the input, weighted by how few labels have them; ties go to the label named first.
It knows no meaning: a synonym is a miss. A prompt without labels gets the input's first sentence back, which
is as bad as it sounds.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from sklearn.feature_extraction.text import TfidfVectorizer

from local.lab.labels import Task, read_task
from local.lab.shapes import Finding, fill, schema_of

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class LabelWords:
    """The words of some labels, ready to be compared with texts."""

    def __init__(self, descriptions: Sequence[str]) -> None:
        self._ngrams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
        words = [in_words(description) or "_" for description in descriptions]
        self._labels = self._ngrams.fit_transform(words)

    def best(self, text: str) -> int:
        scores = (self._labels @ self._ngrams.transform([in_words(text)]).T).toarray().ravel()
        # Equal scores may differ in the last bits of their sums.
        return int(np.round(scores, 9).argmax())


@lru_cache(maxsize=64)
def label_words(descriptions: tuple[str, ...]) -> LabelWords:
    return LabelWords(descriptions)


def in_words(text: str) -> str:
    """Split names such as `card_arrival` or `cardArrival` into words."""
    return " ".join(re.findall(r"[^\W_]+", _CAMEL.sub(" ", text)))


def closest(labels: Sequence[str], text: str) -> str:
    return labels[label_words(tuple(labels)).best(text)]


def guess(messages: list[dict[str, Any]], response_format: dict[str, Any] | None) -> str:
    task = read_task(messages)
    schema = schema_of(response_format)
    if schema is not None:
        reason = _first_sentence(task.text)
        return fill(schema, Finding(lambda labels: closest(labels, task.text), reason, 0.5))
    answer = _best(task)
    if task.json_key is not None:
        return f'{{"{task.json_key}": {orjson.dumps(answer).decode()}}}'
    if response_format and response_format.get("type") == "json_object":
        return f'{{"answer": {orjson.dumps(answer).decode()}}}'
    return answer


def _best(task: Task) -> str:
    if not task.labels:
        return _first_sentence(task.text)
    return task.labels[label_words(task.descriptions).best(task.text)]


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s|\n", text.strip(), maxsplit=1)[0]
