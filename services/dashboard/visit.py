"""One request of a browser, as a page sees it."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from dashboard import session
from dashboard.stillhouse_api import MOST_SECONDS, Api
from foundation import edge
from foundation.errors import ApiError, Unauthorized
from foundation.settings import settings

PAGE = "page"
"""The field of a form that says on which page it stands."""
_MAX_FORM = 1024 * 1024
_MOST_FIELDS = 500
_AS_FILE = "file"
_STILL = "still"
_OTHER_SITES = frozenset({"cross-site", "same-site"})
"""What browsers say in `Sec-Fetch-Site` of a request that a page of another site has made."""
_OURS = re.compile(r"/(?:[\w.~%:@!$'()*+,;=-]+(?:/[\w.~%:@!$'()*+,;=-]+)*)?", re.ASCII)
"""The path of a page of ours. One that begins with two slashes would lead to another site."""


@dataclass(frozen=True)
class Visit:
    """Who asks for which page, with what.

    `parameters` are those of the path. A field of `query` that is empty was left empty in a form, and is left out.
    `token` is that of the session; None where nobody has signed in. `scopes` are what its key may do. `foreign` is
    whether another site sent it. `typed` has the fields of a form that was refused, where its page is shown again.
    `as_file` is whether the page is wanted as one file; a program may ask for that with an API key in place of a
    session, and is then `by_key`. `still` is whether a page with open work is to stay as it is. `head` is whether
    only headers are wanted; the `method` is then GET. `begun` is when it came, by the process's clock.
    """

    method: str
    path: str
    query: Mapping[str, str]
    token: str | None
    scopes: frozenset[str] = frozenset()
    body: Mapping[str, Any] = field(repr=False, default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    foreign: bool = False
    typed: Mapping[str, str] = field(repr=False, default_factory=dict)
    as_file: bool = False
    by_key: bool = False
    still: bool = False
    head: bool = False
    begun: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, event: dict[str, Any]) -> Self:
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        asked = event["requestContext"]["http"]["method"]
        method = "GET" if asked == "HEAD" else asked
        query = dict(parse_qsl(event.get("rawQueryString") or ""))
        as_file = query.pop(_AS_FILE, None) is not None and method == "GET"
        still = query.pop(_STILL, None) is not None and method == "GET"
        key = headers.get("authorization", "").removeprefix("Bearer ").strip() if as_file else ""
        of_cookie = session.session_of(event.get("cookies") or headers.get("cookie", "").split(";"))
        return cls(
            method=method,
            head=asked == "HEAD",
            path=event["rawPath"],
            query=query,
            token=key or (of_cookie.token if of_cookie else None),
            scopes=of_cookie.scopes if of_cookie else frozenset(),
            as_file=as_file,
            by_key=bool(key),
            still=still,
            body={"text": event.get("body"), "encoded": event.get("isBase64Encoded", False)},
            foreign=headers.get("sec-fetch-site") in _OTHER_SITES,
        )

    def may(self, scope: str) -> bool:
        """Whether the visitor is shown what this scope is needed for. A file, which many may read, shows none of it."""
        return not self.as_file and not self.scopes.isdisjoint({scope, "admin"})

    @property
    def api(self) -> Api:
        """The API as the visitor may use it. Raises Unauthorized where nobody has signed in."""
        if self.token is None:
            raise Unauthorized("Sign in first.", code="invalid_api_key")
        if not (self.token.isascii() and self.token.isprintable()):
            # No header could hold it.
            raise Unauthorized("This API key is not valid.", code="invalid_api_key", param="Authorization")
        once = hashlib.sha256(self._form_bytes()).hexdigest() if self.method == "POST" else ""
        return Api(self.token, once=once, until=self.begun + MOST_SECONDS)

    @property
    def csrf(self) -> str:
        """What a form of this session carries; empty without one."""
        return session.csrf_of(self.token) if self.token else ""

    @property
    def nonce(self) -> str:
        """What tells a form from the same one of another page: pressed twice, it is done once."""
        return secrets.token_hex(8)

    @property
    def here(self) -> str | None:
        """Where a sign-in leads back to: the page that is asked for; None for the first page and for a button."""
        path = self.path if self.method == "GET" and self.path != "/" else ""
        return place(path + (f"?{urlencode(self.query)}" if self.query else ""))

    @property
    def held(self) -> str:
        """This page as it stands still."""
        here = self.here or "/"
        return f"{here}{'&' if '?' in here else '?'}{_STILL}=1"

    @property
    def page(self) -> str:
        """The page that a form stands on, also where a button of that form has written it anew."""
        if self.method != "POST":
            return self.here or ""
        try:
            return place(self.form().get(PAGE, "")) or ""
        except ApiError:
            # A form that is too large is refused on a page that has forms of its own.
            return ""

    def form(self) -> dict[str, str]:
        """The fields of a form. Raises ApiError over 1 MB or 500 fields."""
        text = self._form_bytes().decode(errors="replace")
        try:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError:
            raise ApiError(f"A form has at most {_MOST_FIELDS} fields.", code="request_too_large", status=413) from None

    def _form_bytes(self) -> bytes:
        body = edge.body_of(self.body.get("text"), encoded=self.body.get("encoded", False), remedy="Shorten the text.")
        if len(body) > _MAX_FORM:
            raise ApiError(f"A form has at most {_MAX_FORM} bytes.", code="request_too_large", status=413)
        return body


def place(text: str) -> str | None:
    """A path of ours with its query, as it was given; None for anything that could lead to another site."""
    path, _, query = text.partition("?")
    return text if _OURS.fullmatch(path) and query.isascii() and query.isprintable() else None


def link(path: str, query: Mapping[str, str] | None = None) -> str:
    """A path of these pages as a browser asks for it: the API may lie below a path of its own."""
    return base() + path + (f"?{urlencode(query)}" if query else "")


def base() -> str:
    """The path below which the pages lie, without a slash at its end."""
    return urlsplit(settings().API_URL).path.removesuffix("/v1")
