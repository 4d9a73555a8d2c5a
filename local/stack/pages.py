"""Pages for people: any object of the API as plain HTML, so that a `report_url` opens in a browser.

In: GET of the API's own paths, without a key. Out: what the API answers to the stack's own key, as nested tables with
links. Only this machine may ask, by the name of its loopback, so that no web site reaches it through a browser.
Fails as the API does, with its status and message.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from local.stack.errors import StackError
from local.stack.info import read_info
from local.stack.ports import HOST

_PREFIX = "/v1"
_SECONDS = 60
_LISTS = ("evals", "distillations", "chat/completions", "models", "usage")
_STYLE = (
    "body{font:15px/1.4 sans-serif;margin:2em;max-width:80em}table{border-collapse:collapse}"
    "td,th{border:1px solid #ccc;padding:.2em .6em;text-align:left;vertical-align:top}"
    "td{white-space:pre-wrap;overflow-wrap:anywhere}"
)
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "referrer-policy": "no-referrer",
}


@contextmanager
def pages(info: Path, port: int) -> Iterator[None]:
    """Serves the pages of the stack that `info` describes, for the length of the block. Raises StackError."""

    class Handler(_Handler):
        info_file = info

    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise StackError(f"Port {port}, where the pages of this stack answer, is taken: {error.strerror}.") from error
    thread = threading.Thread(target=server.serve_forever, name="pages", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pages_url(port: int) -> str:
    return f"http://{HOST}:{port}{_PREFIX}"


class _Handler(BaseHTTPRequestHandler):
    info_file: Path

    def do_GET(self) -> None:
        if self.headers.get("host", "").partition(":")[0] not in {HOST, "localhost"}:
            self._answer(HTTPStatus.FORBIDDEN, page("Forbidden", "These pages are for this machine only."))
        elif self.path.rstrip("/") in {"", _PREFIX}:
            self._answer(HTTPStatus.OK, page("Stillhouse on this machine", ""))
        else:
            self._answer(*self._object())

    def _object(self) -> tuple[int, str]:
        info = read_info(self.info_file)
        if info is None or not self.path.startswith(f"{_PREFIX}/"):
            return HTTPStatus.NOT_FOUND, page("Not found", f"There is no page {self.path}.")
        url = info.api_url + self.path.removeprefix(_PREFIX)
        request = urllib.request.Request(url, headers={"authorization": f"Bearer {info.api_key}"})  # noqa: S310 - http
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - our own address
                return HTTPStatus.OK, document_page(self.path, response.read())
        except urllib.error.HTTPError as error:
            return error.code, document_page(self.path, error.read())

    def _answer(self, status: int, body: str) -> None:
        content = body.encode()
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the terminal belongs to the stack."""


def document_page(path: str, content: bytes) -> str:
    """The page of an answer of the API; what is no JSON is shown as it is."""
    try:
        document = json.loads(content)
    except ValueError:
        return page(path, f"<pre>{escape(content.decode(errors='replace'))}</pre>")
    return page(path, _links(document) + _html(document))


def page(title: str, body: str) -> str:
    """A whole page, with links to the lists above it. `body` is HTML, `title` is text."""
    lists = " · ".join(_link(f"/{name}", name) for name in _LISTS)
    return (
        f"<!doctype html><title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<p>{lists}</p><h1>{escape(title)}</h1>{body}"
    )


def address(document: dict[str, Any]) -> str | None:
    """The path of an object of the API, where it has one."""
    match document:
        case {"object": "eval.run", "id": str(run), "eval_id": str(eval_id)}:
            return f"/evals/{eval_id}/runs/{run}"
        case {"object": "eval", "id": str(eval_id)}:
            return f"/evals/{eval_id}"
        case {"object": "distillation", "id": str(distillation)}:
            return f"/distillations/{distillation}"
        case {"object": "chat.completion", "id": str(completion)}:
            return f"/chat/completions/{completion}"
        case {"object": "eval.run.output_item", "id": str(item), "run_id": str(run), "eval_id": str(eval_id)}:
            return f"/evals/{eval_id}/runs/{run}/output_items/{item}"
    return None


def _links(document: Any) -> str:
    """From an eval to its runs, from a run to its rows, from a distillation to its runs."""
    if not isinstance(document, dict):
        return ""
    own, links = address(document), {}
    match document:
        case {"object": "eval"}:
            links["runs"] = f"{own}/runs"
        case {"object": "eval.run", "eval_id": eval_id}:
            links = {"output items": f"{own}/output_items?limit=100", "slices": f"{own}/slices"}
            links["eval"] = f"/evals/{eval_id}"
        case {"object": "distillation", "eval_id": eval_id, "runs": dict(runs)}:
            links = {f"run of the {role}": f"/evals/{eval_id}/runs/{run}" for role, run in runs.items()}
        case _:
            pass
    return "<p>" + " · ".join(_link(path, text) for text, path in links.items()) + "</p>"


def _html(value: Any) -> str:
    if isinstance(value, dict):
        own = address(value)
        rows = "".join(
            f"<tr><th>{escape(str(name))}</th><td>{_link(own, part) if own and name == 'id' else _html(part)}</td></tr>"
            for name, part in value.items()
        )
        return f"<table>{rows}</table>"
    if isinstance(value, list):
        return "".join(f"<div>{_html(part)}</div>" for part in value) or "none"
    return escape("" if value is None else str(value))


def _link(path: str, text: str) -> str:
    return f'<a href="{escape(_PREFIX + path)}">{escape(text)}</a>'
