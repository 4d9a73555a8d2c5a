"""`/lab`: the endpoints that OpenAI's API does not have: recordings, schooled models, health, counts.

In: JSONL of recordings, or `{"id", "examples": [{"messages", "answer"}]}` to school a model. Out: how much was
accepted. Schooling answers once the model is trained. The same examples again do not train it a second time; other
examples replace the model. Examples are kept, so that their models exist again after a restart.
"""

import asyncio
import hashlib
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from local.lab.batches import Batches
from local.lab.chat import Chat
from local.lab.messages import render
from local.lab.models import Models
from local.lab.store import Store
from local.lab.student import LARGE, Example, Student, train
from local.lab.tuning import Tuning
from local.lab.wire import JsonResponse, read_body

_KIND = "lessons"
_PASSES = 1_000


class _Example(BaseModel):
    messages: Annotated[list[dict[str, Any]], Field(min_length=1)]
    answer: str


class _Lesson(BaseModel):
    id: Annotated[str, Field(min_length=1)]
    examples: Annotated[list[_Example], Field(min_length=2)]


def _learn(lesson: _Lesson) -> Student:
    examples = [Example(render(row.messages), row.answer) for row in lesson.examples]
    return train(examples, recipe=LARGE, seed=0, passes=_PASSES)


class Controls:
    """The endpoints under `/lab`, but for the faults."""

    def __init__(self, models: Models, chat: Chat, tuning: Tuning, batches: Batches, store: Store) -> None:
        self._models = models
        self._chat = chat
        self._tuning = tuning
        self._batches = batches
        self._store = store
        self._lessons: dict[str, str] = {}
        for name, body in store.kept(_KIND).items():
            self._models.add_kept(name, partial(_learn, _Lesson.model_validate_json(body)), owned_by="lab")
            self._lessons[name] = hashlib.sha256(body).hexdigest()

    async def record(self, request: Request) -> Response:
        taken = self._models.own_names
        return JsonResponse(self._models.recordings.load(await request.body(), taken))

    async def school(self, request: Request) -> Response:
        lesson = await read_body(request, _Lesson)
        self._models.check_free(lesson.id)
        body = lesson.model_dump_json().encode()
        digest = hashlib.sha256(body).hexdigest()
        if self._lessons.get(lesson.id) != digest:
            student = await asyncio.to_thread(_learn, lesson)
            self._models.add(lesson.id, student, owned_by="lab")
            self._lessons[lesson.id] = digest
            self._store.keep(_KIND, lesson.id, body)
        return JsonResponse(self._models.get(lesson.id).as_object())

    async def health(self, _: Request) -> Response:
        return JsonResponse({"status": "ok"})

    async def calls(self, _: Request) -> Response:
        counts = {"fine_tuning_jobs": len(self._tuning), "batches": len(self._batches)}
        return JsonResponse({"chat": dict(self._chat.calls), **counts})
