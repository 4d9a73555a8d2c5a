"""Sign-in: an API key is exchanged for a session, which a browser holds as a cookie that scripts cannot read.

The cookie is the token of a session (`foundation.keys`): 160 random bits, of which only the hash is kept. It does the
work of a signature, and unlike one it can be ended. Behind it stand the scopes of the key, so that a page knows without
a call what it has to show; whoever writes others there sees buttons that the API refuses all the same. It holds for
twelve hours, as long as its key does. Other sites and mails may link to a page, which then knows its visitor; what they
post comes without the cookie (SameSite=Lax), and each form carries a hash of it besides, which they cannot know.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie

from foundation import keys
from foundation.settings import settings

CSRF = "csrf"
"""The field of a form that says which session it is of."""
_COOKIE = "stillhouse_session"
_SECONDS = 12 * 3600
_VALUE = re.compile(r"(sk-sh-session_\w{1,64}-[0-9a-f]{1,64})~([a-z.]{1,64})", re.ASCII)
"""The form of a cookie: a session's token and its scopes. Anything else is none, and goes into no header."""
_ENDED = 0


def begun(key: str, path: str) -> str:
    """The cookie of a new session of this API key. Raises Unauthorized, or Forbidden for a key that may not read."""
    session = keys.exchanged(f"Bearer {key.strip()}", "read", seconds=_SECONDS)
    return _cookie(f"{session.token}~{'.'.join(sorted(session.scopes))}", path, _SECONDS)


def ended(token: str | None, path: str) -> str:
    """End a session; the cookie that takes it out of the browser."""
    if token is not None:
        keys.end_session(token)
    return _cookie("", path, _ENDED)


def session_of(cookies: Sequence[str]) -> keys.Session | None:
    """The session in a request's cookies, if there is one; what it may do is what the cookie says."""
    for cookie in cookies:
        try:
            morsel = SimpleCookie(cookie).get(_COOKIE)
        except CookieError:
            continue
        given = _VALUE.fullmatch(morsel.value) if morsel is not None else None
        if given:
            return keys.Session(given[1], frozenset(given[2].split(".")))
    return None


def csrf_of(token: str) -> str:
    """What a form of this session carries."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def is_own(token: str, csrf: str) -> bool:
    """Whether a form that carries this is of this session."""
    return hmac.compare_digest(csrf_of(token).encode(), csrf.encode())


def _cookie(value: str, path: str, seconds: int) -> str:
    secure = "; Secure" if settings().API_URL.startswith("https:") else ""
    return f"{_COOKIE}={value}; Path={path}/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
