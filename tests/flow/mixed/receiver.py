"""A receiver of webhooks on loopback. One delivery in twenty is refused, half of these after it was read."""

from __future__ import annotations

import json
from collections import Counter
from http.server import BaseHTTPRequestHandler
from random import Random

from tests.flow.mixed.faults import SHARE


class Received:
    """How often each event came, by its id, and what it was: its type and what it is about."""

    def __init__(self, seed: int) -> None:
        self.times: Counter[str] = Counter()
        self.events: dict[str, tuple[str, str]] = {}
        self.refused = 0
        self.dice = Random(seed)

    def clear(self) -> None:
        self.times.clear()
        self.events.clear()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        received = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                refused = received.dice.random() < SHARE
                received.refused += refused
                if not refused or received.dice.random() < 0.5:
                    received.times[body["id"]] += 1
                    received.events[body["id"]] = (body["type"], body["data"]["id"])
                self.send_response(500 if refused else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
