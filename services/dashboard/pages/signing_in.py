"""Sign in with an API key, and out."""

from __future__ import annotations

from dashboard import session
from dashboard.answers import Answer, Page, SeeOther
from dashboard.visit import Visit, base
from foundation.errors import Forbidden, Unauthorized
from foundation.routes import Routes

pages = Routes("Sign-in")


@pages.get("/sign-in", scope=None)
def sign_in(visit: Visit) -> Answer:
    """Ask for a key."""
    return SeeOther("/") if visit.token else _asked(None)


@pages.post("/sign-in", scope=None)
def signed_in(visit: Visit) -> Answer:
    """Begin a session, or say why the key does not do."""
    try:
        cookie = session.begun(visit.form().get("key", ""), base())
    except (Unauthorized, Forbidden) as refusal:
        return _asked(refusal.message)
    return SeeOther("/", cookies=[cookie])


@pages.post("/sign-out", scope="read")
def signed_out(visit: Visit) -> Answer:
    """End the session."""
    return SeeOther("/sign-in", cookies=[session.ended(visit.token, base())])


def _asked(refusal: str | None) -> Page:
    return Page("sign_in.html", "Sign in", {"refusal": refusal}, 401 if refusal else 200)
