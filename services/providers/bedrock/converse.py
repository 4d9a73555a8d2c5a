"""Bedrock's foundation models, inference profiles and deployments of custom models, by its Converse API.

In: chat completions in OpenAI's shape, whose model is the id or the ARN at Bedrock. Out: the answers in OpenAI's shape.
What Converse cannot do is refused with 400 before AWS is asked. The function's own role signs.
"""

from __future__ import annotations

from typing import Any

from foundation import aws
from providers.bedrock import calls
from providers.bedrock.answer import completion_of
from providers.bedrock.request import converse_request
from providers.entry import Entry
from providers.key import Key
from providers.listed import ListedModels
from providers.pace import Pace
from providers.patience import ask_patiently
from providers.provider import Answer


def make_provider(entry: Entry, *, key: Key, pace: Pace | None) -> Converse:  # noqa: ARG001 - it has no key
    """The provider in an entry's region."""
    return Converse(entry, pace)


class Converse(ListedModels):
    """Bedrock in one region."""

    def __init__(self, entry: Entry, pace: Pace | None) -> None:
        super().__init__(entry, "Amazon Bedrock")
        self._region, self._endpoint_url = entry.region, entry.base_url
        self._pace = pace

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        wanted = request.get("response_format")
        unfenced = isinstance(wanted, dict) and wanted.get("type") == "json_object"
        parameters = converse_request(request)

        async def attempt(seconds: float) -> dict[str, Any]:
            client = aws.bedrock_runtime(self._region, self._endpoint_url)
            answer = await calls.within(seconds, lambda: client.converse(**parameters))
            return completion_of(answer, request["model"], unfenced=unfenced)

        return await ask_patiently(attempt, self._pace, deadline_s=deadline_s, retry_s=retry_s)

    async def close(self) -> None:
        """Nothing: boto3's client keeps its connections for all."""
