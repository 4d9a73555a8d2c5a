"""SageMaker's real-time endpoints, which take chat completions of OpenAI's shape under `/openai/v1`.

In: an entry whose base URL is that of an endpoint or an inference component, up to `/openai/v1`; or a model that is
named by its place, `endpoints/<name>/inference-components/<name>`, in the entry's region. Out: a provider that is asked
as any with OpenAI's API, but for its key: a token that this function signs itself, from its own role. What the
container answers comes back as it is. Such an endpoint has chat completions alone. One that has scaled to zero is away:
the refused call itself starts an instance, which takes minutes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from foundation import aws, foreign_json
from foundation.foreign_json import NotJSON
from foundation.refreshed import Refreshed
from providers.entry import Entry
from providers.key import Key
from providers.listed import ListedModels
from providers.openai_compatible import OpenAICompatible
from providers.pace import Pace
from providers.provider import Answer, EventStream, OverLimit, ProviderAway, ProviderRefused
from providers.usage import tokens

_PLACE = re.compile(r"endpoints/[A-Za-z0-9-]{1,63}/inference-components/[A-Za-z0-9-]{1,63}")
_MOST_PLACES = 50
_AT_ZERO = re.compile(r"\bhas no capacity\b")
_BAD_REQUEST = 400
_STARTING = 503
_STARTS_AFTER_S = 60
_MODEL_ERROR = 424
_BAD_GATEWAY = 502
_FIRST_SERVER_ERROR = 500
_HOST = "sagemaker.amazonaws.com"
_PREFIX = "sagemaker-api-key-"
_VALID_S = 900
_KEPT_S = 300.0
"""How long a token is used: it must not end during a call that waits."""


def make_provider(entry: Entry, *, key: Key, pace: Pace | None) -> Endpoint:  # noqa: ARG001 - it signs its own
    """The provider at an entry's endpoint."""
    return Endpoint(entry, pace)


class Endpoint(ListedModels):
    """One endpoint or inference component, and the components of the region that are named by their places."""

    def __init__(self, entry: Entry, pace: Pace | None) -> None:
        super().__init__(entry, "Amazon SageMaker")
        self._region, self._pace = entry.region, pace
        self._key = BearerToken(entry.region)
        self._asked = self._at(entry.base_url or "")
        self._places: dict[str, OpenAICompatible] = {}

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        asked, request = await self._component(request)
        with _as_a_provider_says_it():
            return await asked.complete(request, deadline_s=deadline_s, retry_s=retry_s)

    async def stream(
        self, request: dict[str, Any], *, deadline_s: float, ends: float, retry_s: float | None = None
    ) -> EventStream | Answer:
        asked, request = await self._component(request)
        with _as_a_provider_says_it():
            return await asked.stream(request, deadline_s=deadline_s, ends=ends, retry_s=retry_s)

    async def close(self) -> None:
        for asked in (self._asked, *self._places.values()):
            await asked.close()

    def _at(self, base_url: str) -> OpenAICompatible:
        return OpenAICompatible(base_url=base_url, key=self._key, pace=self._pace, responses=False)

    async def _component(self, request: dict[str, Any]) -> tuple[OpenAICompatible, dict[str, Any]]:
        """Whom to ask, and what: a component that is asked by its place needs no name of a model."""
        place = request["model"]
        if not _PLACE.fullmatch(place):
            return self._asked, request
        if place not in self._places:
            if len(self._places) >= _MOST_PLACES:
                await self._places.pop(next(iter(self._places))).close()
            self._places[place] = self._at(f"{aws.sagemaker_runtime_url(self._region)}/{place}/openai/v1")
        return self._places[place], {**request, "model": ""}


@contextmanager
def _as_a_provider_says_it() -> Iterator[None]:
    """Raise SageMaker's refusals in OpenAI's shape."""
    try:
        yield
    except OverLimit:
        raise
    except ProviderRefused as refusal:
        raise _starting(refusal) or _in_openai_s_shape(refusal) from refusal


def _starting(refusal: ProviderRefused) -> ProviderAway | None:
    """That the endpoint has scaled to zero, if the refusal says so. SageMaker says it with a 400."""
    if refusal.status != _BAD_REQUEST or not _AT_ZERO.search(_message(refusal)):
        return None
    message = "The model's endpoint has scaled to zero and starts now. Ask again in some minutes."
    body = orjson.dumps(
        {"error": {"message": message, "type": "provider_error", "param": None, "code": "model_starting"}}
    )
    return ProviderAway(_STARTING, body, {"retry-after": str(_STARTS_AFTER_S)}, _STARTS_AFTER_S)


def _in_openai_s_shape(refusal: ProviderRefused) -> ProviderRefused:
    """A refusal of SageMaker itself, or of the container behind it, in OpenAI's shape; others as they are.

    An error of the container comes as 424 with its own status and words. Where that status is one of 500 and more, the
    container is away.
    """
    try:
        told = foreign_json.read(refusal.body)
    except NotJSON:
        return refusal
    if not isinstance(told, dict) or "error" in told:
        return refusal
    message = _message(refusal)
    code = str(told.get("ErrorCode") or told.get("__type") or "") or None
    body = orjson.dumps({"error": {"message": message, "type": "provider_error", "param": None, "code": code}})
    if refusal.status == _MODEL_ERROR and tokens(told.get("OriginalStatusCode")) >= _FIRST_SERVER_ERROR:
        return ProviderAway(_BAD_GATEWAY, body, refusal.headers)
    if isinstance(refusal, ProviderAway):
        return ProviderAway(refusal.status, body, refusal.headers, refusal.retry_after, final=refusal.final)
    return ProviderRefused(refusal.status, body, refusal.headers)


def _message(refusal: ProviderRefused) -> str:
    """What SageMaker, the container, or OpenAI's shape has to say."""
    try:
        told = foreign_json.read(refusal.body)
    except NotJSON:
        return str(refusal)
    if not isinstance(told, dict) or "error" in told:
        return refusal.message
    return str(told.get("OriginalMessage") or told.get("message") or told.get("Message") or refusal)


class BearerToken:
    """The token that SageMaker takes for a key: a presigned request of `CallWithBearerToken`, in base64."""

    def __init__(self, region: str | None) -> None:
        self._region = region
        self._held = Refreshed(self._signed, every_s=_KEPT_S)

    def text(self) -> str:
        return self._held.get()

    def is_other_than(self, refused: str) -> bool:
        return self._held.get() != refused

    def _signed(self) -> str:
        request = AWSRequest("POST", f"https://{_HOST}/", {"host": _HOST}, params={"Action": "CallWithBearerToken"})
        region = self._region or aws.own_region()
        SigV4QueryAuth(aws.credentials(), "sagemaker", region, expires=_VALID_S).add_auth(request)
        presigned = f"{str(request.url).removeprefix('https://')}&Version=1"
        return _PREFIX + base64.b64encode(presigned.encode()).decode()
