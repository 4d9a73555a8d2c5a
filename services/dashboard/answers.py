"""What a page answers with: HTML of a template, a redirection, a file. `written` gives Lambda's form of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from dashboard.visit import link
from foundation import edge

_CUT = "\n\n(cut here: what follows is in the API's answer)\n"
_HTML = "text/html; charset=utf-8"
_SAFE = {
    # Nothing is loaded from elsewhere and no script stands in a page: captured text cannot become one.
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
}


class Page(NamedTuple):
    """A page: its template, its title, and what the template shows."""

    template: str
    title: str
    content: Mapping[str, Any] = {}
    status: int = 200


class SeeOther(NamedTuple):
    """Another page that the browser loads instead: its path below the pages' own."""

    path: str
    query: Mapping[str, str] = {}
    cookies: Sequence[str] = ()

    def written(self) -> dict[str, Any]:
        headers = {"location": link(self.path, self.query), "cache-control": "no-store", **_SAFE}
        return {"statusCode": 303, "headers": headers, "cookies": list(self.cookies), "body": ""}


class File(NamedTuple):
    """A file that is the same for everybody, and as long as this version of the code runs."""

    body: bytes
    media: str

    def written(self) -> dict[str, Any]:
        headers = {"content-type": self.media, "cache-control": "public, max-age=3600", **_SAFE}
        body = base64.b64encode(self.body).decode()
        return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}


class TextFile(NamedTuple):
    """A text that a browser shows as it is, and never takes for a page. What Lambda does not let through is cut off."""

    text: str

    def written(self) -> dict[str, Any]:
        headers = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store", **_SAFE}
        return {"statusCode": 200, "headers": headers, "body": _fitting(self.text), "isBase64Encoded": False}


class Html(NamedTuple):
    """A page that is written: nobody keeps it, since it has what was captured."""

    body: str
    status: int

    def written(self) -> dict[str, Any]:
        headers = {"content-type": _HTML, "cache-control": "no-store", **_SAFE}
        return {"statusCode": self.status, "headers": headers, "body": self.body, "isBase64Encoded": False}


class HtmlFile(NamedTuple):
    """A page as one file, which a browser saves."""

    body: str
    name: str

    def written(self) -> dict[str, Any]:
        headers = {"content-type": _HTML, "cache-control": "no-store", **_SAFE, "content-disposition": self._saved_as()}
        return {"statusCode": 200, "headers": headers, "body": self.body, "isBase64Encoded": False}

    def _saved_as(self) -> str:
        plain = re.sub(r"[^\w.-]+", "-", self.name, flags=re.ASCII).strip("-")[:80]
        return f'attachment; filename="{plain or "report"}.html"'


class Refusal(NamedTuple):
    """A refusal for a program: the API's own JSON."""

    status: int
    document: Mapping[str, Any]

    def written(self) -> dict[str, Any]:
        headers = {"content-type": "application/json", "cache-control": "no-store", **_SAFE}
        return {"statusCode": self.status, "headers": headers, "body": orjson.dumps(self.document).decode()}


type Answer = Page | SeeOther | File | TextFile


def _fitting(text: str) -> str:
    """The text, or as much of it as fits into an answer."""
    if edge.serialized(text.encode()) <= edge.MAX_ANSWER:
        return text
    # A letter has at most six bytes as it is serialized.
    return text[: edge.MAX_ANSWER // 6 - len(_CUT)] + _CUT
