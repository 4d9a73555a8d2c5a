"""Sign in with an API key, and out."""

from __future__ import annotations

from urllib.parse import parse_qsl

from dashboard import session
from dashboard.answers import Answer, Page, SeeOther
from dashboard.visit import Visit, base, place
from foundation.errors import Forbidden, Unauthorized
from foundation.routes import Query, Routes

pages = Routes("Sign-in")


@pages.get("/sign-in", scope=None, query=(Query("to", "The page that is looked at afterwards."),))
def sign_in(visit: Visit) -> Answer:
    """Ask for a key."""
    return SeeOther("/") if visit.token else _asked(None, visit.query.get("to", ""))


@pages.post("/sign-in", scope=None)
def signed_in(visit: Visit) -> Answer:
    """Begin a session, or say why the key does not do."""
    form = visit.form()
    try:
        cookie = session.begun(form.get("key", ""), base())
    except (Unauthorized, Forbidden) as refusal:
        return _asked(refusal.message, form.get("to", ""))
    path, _, query = (place(form.get("to", "")) or "/").partition("?")
    return SeeOther(path, dict(parse_qsl(query)), [cookie])


@pages.post("/sign-out", scope="read")
def signed_out(visit: Visit) -> Answer:
    """End the session."""
    return SeeOther("/sign-in", cookies=[session.ended(visit.token, base())])


def _asked(refusal: str | None, wanted: str) -> Page:
    content = {"refusal": refusal, "wanted": place(wanted)}
    return Page("sign_in.html", "Sign in", content, 401 if refusal else 200)
