"""The lab's models, and the function that answers for each.

In: a model's name. Out: the model: a built-in one, one schooled by `POST /lab/models`, a fine-tuned student, or one
whose recordings are replayed. Fails: an unknown name is 404 `model_not_found`.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.lab.guesser import guess
from local.lab.judge import judge
from local.lab.messages import render
from local.lab.recordings import Answer, Recordings
from local.lab.student import Student
from local.lab.wire import ApiError

type Messages = list[dict[str, Any]]
type Answerer = Callable[[Messages, dict[str, Any] | None], Answer]

BASE_STUDENT = "lab-small"
JUDGE = "lab-judge"


@dataclass(frozen=True, slots=True)
class Model:
    """A model that answers chat requests."""

    id: str
    owned_by: str
    answer: Answerer
    is_ready: Callable[[], bool] = lambda: True
    created: int = field(default_factory=lambda: int(time.time()))

    def as_object(self) -> dict[str, Any]:
        return {"id": self.id, "object": "model", "created": self.created, "owned_by": self.owned_by}


class Models:
    """All models of the lab."""

    def __init__(self, recordings: Recordings) -> None:
        self.recordings = recordings
        self._own: dict[str, Model] = {}
        self._built_in = {BASE_STUDENT, JUDGE}
        self._own[BASE_STUDENT] = Model(BASE_STUDENT, "lab", _worded(guess))
        self._own[JUDGE] = Model(JUDGE, "lab", _worded(judge))

    @property
    def own_names(self) -> set[str]:
        return set(self._own)

    def all(self) -> list[Model]:
        return [*self._own.values(), *(self._replayed(name) for name in self.recordings.models)]

    def get(self, name: str) -> Model:
        if name in self._own:
            return self._own[name]
        if name in self.recordings.models:
            return self._replayed(name)
        raise ApiError(
            404,
            f"The model '{name}' does not exist. There are: {', '.join(model.id for model in self.all())}.",
            code="model_not_found",
            param="model",
        )

    def check_trainable(self, name: str) -> None:
        """Fine-tuning starts from the base student or from a replayed model's name."""
        trainable = [BASE_STUDENT, *self.recordings.models]
        if name not in trainable:
            raise ApiError(
                404,
                f"The model '{name}' cannot be fine-tuned here. Trainable are: {', '.join(trainable)}.",
                code="model_not_found",
                param="model",
            )

    def check_free(self, name: str) -> None:
        """Refuse a name that schooling may not take."""
        if name in self._built_in or name in self.recordings.models or name.startswith("ft:"):
            raise ApiError(409, f"'{name}' already is another model.", code="model_exists", param="id")

    def add(self, name: str, student: Student, *, owned_by: str) -> Model:
        """Register a trained model; one schooled before under the same name is replaced."""
        model = Model(name, owned_by, lambda messages, _: _sure(student, messages))
        self._own[name] = model
        return model

    def add_kept(self, name: str, learn: Callable[[], Student], *, owned_by: str) -> None:
        """Register a model from before a restart. It is trained again, with the same result, when it is first asked."""
        kept = _Kept(learn)
        self._own[name] = Model(name, owned_by, lambda messages, _: _sure(kept.student(), messages), kept.is_ready)

    def remove(self, name: str) -> None:
        del self._own[name]

    def _replayed(self, name: str) -> Model:
        created = self.recordings.models[name]
        return Model(name, "recording", lambda messages, _: self.recordings.answer(name, messages), created=created)


class _Kept:
    """A model from before a restart, which is trained again at its first request."""

    def __init__(self, learn: Callable[[], Student]) -> None:
        self._learn = learn
        self._student: Student | None = None
        self._learning = threading.Lock()

    def is_ready(self) -> bool:
        return self._student is not None

    def student(self) -> Student:
        with self._learning:
            if self._student is None:
                self._student = self._learn()
            return self._student


def _sure(student: Student, messages: Messages) -> Answer:
    text, logprob = student.sure(render(messages))
    return Answer(text, None, logprob)


def _worded(speak: Callable[[Messages, dict[str, Any] | None], str]) -> Answerer:
    return lambda messages, response_format: Answer(speak(messages, response_format), None)
