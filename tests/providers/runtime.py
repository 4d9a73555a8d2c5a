"""A runtime over HTTP for the tests of every kind: OpenAI's chat completions, and Bedrock's Converse and InvokeModel.

It says what a test has prepared, in the words of the route that is asked: one prepared answer after another, then the
last one for ever. `asked` keeps what came.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


@dataclass(frozen=True)
class Said:
    """One answer: a status, a body, headers."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


type Prepared = Callable[[str], Said]
"""What is said on a wire: `openai`, `converse` or `invoke`."""


def answers(
    text: str = "pong", *, call: tuple[str, dict[str, Any]] | None = None, finish: str | None = None
) -> Prepared:
    """A model's answer: a text, or the call of a tool with its arguments; `finish` is OpenAI's finish reason."""

    def said(wire: str) -> Said:
        reason = finish or ("tool_calls" if call else "stop")
        if wire != "converse":
            message: dict[str, Any] = {"role": "assistant", "content": None if call else text}
            if call:
                function = {"name": call[0], "arguments": json.dumps(call[1])}
                message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
            choice = {"index": 0, "message": message, "finish_reason": reason}
            body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "/opt/ml/model"}
            return Said(200, {**body, "choices": [choice], "usage": USAGE})
        use = {"toolUse": {"toolUseId": "call_1", "name": call[0], "input": call[1]}} if call else {"text": text}
        stops = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"}
        return Said(
            200,
            {
                "output": {"message": {"role": "assistant", "content": [use]}},
                "stopReason": stops[reason],
                "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10},
                "metrics": {"latencyMs": 1},
            },
        )

    return said


_AWS_ERRORS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


def refuses(status: int, *, name: str | None = None, retry_after: str | None = None, **told: Any) -> Prepared:
    """An error of this status, in AWS's shape or in OpenAI's; `name` is AWS's own and `told` what it says beside."""

    def said(wire: str) -> Said:
        headers = {"retry-after": retry_after} if retry_after else {}
        if wire == "openai":
            return Said(status, {"error": {"message": "not so", "code": None}}, headers)
        kind = name or _AWS_ERRORS[status]
        return Said(status, {"message": "not so", **told}, {"x-amzn-ErrorType": kind, **headers})

    return said


def slow(seconds: float) -> Prepared:
    """An answer after so many seconds."""

    def said(wire: str) -> Said:
        time.sleep(seconds)
        return answers()(wire)

    return said


@dataclass(frozen=True)
class Asked:
    """What came: the wire, the path, the model of the path, headers in lower case, the body."""

    wire: str
    path: str
    model: str
    headers: dict[str, str]
    body: dict[str, Any]


class Runtime:
    """The server. `url` is without a path."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self._prepared: list[Prepared] = [answers()]

    def will(self, *prepared: Prepared) -> None:
        self.asked.clear()
        self._prepared = list(prepared)

    def said_to(self, asked: Asked) -> Said:
        self.asked.append(asked)
        return self._prepared[min(len(self.asked), len(self._prepared)) - 1](asked.wire)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        steps = self.path.strip("/").split("/")
        wire = {"converse": "converse", "invoke": "invoke"}.get(steps[-1], "openai")
        model = unquote(steps[1]) if wire != "openai" else ""
        headers = {name.lower(): value for name, value in self.headers.items()}
        said = self.server.runtime.said_to(Asked(wire, self.path, model, headers, json.loads(body)))
        raw = json.dumps(said.body).encode()
        self.send_response(said.status)
        for name, value in {"content-type": "application/json", **said.headers, "content-length": len(raw)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    runtime: Runtime
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a caller that has hung up."""


@contextmanager
def running() -> Iterator[Runtime]:
    """The runtime on a free port of loopback."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.runtime = Runtime(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server.runtime
    server.shutdown()
    server.server_close()
    thread.join(5)
