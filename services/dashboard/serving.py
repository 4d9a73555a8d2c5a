"""A request of a browser: the page that serves it, and what becomes of a failure.

In: an event of the HTTP API. Out: HTML, a redirection, or a file of `static/`. Who has no session is sent to the
sign-in. A form is taken only with the mark of its own session, so that no other site can press a button. What the API
refuses becomes the form again, with what was typed and the refusal at its field, or a page of its own where the form's
page is not known; what fails is logged once and is a page too.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from dashboard import rendering, session
from dashboard.answers import Answer, Html, HtmlFile, Page, Refusal, SeeOther
from dashboard.refilled import refilled
from dashboard.routes import routes
from dashboard.standalone import standalone
from dashboard.stillhouse_api import API_FAILED, ApiFailed
from dashboard.visit import PAGE, Visit, base, link, place
from foundation import edge
from foundation.errors import ApiError, Forbidden, RetryLater, Unauthorized
from foundation.parameters import refuse_unknown
from foundation.routes import Route

_NOT_THE_FORM = frozenset({"csrf", "request_too_large", API_FAILED})
"""Refusals that nothing typed into the form again would mend."""


def serve(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request."""
    visit, request_id = Visit.of(event), context.aws_request_id
    try:
        written = _written(_answer(visit), visit)
    except Unauthorized as refusal:
        written = _failed(refusal, visit, request_id) if visit.by_key else _to_sign_in(visit).written()
    except Exception as error:  # noqa: BLE001 - whatever it was, the visitor gets a page
        written = _failed(error, visit, request_id)
    written["headers"]["x-request-id"] = request_id
    return {**written, "body": "", "isBase64Encoded": False} if visit.head else written


def _answer(visit: Visit) -> Answer:
    for route in routes():
        parameters = route.match(visit.path) if route.method == visit.method else None
        if parameters is not None:
            return _served(route, replace(visit, parameters=parameters))
    raise ApiError(f"There is no page {visit.path[:256]}.", code="not_found", status=404)


def _served(route: Route, visit: Visit) -> Answer:
    if route.scope is not None and visit.token is None:
        raise Unauthorized("Sign in first.")
    # Before all other refusals: with these a form comes back as it was typed, and that of another site must not.
    if route.method == "POST" and visit.foreign:
        raise Forbidden("This form was sent by another site.", code="csrf")
    if route.method == "POST" and visit.token is not None:
        _refuse_foreign(visit.token, visit.form().get(session.CSRF, ""))
    if route.scope is not None and not visit.as_file and not visit.may(route.scope):
        raise Forbidden(f"This key lacks the scope '{route.scope}'.", code="insufficient_permissions")
    refuse_unknown(route, visit.query)
    answer: Answer = route.serve(visit)
    return answer


def _to_sign_in(visit: Visit) -> SeeOther:
    """The sign-in, which leads back to the page. A session that has ended is taken out of the browser."""
    wanted = {"to": visit.here} if visit.here else {}
    return SeeOther("/sign-in", wanted, [session.ended(None, base())] if visit.token else [])


def _refuse_foreign(token: str, csrf: str) -> None:
    """Raises Forbidden for a form that is not of this session."""
    if not session.is_own(token, csrf):
        raise Forbidden("This form is of another session. Load its page again, and press once more.", code="csrf")


def _written(answer: Answer, visit: Visit) -> dict[str, Any]:
    if not isinstance(answer, Page):
        return answer.written()
    body = rendering.html(answer, visit)
    if edge.serialized(body.encode()) > edge.MAX_ANSWER:
        # Lambda would answer with a failure that nobody can read.
        raise ApiError("This is more than a page can show. The API has all of it.", code="too_large", status=413)
    if visit.as_file and answer.status == HTTPStatus.OK:
        return HtmlFile(standalone(body), answer.title).written()
    return Html(body, answer.status).written()


def _failed(error: Exception, visit: Visit, request_id: str) -> dict[str, Any]:
    if isinstance(error, ApiError) and visit.method == "POST" and error.code not in _NOT_THE_FORM:
        again = _form_again(visit, error)
        if again is not None:
            return Html(again, error.status).written()
    failure = edge.failed(error)
    if visit.by_key:
        return Refusal(failure.status, failure.body).written()
    about = {"request_id": error.request_id if isinstance(error, ApiFailed) else request_id, **failure.body}
    page = Page("refused.html", "Not possible", {"status": failure.status, **about}, failure.status)
    return _written(page, visit)


def _form_again(visit: Visit, refusal: ApiError) -> str | None:
    """The page of a refused form with what was typed in it; None where there is no such page, or no such form on it."""
    try:
        typed = visit.form()
        path, _, query = (place(typed.get(PAGE, "")) or "").partition("?")
        again = replace(visit, method="GET", path=path, query=dict(parse_qsl(query)), typed=typed)
        answer = _answer(again)
    except (ApiError, RetryLater):
        return None
    if not isinstance(answer, Page):
        return None
    return refilled(rendering.html(answer, again), link(visit.path), typed, refusal)
