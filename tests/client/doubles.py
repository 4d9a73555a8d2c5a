"""A provider and a Stillhouse on loopback that do what a test tells them, and remember what they were sent."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

type Answer = tuple[int, str, Iterable[bytes]]

USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
_numbers = itertools.count(1)


def completion(text: str | None = "hello", **choice: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": f"chatcmpl-{next(_numbers)}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "big-2024",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message, "logprobs": None, **choice}],
        "usage": USAGE,
    }


def chunk(*choices: dict[str, Any], **head: Any) -> dict[str, Any]:
    shape = {"id": "chatcmpl-s", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "big-2024"}
    return {**shape, "choices": list(choices), **head}


def piece(index: int = 0, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish_reason}


HELLO = [
    chunk(piece(role="assistant", content="")),
    chunk(piece(content="hel")),
    chunk(piece(content="lo")),
    chunk(piece(finish_reason="stop")),
]


def events(*chunks: dict[str, Any]) -> list[bytes]:
    return [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks] + [b"data: [DONE]\n\n"]


def stuck(parts: list[bytes], released: threading.Event) -> Iterator[bytes]:
    """A stream that says nothing more until it is released."""
    yield from parts
    released.wait(10)


def alias(
    *targets: tuple[str, str, dict[str, Any]], version: int = 1, fallback: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """An alias as Stillhouse shows it; a target is a name, a base URL, and what else is otherwise."""
    places = [
        {"model": f"of-{name}", "provider": name, "base_url": url, "model_there": name, "weight": 1, "when": {}, **more}
        for name, url, more in targets
    ]
    return {
        "object": "alias",
        "id": "quick",
        "version": version,
        "salt": "salt",
        "targets": places,
        "sticky_by": None,
        "fallback_place": fallback,
        **fields,
    }


def place(name: str, url: str) -> dict[str, Any]:
    """Where a model answers, as an alias says it."""
    return {"model": f"of-{name}", "provider": name, "base_url": url, "model_there": name}


class Provider:
    """Answers every call with a completion, or with `HELLO` as a stream; `say` overrides that."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.released = threading.Event()
        self.say: Callable[[dict[str, Any]], Answer] | None = None

    def answer(self, method: str, path: str, body: bytes, headers: Any) -> Answer:
        del method, path, headers
        asked = json.loads(body)
        self.asked.append(asked)
        if self.say:
            return self.say(asked)
        if not asked.get("stream"):
            return 200, "application/json", [json.dumps(completion()).encode()]
        usage = [chunk(usage=USAGE)] if (asked.get("stream_options") or {}).get("include_usage") else []
        return 200, "text/event-stream", events(*HELLO, *usage)


class Stillhouse:
    """Takes pushes, unless `status` says otherwise or `hang` is set; a batch is recorded after `polls` questions."""

    def __init__(self) -> None:
        self.status = 202
        self.hang = threading.Event()
        self.polls = 0
        self.records: list[dict[str, Any]] = []
        self.pushes: list[list[dict[str, Any]]] = []
        self.tries = 0
        self.other: list[tuple[str, str]] = []
        self.aliases: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []
        self.released = threading.Event()

    def answer(self, method: str, path: str, body: bytes, headers: Any) -> Answer:
        assert headers["authorization"] == "Bearer sk-sh-test"
        if path.startswith("/v1/captures/"):
            self.polls -= 1
            return self._json(200, {"status": "pending" if self.polls >= 0 else "recorded"})
        if path.startswith("/v1/aliases/"):
            alias = self.aliases.get(path.removeprefix("/v1/aliases/"))
            return self._json(200, alias) if alias else self._json(404, {"error": {"message": "none"}})
        if (method, path) == ("POST", "/v1/chat/completions"):
            self.asked.append(json.loads(body))
            return self._json(200, completion())
        if path != "/v1/captures":
            self.other.append((method, path))
            listed = {"object": "list", "data": [], "has_more": False}
            return self._json(
                200, listed if path.partition("?")[0].endswith(("completions", "messages")) else completion()
            )
        self.tries += 1
        if self.hang.is_set():
            self.released.wait(20)
        if self.status != 202:
            return self._json(self.status, {"error": {"message": "no", "code": "busy", "param": None, "type": "x"}})
        assert headers["content-encoding"] == "gzip"
        records = [json.loads(line) for line in gzip.decompress(body).splitlines()]
        self.records += records
        self.pushes.append(records)
        return self._json(202, {"batch_id": f"capture_{len(self.pushes)}", "accepted": len(records), "refused": []})

    @staticmethod
    def _json(status: int, document: Any) -> Answer:
        return status, "application/json", [json.dumps(document).encode()]


@contextmanager
def served(double: Provider | Stillhouse, port: int = 0) -> Iterator[str]:
    """The base URL under which it answers."""

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, kind, parts = double.answer(self.command, self.path, body, self.headers)
            try:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.end_headers()
                for part in parts:
                    self.wfile.write(part)
                    self.wfile.flush()
            except ConnectionError:
                self.close_connection = True

        def do_GET(self) -> None:
            self._any()

        def do_POST(self) -> None:
            self._any()

        def do_DELETE(self) -> None:
            self._any()

        def log_message(self, *_: Any) -> None:
            """Say nothing on stderr."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        double.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
