"""A browser without a screen: it asks the pages' handler, keeps cookies, follows redirections, and presses buttons."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from html import unescape
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import dashboard.handler
from tests.flow.system import KEY, FakeContext, System
from tests.loopback import serving
from tests.permissions import permitted

_PAGES = permitted(dashboard.handler.http_entry)
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]*)"')
_NONCE = re.compile(r'name="nonce" value="([0-9a-f]*)"')
_PAGE = re.compile(r'name="page" value="([^"]*)"')


@dataclass
class Answer:
    """What came back last: its status, its headers, its body as text."""

    status: int
    headers: Mapping[str, str]
    body: str
    path: str

    @property
    def text(self) -> str:
        """What a person reads: the text without tags, its blanks folded."""
        return " ".join("".join(self._read.parts).split())

    @property
    def links(self) -> list[str]:
        return list(self._read.links)

    @cached_property
    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.body)
        return reader


@dataclass
class Browser:
    """One visitor."""

    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    nonce: str = ""
    where: str = ""

    def get(self, path: str, *, follow: bool = True, key: str = "") -> Answer:
        """Ask for a page; with a key as a program does."""
        return self._ask("GET", path, "", follow=follow, key=key)

    def page(self, path: str) -> Answer:
        """A page that must be there."""
        answer = self.get(path)
        assert answer.status == 200, (path, answer.status, answer.text)
        return answer

    def post(
        self, path: str, form: Mapping[str, str] | None = None, *, csrf: str | None = None, key: str = ""
    ) -> Answer:
        fields = {"csrf": self.csrf if csrf is None else csrf, "nonce": self.nonce, "page": self.where}
        fields |= form or {}
        return self._ask("POST", path, urlencode(fields), follow=True, key=key)

    def sign_in(self, key: str = KEY) -> Answer:
        return self.post("/sign-in", {"key": key})

    def _ask(self, method: str, path: str, body: str, *, follow: bool, key: str) -> Answer:
        parts = urlsplit(path)
        authorization = {"authorization": f"Bearer {key}"} if key else {}
        cookies = [f"{name}={value}" for name, value in self.cookies.items()]
        event = {
            "rawPath": parts.path,
            "rawQueryString": parts.query,
            "headers": {"content-type": "application/x-www-form-urlencoded", **authorization},
            "cookies": cookies,
            "requestContext": {"http": {"method": method, "path": parts.path}},
            "body": body or None,
            "isBase64Encoded": False,
        }
        written = _PAGES(event, FakeContext())
        for cookie in written.get("cookies", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.cookies = {name: value for name, value in self.cookies.items() if value}
        location = written["headers"].get("location")
        if follow and location is not None:
            return self.get(urljoin(path, location), key=key)
        answer = Answer(written["statusCode"], written["headers"], written["body"], path)
        self.csrf = next(iter(_CSRF.findall(answer.body)), self.csrf)
        self.nonce = next(iter(_NONCE.findall(answer.body)), self.nonce)
        self.where = unescape(next(iter(_PAGE.findall(answer.body)), self.where))
        return answer


@contextmanager
def api_of(system: System) -> Iterator[str]:
    """The address of the system's API, which answers there over HTTP."""

    # A function serves one request at a time; on AWS there are copies of it.
    one_at_a_time = Lock()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {
                name: self.headers[name] for name in ("authorization", "idempotency-key") if name in self.headers
            }
            with one_at_a_time:
                status, answer = system.call(self.command, self.path, body or None, key=None, headers=headers)
            raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._serve
            raise AttributeError(name)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    with serving(Handler) as address:
        yield f"{address}/v1"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append(" ")
        if tag == "a":
            self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, _: str) -> None:
        self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def query(path: str) -> dict[str, str]:
    """The query of a link."""
    return dict(parse_qsl(urlsplit(path).query))
