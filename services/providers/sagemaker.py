"""SageMaker's real-time endpoints, which take chat completions of OpenAI's shape under `/openai/v1`.

In: an entry whose base URL is that of an endpoint or an inference component, up to `/openai/v1`. Out: a provider that
is asked as any with OpenAI's API, but for its key: a token that this function signs itself, from its own role. What the
container answers comes back as it is. Such an endpoint has chat completions alone.
"""

from __future__ import annotations

import base64
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
from providers.provider import Answer, OverLimit, ProviderAway, ProviderRefused
from providers.usage import tokens

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
    """One endpoint or inference component."""

    def __init__(self, entry: Entry, pace: Pace | None) -> None:
        super().__init__(entry, "Amazon SageMaker")
        self._asked = OpenAICompatible(
            base_url=entry.base_url or "", key=BearerToken(entry.region), pace=pace, responses=False
        )

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        try:
            return await self._asked.complete(request, deadline_s=deadline_s, retry_s=retry_s)
        except OverLimit:
            raise
        except ProviderRefused as refusal:
            raise _in_openai_s_shape(refusal) from refusal

    async def close(self) -> None:
        await self._asked.close()


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
    message = str(told.get("OriginalMessage") or told.get("message") or told.get("Message") or refusal)
    code = str(told.get("ErrorCode") or told.get("__type") or "") or None
    body = orjson.dumps({"error": {"message": message, "type": "provider_error", "param": None, "code": code}})
    if refusal.status == _MODEL_ERROR and tokens(told.get("OriginalStatusCode")) >= _FIRST_SERVER_ERROR:
        return ProviderAway(_BAD_GATEWAY, body, refusal.headers)
    if isinstance(refusal, ProviderAway):
        return ProviderAway(refusal.status, body, refusal.headers, refusal.retry_after, final=refusal.final)
    return ProviderRefused(refusal.status, body, refusal.headers)


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
