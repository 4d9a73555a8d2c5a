"""The demo's client of the lab: load recordings, school a teacher, ask a model to answer rows.

In: rows and the lab's URL. Out: `Answer`s, each with the lab's response and the measured latency.
Fails with `DemoFailed` carrying the lab's own message.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

import httpx2

from local.demo.waiting import DemoFailed
from local.samples.rows import Row

AT_ONCE = 32
RECORDINGS_PER_POST = 2_000
# In seconds. So long because schooling trains a model within the request.
PATIENT = httpx2.Timeout(300)

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Answer:
    """A model's answer to a row."""

    row: Row
    response: dict[str, Any]
    latency_ms: int


class Lab:
    """A client of one lab; `transport` replaces the network in tests."""

    def __init__(self, url: str, transport: httpx2.MockTransport | None = None) -> None:
        self._url = url.rstrip("/")
        self._root = self._url.removesuffix("/v1")
        self._transport = transport

    def load_recordings(self, rows: Sequence[Row], advance: Advance) -> None:
        with httpx2.Client(transport=self._transport, timeout=PATIENT) as http:
            for part in batched(rows, RECORDINGS_PER_POST, strict=False):
                lines = (json.dumps({"messages": row.prompt(), "answers": row.answers}) for row in part)
                _checked(http.post(f"{self._root}/lab/recordings", content="\n".join(lines).encode()))
                advance(len(part))

    def school(self, model: str, rows: Sequence[Row]) -> None:
        """Make `model` a model trained on the rows' references, right away."""
        examples = [{"messages": row.prompt(), "answer": row.reference} for row in rows]
        with httpx2.Client(transport=self._transport, timeout=PATIENT) as http:
            _checked(http.post(f"{self._root}/lab/models", json={"id": model, "examples": examples}))

    def answers(self, model: str, rows: Sequence[Row], advance: Advance) -> list[Answer]:
        """The model's answer to each row, in the rows' order, many at once."""
        return asyncio.run(self._answers(model, rows, advance))

    async def _answers(self, model: str, rows: Sequence[Row], advance: Advance) -> list[Answer]:
        answers: dict[int, Answer] = {}
        queue = iter(enumerate(rows))
        async with httpx2.AsyncClient(transport=self._transport, timeout=PATIENT) as http:

            async def work(todo: Iterator[tuple[int, Row]]) -> None:
                for number, row in todo:
                    answers[number] = await self._answer(http, model, row)
                    advance(1)

            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(work(queue))
        return [answers[number] for number in range(len(rows))]

    async def _answer(self, http: httpx2.AsyncClient, model: str, row: Row) -> Answer:
        started = time.perf_counter()
        body = {"model": model, "messages": row.prompt()}
        response = _checked(await http.post(f"{self._url}/chat/completions", json=body))
        return Answer(row, response, round((time.perf_counter() - started) * 1000))


def _checked(response: httpx2.Response) -> dict[str, Any]:
    if response.is_success:
        body: dict[str, Any] = response.json()
        return body
    try:
        message = response.json()["error"]["message"]
    except (ValueError, LookupError, TypeError):
        message = response.text[:300]
    raise DemoFailed(f"the lab answered {response.status_code} at {response.request.url.path}: {message}")
