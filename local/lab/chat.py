"""`POST /v1/chat/completions`: asks a model and answers whole or as a stream of chunks.

In: OpenAI's request; sampling parameters are accepted and change nothing, the models being deterministic. With
`logprobs` a trained model says how probable its whole answer is; the others know no probabilities, and say null. Out: a
`chat.completion`, or its chunks as server-sent events; `usage` counts the tokens of both messages and answer. A
replayed answer's recorded latency stands in `x-lab-recorded-latency-ms`.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from local.lab.messages import content_text
from local.lab.models import Models
from local.lab.recordings import Answer
from local.lab.tokens import count, count_messages, pieces
from local.lab.wire import JsonResponse, new_id, read_body

# Up to here a model answers in a few milliseconds; longer texts leave the event loop to others.
_INLINE_CHARACTERS = 3_000


class _Message(BaseModel, extra="allow"):
    role: str
    content: str | list[dict[str, Any]] | None = None


class _StreamOptions(BaseModel):
    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """The fields of a chat request that the lab reads."""

    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[_Message], Field(min_length=1)]
    n: Annotated[int, Field(ge=1, le=8)] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    response_format: dict[str, Any] | None = None
    logprobs: bool | None = None


class Chat:
    """The chat endpoint, and how often each model was called."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self.calls: Counter[str] = Counter()

    async def create(self, request: Request) -> Response:
        body = await read_body(request, ChatRequest)
        answer, head, usage = await self._asked(body)
        headers = {}
        if answer.latency_ms is not None:
            headers["x-lab-recorded-latency-ms"] = str(answer.latency_ms)
        if body.stream:
            wants_usage = bool(body.stream_options and body.stream_options.include_usage)
            events = _events(head, answer.text, body.n or 1, usage if wants_usage else None)
            return StreamingResponse(events, media_type="text/event-stream", headers=headers)
        return JsonResponse(_completion(head, answer, body, usage), headers=headers)

    async def complete(self, body: ChatRequest) -> dict[str, Any]:
        """The whole completion, as a batch holds it. Fails as the endpoint does."""
        answer, head, usage = await self._asked(body)
        return _completion(head, answer, body, usage)

    async def _asked(self, body: ChatRequest) -> tuple[Answer, dict[str, Any], dict[str, Any]]:
        model = self._models.get(body.model)
        self.calls[body.model] += 1
        messages = [message.model_dump() for message in body.messages]
        length = sum(len(content_text(message["content"])) for message in messages)
        if length > _INLINE_CHARACTERS or not model.is_ready():
            answer = await asyncio.to_thread(model.answer, messages, body.response_format)
        else:
            answer = model.answer(messages, body.response_format)
        head = {"id": new_id("chatcmpl-"), "created": int(time.time()), "model": body.model}
        usage = _usage(count_messages(messages), (body.n or 1) * count(answer.text))
        return answer, head, usage


def _completion(head: dict[str, Any], answer: Answer, body: ChatRequest, usage: dict[str, Any]) -> dict[str, Any]:
    logprobs = _logprobs(answer) if body.logprobs else None
    choices = [{**_choice(index, answer.text), "logprobs": logprobs} for index in range(body.n or 1)]
    return {**head, "object": "chat.completion", "choices": choices, "usage": usage}


def _choice(index: int, text: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    return {"index": index, "message": message, "finish_reason": "stop", "logprobs": None}


def _logprobs(answer: Answer) -> dict[str, Any] | None:
    """Each token as probable as the whole answer: the model chooses answers, not tokens."""
    if answer.logprob is None:
        return None
    tokens: list[dict[str, Any]] = [
        {"token": piece, "logprob": answer.logprob, "bytes": None, "top_logprobs": []} for piece in pieces(answer.text)
    ]
    return {"content": tokens, "refusal": None}


def _usage(prompt: int, completion: int) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _events(head: dict[str, Any], text: str, times: int, usage: dict[str, Any] | None) -> Iterator[bytes]:
    """Write the chunks of each choice, then the usage where it was asked for."""

    def event(choices: list[dict[str, Any]], **extra: Any) -> bytes:
        chunk = {**head, "object": "chat.completion.chunk", "choices": choices, **extra}
        return b"data: " + orjson.dumps(chunk) + b"\n\n"

    for index in range(times):
        opening = {"role": "assistant", "content": "", "refusal": None}
        deltas = [opening, *({"content": piece} for piece in pieces(text))]
        for delta in deltas:
            yield event([{"index": index, "delta": delta, "finish_reason": None, "logprobs": None}])
        yield event([{"index": index, "delta": {}, "finish_reason": "stop", "logprobs": None}])
    if usage is not None:
        yield event([], usage=usage)
    yield b"data: [DONE]\n\n"
