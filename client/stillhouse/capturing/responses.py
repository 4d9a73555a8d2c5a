"""`client.responses` of a wrapped client.

In: the SDK's calls, all of which go to the provider. Out: `create`, `parse` and `stream` are shown to a `Call` where
they say `store=True`, since the provider stores by default: what a call does not say is no wish to capture it. The
request is not changed. A response in the background ends after its call and is not captured.
"""

from __future__ import annotations

from typing import Any

from openai import AsyncOpenAI, OpenAI

from stillhouse.capturing.completions import Recorder

_CREATE = "/responses"


def watch_responses(responses: Any, client: OpenAI | AsyncOpenAI, recorder: Recorder) -> None:
    """Put the recorder before this one resource's `_post`, through which every way to create leads."""
    provider: Any = client.post

    def post(path: str, **request: Any) -> Any:
        call = recorder.begin_response(client.base_url.host, request) if path == _CREATE else None
        answer = provider(path, **request)
        if call is not None:
            call.answered(answer)
        return answer

    async def async_post(path: str, **request: Any) -> Any:
        call = recorder.begin_response(client.base_url.host, request) if path == _CREATE else None
        answer = await provider(path, **request)
        if call is not None:
            call.answered(answer)
        return answer

    vars(responses)["_post"] = post if isinstance(client, OpenAI) else async_post
