"""Models that were imported into Bedrock, which take a chat completion of OpenAI's shape by InvokeModel.

In: chat completions whose model is the ARN of an imported model. Out: the answers as the model's server gives them.
AWS takes such bodies for models that were imported after 2025-11-11. Converse refuses some of these models. A model
that nobody has asked for some minutes is unloaded: it is away (429) until it is loaded, which takes a minute or more.
"""

from __future__ import annotations

from typing import Any

import orjson

from foundation import aws, foreign_json
from foundation.foreign_json import NotJSON
from foundation.ids import now
from providers.bedrock import calls
from providers.entry import Entry
from providers.key import Key
from providers.listed import ListedModels
from providers.pace import Pace
from providers.patience import ask_patiently
from providers.provider import Answer, ProviderAway
from providers.unsupported import Unsupported

_BAD_GATEWAY = 502
_MOST_BYTES = 25_000_000
# The answer comes whole, and the gateway writes it as a stream. The other two are for those who store completions.
_NOT_SENT = frozenset({"model", "store", "metadata", "stream", "stream_options"})
_JSON = "application/json"


def make_provider(entry: Entry, *, key: Key, pace: Pace | None) -> Imported:  # noqa: ARG001 - it has no key
    """The provider in an entry's region."""
    return Imported(entry, pace)


class Imported(ListedModels):
    """The imported models of one region."""

    def __init__(self, entry: Entry, pace: Pace | None) -> None:
        super().__init__(entry, "Amazon Bedrock")
        self._region, self._endpoint_url = entry.region, entry.base_url
        self._pace = pace

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        model = request["model"]
        body = orjson.dumps({name: value for name, value in request.items() if name not in _NOT_SENT})
        if len(body) > _MOST_BYTES:
            raise Unsupported("messages", f"Bedrock takes at most {_MOST_BYTES} bytes.", code="request_too_large")

        async def attempt(seconds: float) -> dict[str, Any]:
            return await calls.within(seconds, lambda: self._invoked(model, body))

        return await ask_patiently(attempt, self._pace, deadline_s=deadline_s, retry_s=retry_s)

    def _invoked(self, model: str, body: bytes) -> dict[str, Any]:
        client = aws.bedrock_runtime(self._region, self._endpoint_url)
        answer = client.invoke_model(modelId=model, body=body, contentType=_JSON, accept=_JSON)
        try:
            document = foreign_json.read(answer["body"].read())
        except NotJSON:
            document = None
        if not isinstance(document, dict):
            message = "The imported model's answer is no JSON object."
            refusal = {"error": {"message": message, "code": "unreadable_answer"}}
            raise ProviderAway(_BAD_GATEWAY, orjson.dumps(refusal), {"x-should-retry": "false"}, final=True)
        request_id = answer["ResponseMetadata"].get("RequestId")
        # Servers name the model by its path in their container, or not at all.
        return {
            "id": f"chatcmpl-{request_id}",
            "object": "chat.completion",
            "created": now(),
            **document,
            "model": model,
        }

    async def close(self) -> None:
        """Nothing: boto3's client keeps its connections for all."""
