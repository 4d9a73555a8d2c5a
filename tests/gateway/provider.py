"""A chat provider on loopback that answers by a script, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from tests.flow import loop
from tests.loopback import serving

REQUEST: dict[str, Any] = {"model": "lab-small", "messages": loop.messages(0), "temperature": 0}
COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-scripted",
    "object": "chat.completion",
    "created": 1_790_000_000,
    "model": "big-2026-11-01",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": None,
            "message": {"role": "assistant", "content": "billing", "refusal": None},
        }
    ],
    "usage": {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8},
    "system_fingerprint": "fp_1",
}


class Said(NamedTuple):
    """One scripted answer."""

    status: int
    body: bytes
    headers: dict[str, str]


class Spoken:
    """A streamed answer: its parts in order. An event among them is waited for, and CUT breaks the connection off."""

    CUT = b"cut"

    def __init__(self, *parts: bytes | threading.Event, kind: str = "text/event-stream") -> None:
        self.parts = parts
        self.kind = kind


def chunk(delta: dict[str, Any], finish: str | None = None, **fields: Any) -> bytes:
    """One event of a streamed chat completion."""
    head = {name: COMPLETION[name] for name in ("id", "created", "model", "system_fingerprint")}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    said = {**head, "object": "chat.completion.chunk", "choices": [choice], "usage": None, **fields}
    return b"data: " + json.dumps(said).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
COUNTED = chunk({}, choices=[], usage=COMPLETION["usage"])
WORDS = [chunk({"role": "assistant", "content": ""}), chunk({"content": "bill"}), chunk({"content": "ing"})]
END = [chunk({}, "stop"), COUNTED, DONE]


def answer(**fields: Any) -> Said:
    """COMPLETION, or another one, as a provider says it."""
    return Said(200, json.dumps({**COMPLETION, **fields}).encode(), {"content-type": "application/json"})


class Scripted:
    """Gives its answers in order, the last one for ever; `asked` are the requests' bodies, `keys` what they came with.

    As a list of models it has `models`, as the Responses API `responses`; without them it says that there is no such
    path. `received` are the requests as they came: path, content type and bytes. `paths` are those that were asked.
    """

    def __init__(self, *answers: Said | Spoken) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.received: list[tuple[str, str, bytes]] = []
        self.models: list[str] = []
        self.responses: list[Said | Spoken] = []
        self.paths: list[str] = []
        self.lists_with: int | None = None
        """The status with which it refuses to tell its models."""

    def next(self, request: dict[str, Any]) -> Said | Spoken:
        self.asked.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def next_response(self, request: dict[str, Any]) -> Said | Spoken:
        self.asked.append(request)
        if not self.responses:
            return Said(404, b'{"error": {"message": "Not Found", "code": null}}', {})
        return self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]


@contextmanager
def served(script: Scripted) -> Iterator[str]:
    """The base URL of a server that speaks the script."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body, kind = self.rfile.read(int(self.headers["content-length"])), self.headers["content-type"]
            request = json.loads(body) if kind == "application/json" else {}
            script.received.append((self.path, kind, body))
            script.keys.append(self.headers["authorization"])
            script.paths.append(self.path)
            self._say(script.next_response(request) if self.path == "/v1/responses" else script.next(request))

        def do_GET(self) -> None:
            models = [{"id": name, "object": "model", "created": 7, "owned_by": "script"} for name in script.models]
            pages = {"/v1/models": {"object": "list", "data": models}} if models else {}
            pages |= {f"/v1/models/{model['id']}": model for model in models}
            body = pages.get(self.path) if script.lists_with is None else None
            self._say(Said(script.lists_with or (200 if body else 404), json.dumps(body or {}).encode(), {}))

        def _say(self, body: Said | Spoken) -> None:
            if isinstance(body, Spoken):
                _speak(self, body)
                return
            self.send_response(body.status)
            for name, value in {**body.headers, "content-length": str(len(body.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing on stderr."""

    with serving(Handler) as address:
        yield f"{address}/v1"


def _speak(server: BaseHTTPRequestHandler, spoken: Spoken) -> None:
    server.protocol_version = "HTTP/1.1"
    server.send_response(200)
    server.send_header("content-type", spoken.kind)
    server.send_header("transfer-encoding", "chunked")
    server.end_headers()
    server.close_connection = True
    with suppress(OSError):
        for part in spoken.parts:
            if isinstance(part, threading.Event):
                part.wait(20)
            elif part is Spoken.CUT:
                return
            else:
                server.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        server.wfile.write(b"0\r\n\r\n")


type Further = Callable[..., dict[str, Scripted]]
