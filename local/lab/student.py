"""Models that learn from examples: text features and a linear classifier over the answers seen in training.

In: examples (a conversation as text, the answer to it), a seed, a number of passes. Out: a `Student` that
answers with one of the training answers. Answers seen once, or beyond the 300 commonest, form one class of
their own; an input that falls into it gets the answer of its nearest such example, so that a file in which
every answer is unique trains a nearest-example model. Nothing but the examples is looked at.

Text that all prompts of a training set have at their beginning or end (instructions, a list of labels) says nothing
about a single prompt. It is cut off before training, and from an input that has it too.
"""

import re
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

_MOST_CLASSES = 300
_MOST_FEATURES = 50_000
_RARE = -1
# One training at a time: the machine is small, and warning filters belong to the whole process.
_training = threading.Lock()


@dataclass(frozen=True, slots=True)
class Example:
    """A conversation, written as one text, and the answer to it."""

    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is built: its longest character n-grams and its classifier."""

    longest_gram: int
    fit: Callable[[csr_matrix, NDArray[Any], int, int], Any]


def _fit_small(rows: csr_matrix, labels: NDArray[Any], seed: int, passes: int) -> Any:
    model = LogisticRegression(C=10.0, solver="saga", max_iter=passes, random_state=seed)
    return model.fit(rows, labels)


def _fit_large(rows: csr_matrix, labels: NDArray[Any], seed: int, passes: int) -> Any:
    """Choose the regularisation on a fifth of the examples, then learn from all."""
    order = np.random.default_rng(seed).permutation(len(labels))
    cut = len(labels) // 5
    held, kept = order[:cut], order[cut:]

    def model(strength: float) -> LinearSVC:
        return LinearSVC(C=strength, random_state=seed, max_iter=passes)

    def accuracy(strength: float) -> float:
        return float(model(strength).fit(rows[kept], labels[kept]).score(rows[held], labels[held]))

    best = 0.3
    if cut and len(np.unique(labels[kept])) > 1:
        best = max((0.1, 0.3, 1.0), key=accuracy)
    return model(best).fit(rows, labels)


SMALL = Recipe(longest_gram=4, fit=_fit_small)
LARGE = Recipe(longest_gram=5, fit=_fit_large)


class Frame:
    """The text that all prompts of a training set begin and end with."""

    def __init__(self, prompts: list[str]) -> None:
        self.head = re.sub(r"\w+\Z", "", _shared_start(prompts))
        tails = [prompt[len(self.head) :][::-1] for prompt in prompts]
        self.tail = re.sub(r"^\w+", "", _shared_start(tails)[::-1])

    def strip(self, prompt: str) -> str:
        return prompt.removeprefix(self.head).removesuffix(self.tail)


def _shared_start(texts: list[str]) -> str:
    first, last = min(texts), max(texts)
    for index, (character, other) in enumerate(zip(first, last, strict=False)):
        if character != other:
            return first[:index]
    return first


class Features:
    """TF-IDF of words, pairs of words and character n-grams; rows have the length 1 per part."""

    def __init__(self, texts: list[str], longest_gram: int) -> None:
        shared = {"sublinear_tf": True, "dtype": np.float32, "max_features": _MOST_FEATURES}
        self._parts = [
            TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\b\w+\b", **shared),  # noqa: S106 - a pattern
            TfidfVectorizer(analyzer="char_wb", ngram_range=(3, longest_gram), **shared),
        ]
        self.trained_on = self._stack([part.fit_transform(texts) for part in self._parts])

    def __call__(self, texts: list[str]) -> csr_matrix:
        return self._stack([part.transform(texts) for part in self._parts])

    @staticmethod
    def _stack(parts: list[csr_matrix]) -> csr_matrix:
        return csr_matrix(hstack(parts))


class Student:
    """A trained model; `train` makes one."""

    def __init__(
        self,
        frame: Frame,
        features: Features | None,
        choices: list[str],
        weights: tuple[NDArray[Any], NDArray[Any]] | None,
        rare: tuple[csr_matrix, list[str]] | None,
    ) -> None:
        self._frame = frame
        self._features = features
        self._choices = choices
        self._weights = weights
        self._rare = rare

    @property
    def choices(self) -> int:
        """How many answers it can give."""
        return len(self._choices) + (len(set(self._rare[1])) if self._rare else 0)

    def answer(self, prompt: str) -> str:
        return self.answers([prompt])[0]

    def sure(self, prompt: str) -> tuple[str, float | None]:
        """The answer, and the logarithm of its probability; None for that of the nearest example."""
        if self._features is None or self._weights is None:
            return self.answer(prompt), None
        coefficients, classes = self._weights
        rows = self._features([self._frame.strip(prompt)])
        scores = np.ravel(rows @ coefficients[:-1] + coefficients[-1])
        chosen = int(classes[scores.argmax()])
        if chosen == _RARE:
            return next(self._nearest(rows)), None
        return self._choices[chosen], -float(np.log(np.exp(scores - scores.max()).sum()))

    def answers(self, prompts: list[str]) -> list[str]:
        if self._features is None:
            return [self._choices[0]] * len(prompts)
        rows = self._features([self._frame.strip(prompt) for prompt in prompts])
        chosen = self._classify(rows)
        nearest = self._nearest(rows[np.flatnonzero(chosen == _RARE)])
        return [next(nearest) if index == _RARE else self._choices[index] for index in chosen.tolist()]

    def _classify(self, rows: csr_matrix) -> NDArray[Any]:
        if self._weights is None:
            return np.full(rows.shape[0], _RARE if self._rare else 0)
        coefficients, classes = self._weights
        scores = rows @ coefficients[:-1] + coefficients[-1]
        chosen: NDArray[Any] = classes[scores.argmax(axis=1)]
        return chosen

    def _nearest(self, rows: csr_matrix) -> Iterator[str]:
        if self._rare is not None:
            examples, answers = self._rare
            for number in range(rows.shape[0]):
                yield answers[int((examples @ rows[number].toarray().ravel()).argmax())]


def train(examples: list[Example], *, recipe: Recipe = SMALL, seed: int, passes: int) -> Student:
    """Train a model; blocks for as long as the work takes, and trainings wait for each other.

    The order of the examples does not matter: the same set and seed give the same model.
    """
    examples = sorted(examples, key=lambda example: (example.prompt, example.answer))
    frame = Frame([example.prompt for example in examples])
    texts = [frame.strip(example.prompt) for example in examples]
    answers = [example.answer for example in examples]
    counts = Counter(answers)
    alike = len(counts) == 1 or len(set(texts)) == 1
    if alike or not any(re.search(r"\w", text) for text in texts):
        return Student(frame, None, [counts.most_common(1)[0][0]], None, None)
    choices = [answer for answer, times in counts.most_common(_MOST_CLASSES) if times > 1]
    index = {answer: number for number, answer in enumerate(choices)}
    labels = np.array([index.get(answer, _RARE) for answer in answers])
    with _training, warnings.catch_warnings():
        # The caller chose the number of passes, so training that has not converged is no reason to warn.
        warnings.simplefilter("ignore", ConvergenceWarning)
        features = Features(texts, recipe.longest_gram)
        weights = None
        if len(np.unique(labels)) > 1:
            weights = _weights(recipe.fit(features.trained_on, labels, seed, passes))
    rare_at = np.flatnonzero(labels == _RARE)
    rare = (features.trained_on[rare_at], [answers[at] for at in rare_at]) if rare_at.size else None
    return Student(frame, features, choices, weights, rare)


def _weights(model: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Take a fitted classifier's weights, intercept as last row, a column per class."""
    columns = np.vstack([model.coef_.T, model.intercept_]).astype(np.float32)
    if columns.shape[1] == 1:
        columns = np.hstack([-columns, columns])
    return columns, model.classes_
