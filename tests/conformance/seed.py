"""What the suites find on the stack: the completion that they name, others of every shape, and spares to delete.

All are older than any other completion, so that a list begins with them. The model that the suites ask for is
schooled at the lab, through the lab's own endpoint.
"""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from local.stack.info import StackInfo

FIXED_ID = "completion_id"
MODEL = "gpt-6-astra"
_SPARES = 200
_OLDEST = 1_000_000_000

_PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/parcel.png"}}
_CALL = {"id": "call_1", "type": "function", "function": {"name": "track", "arguments": '{"parcel": 7}'}}
_REQUEST: dict[str, Any] = {
    "model": MODEL,
    "messages": [
        {"role": "system", "content": "Answer in one sentence."},
        {"role": "user", "content": [{"type": "text", "text": "Where is it?"}, _PICTURE]},
        {"role": "assistant", "content": None, "tool_calls": [_CALL]},
        {"role": "tool", "content": "in Berne", "tool_call_id": "call_1"},
    ],
    "temperature": 0.5,
    "seed": 7,
    "user": "user-1",
}
_USAGE = {"prompt_tokens": 40, "completion_tokens": 5, "total_tokens": 45}
_MESSAGES: list[dict[str, Any]] = [
    {"role": "assistant", "content": "It is in Berne.", "refusal": None, "annotations": []},
    {"role": "assistant", "content": None, "refusal": "I cannot tell."},
    # As other servers and OpenAI's own stored completions have them: null for what there is not.
    {"role": "assistant", "content": "It is in Berne.", "tool_calls": None, "function_call": None, "audio": None},
    {"role": "assistant", "content": None, "tool_calls": [_CALL]},
    {"role": "assistant", "content": "It is in Berne.", "annotations": None},
]


class Stack:
    """The HTTP API of a running stack, with its key."""

    def __init__(self, info: StackInfo) -> None:
        base = urlsplit(info.api_url)
        self._host, self._path = base.netloc, base.path
        self._key = info.api_key
        self.lab = urlsplit(info.lab_url)

    def call(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """One request; its status, headers and body."""
        given = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        return _request(self._host, method, self._path + path, body, {**given, "authorization": f"Bearer {self._key}"})

    def json(self, method: str, path: str, body: Any = None) -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        status, _, answer = self.call(method, path, raw, {"content-type": "application/json"})
        assert status < 300, (status, answer)
        return json.loads(answer)


def store(stack: Stack) -> list[str]:
    """Push all completions, wait until each can be read, school the model; the ids of the spares."""
    records = [_record(FIXED_ID if not number else f"chatcmpl-shape-{number}", number) for number in range(5)]
    spares = [f"chatcmpl-spare-{uuid4().hex}" for _ in range(_SPARES)]
    records += [_record(name, 5 + number) for number, name in enumerate(spares)]
    batch = stack.json("POST", "/captures", records)["batch_id"]
    deadline = time.monotonic() + 60
    while stack.json("GET", f"/captures/{batch}")["status"] != "recorded":
        assert time.monotonic() < deadline, "the stack does not record what was pushed"
        time.sleep(0.1)
    examples = [{"messages": _said(text), "answer": text} for text in ("yes", "no")]
    lesson = json.dumps({"id": MODEL, "examples": examples}).encode()
    status, _, answer = _request(stack.lab.netloc, "POST", "/lab/models", lesson, {"content-type": "application/json"})
    assert status == 200, answer
    return spares


def _record(name: str, number: int) -> dict[str, Any]:
    message = _MESSAGES[number % len(_MESSAGES)]
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
    if not number:
        choice["logprobs"] = None
    response: dict[str, Any] = {
        "id": name,
        "created": _OLDEST + number,
        "model": MODEL,
        "choices": [choice],
        "usage": _USAGE if number % 2 == 0 else None,
        "system_fingerprint": "fp_1" if number % 2 == 0 else None,
        "service_tier": None,
    }
    return {"request": _REQUEST, "response": response, "metadata": {"suite": "conformance"}}


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _request(
    host: str, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()
