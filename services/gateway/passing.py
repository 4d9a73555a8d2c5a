"""What is passed on to a provider as it is: embeddings, moderations, images, audio, completions of the older kind.

In: a request of one of these routes, JSON or a form. Its `model` chooses the provider, as in a chat completion; without
one the default provider is asked. Out: the provider's answer, text or bytes, and its refusals, unchanged. It is asked
once, since the client retries by itself, and nothing is captured.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from aws_lambda_powertools.event_handler import Response

from aliases.choosing import Call, choose
from aliases.known import known_aliases
from foundation import edge, http, loop
from foundation.errors import ApiError
from foundation.routes import Described, Routes
from gateway.answers import response, seconds_left
from gateway.forwarded import Forwarded, bounded, refused
from providers import Provider, ProviderRefused, registry
from providers.unanswered import as_of

router = Routes("Passed on")
_MARGIN_S = 2.0
_LONGEST_MODEL = 256
_MOST_HEADERS = 8
_BOUNDARY = re.compile(r'multipart/form-data;(?:.*;)?\s*boundary="?([^";,]{1,70})"?', re.IGNORECASE)
_ERRORS = {
    400: "The request is not valid, or the provider says so.",
    404: "The provider has no such route or no such model.",
    429: "The provider asks to wait.",
    502: "The provider cannot be reached, or its answer is too large.",
    504: "The provider takes more than the 28 seconds of this URL; the message names one with 15 minutes.",
}
_JSON = Described(body="gateway.documents.PassedRequest", media="application/json", errors=_ERRORS)
_FORM = Described(
    body="gateway.documents.PassedForm", takes="multipart/form-data", media="application/json", errors=_ERRORS
)
_SOUND = Described(body="gateway.documents.PassedRequest", media="application/octet-stream", errors=_ERRORS)


class _Addressed(NamedTuple):
    """The provider that is asked, what it is called here, and the body for it, which has the model's name there."""

    provider: Provider
    name: str
    body: bytes


@router.post("/v1/embeddings", scope="infer", **_JSON)
def create_embedding() -> Response[Any]:
    """Make embeddings at the model's provider."""
    return _passed_on()


@router.post("/v1/moderations", scope="infer", **_JSON)
def create_moderation() -> Response[Any]:
    """Have the model's provider classify texts or images as harmful or not."""
    return _passed_on()


@router.post("/v1/completions", scope="infer", **_JSON)
def create_text_completion() -> Response[Any]:
    """Have the model's provider complete a text, as before there were chat completions. It is not captured."""
    return _passed_on()


@router.post("/v1/images/generations", scope="infer", **_JSON)
def generate_image() -> Response[Any]:
    """Make images at the model's provider."""
    return _passed_on()


@router.post("/v1/images/edits", scope="infer", **_FORM)
def edit_image() -> Response[Any]:
    """Have the model's provider change images."""
    return _passed_on()


@router.post("/v1/images/variations", scope="infer", **_FORM)
def vary_image() -> Response[Any]:
    """Have the model's provider make variations of an image."""
    return _passed_on()


@router.post("/v1/audio/speech", scope="infer", **_SOUND)
def create_speech() -> Response[Any]:
    """Have the model's provider speak a text."""
    return _passed_on()


@router.post("/v1/audio/transcriptions", scope="infer", **_FORM)
def create_transcription() -> Response[Any]:
    """Have the model's provider write down what is said."""
    return _passed_on()


@router.post("/v1/audio/translations", scope="infer", **_FORM)
def create_translation() -> Response[Any]:
    """Have the model's provider write down in English what is said."""
    return _passed_on()


def _passed_on() -> Response[Any]:
    event = router.current_event
    kind = event.headers.get("content-type") or edge.JSON
    try:
        provider, name, body = _addressed(http.raw_body(router), kind)
        path = event.path.removeprefix("/v1")
        with as_of(name):
            passed = loop.run(provider.pass_on(path, body, kind, deadline_s=seconds_left(router) - _MARGIN_S))
    except ProviderRefused as refusal:
        return response(refused(refusal))
    return response(bounded(Forwarded(passed.status, passed.body, passed.headers)))


def _addressed(body: bytes, kind: str) -> _Addressed:
    boundary = _BOUNDARY.match(kind)
    model, renamed = _of_form(body, boundary[1]) if boundary else _of_json()
    if model is not None and not 0 < len(model) <= _LONGEST_MODEL:
        raise ApiError(
            f"Invalid 'model': a name of 1 to {_LONGEST_MODEL} letters is expected.",
            code="invalid_value",
            param="model",
        )
    route = registry.providers().resolve(_target_of(model or "", body))
    return _Addressed(route.provider, route.name, body if route.model == (model or "") else renamed(route.model))


def _target_of(model: str, body: bytes) -> str:
    """The model of this name, or the one that an alias of this name gives to this body.

    Of a cascade that is the model which answers what its target is not sure of: nobody can say how sure one is here.
    """
    alias = known_aliases.find(model)
    if alias is None:
        return model
    digest = {"role": "user", "content": hashlib.sha256(body).hexdigest()}
    call = Call({}, [digest], headers=router.current_event.headers)
    return choose(alias.routing, alias.salt, call).unjudged


def _of_json() -> tuple[str | None, Callable[[str], bytes]]:
    """The model that the request's JSON names, and the same body with another name."""
    request = http.json_of(router)
    model = request.get("model")
    if model is not None and not isinstance(model, str):
        raise ApiError("Invalid 'model': a text is expected.", code="invalid_type", param="model")
    return model, lambda name: orjson.dumps({**request, "model": name})


def _of_form(body: bytes, boundary: str) -> tuple[str | None, Callable[[str], bytes]]:
    """The model that a form names, and the same form with another name. What else is in the form is not looked at.

    A part has at most `_MOST_HEADERS` headers on each side of the one that names it: without an end, a body of nothing
    but boundaries would be read once for each of them.
    """
    ends = re.escape(b"--" + boundary.encode())
    disposition = rb'content-disposition:[^\r\n]*;\s*name="?model"?[ \t]*(?=[;\r])'
    headers = rb"(?:[^\r\n]+\r\n){0,%d}?" % _MOST_HEADERS
    part = rb"(?:\A|\r\n)" + ends + rb"\r\n" + headers + disposition + rb"[^\r\n]*\r\n" + headers + rb"\r\n"
    field = re.search(part + rb"([^\r\n]*)\r\n" + ends, body, re.IGNORECASE)
    if field is None:
        return None, lambda _: body
    first, last = field.span(1)
    return field[1].decode(errors="replace"), lambda name: body[:first] + name.encode() + body[last:]
