"""One request of a browser, as a page sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from dashboard import session
from dashboard.stillhouse_api import Api
from foundation import edge
from foundation.errors import ApiError, Unauthorized
from foundation.settings import settings

_MAX_FORM = 1024 * 1024
_MOST_FIELDS = 500


@dataclass(frozen=True)
class Visit:
    """Who asks for which page, with what.

    `parameters` are those of the path. A field of `query` that is empty was left empty in a form, and is left out.
    `token` is that of the session; None where nobody has signed in.
    """

    method: str
    path: str
    query: Mapping[str, str]
    token: str | None
    body: Mapping[str, Any] = field(repr=False, default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, event: dict[str, Any]) -> Self:
        pairs = parse_qsl(event.get("rawQueryString") or "", max_num_fields=_MOST_FIELDS)
        return cls(
            method=event["requestContext"]["http"]["method"],
            path=event["rawPath"],
            query=dict(pairs),
            token=session.token_of(_cookies(event)),
            body={"text": event.get("body"), "encoded": event.get("isBase64Encoded", False)},
        )

    @property
    def api(self) -> Api:
        """The API as the visitor may use it. Raises Unauthorized where nobody has signed in."""
        if self.token is None:
            raise Unauthorized("Sign in first.", code="invalid_api_key")
        return Api(self.token)

    @property
    def csrf(self) -> str:
        """What a form of this session carries; empty without one."""
        return session.csrf_of(self.token) if self.token else ""

    def form(self) -> dict[str, str]:
        """The fields of a form. Raises TooLarge over 1 MB."""
        body = edge.body_of(self.body.get("text"), encoded=self.body.get("encoded", False), remedy="Shorten the text.")
        if len(body) > _MAX_FORM:
            raise ApiError(f"A form has at most {_MAX_FORM} bytes.", code="request_too_large", status=413)
        return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))


def _cookies(event: dict[str, Any]) -> list[str]:
    """The cookies of a request: a field of their own in AWS's events, a header in the emulator's."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    cookies: list[str] = event.get("cookies") or headers.get("cookie", "").split(";")
    return cookies


def link(path: str, query: Mapping[str, str] | None = None) -> str:
    """A path of these pages as a browser asks for it: the API may lie below a path of its own."""
    return base() + path + (f"?{urlencode(query)}" if query else "")


def base() -> str:
    """The path below which the pages lie, without a slash at its end."""
    return urlsplit(settings().API_URL).path.removesuffix("/v1")
