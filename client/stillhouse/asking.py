"""One request of the command line to Stillhouse, and its answer.

In: Stillhouse's URL, up to /v1, and the key in STILLHOUSE_API_KEY. Out: the JSON object that came back. Raises Stopped
with one sentence where Stillhouse refuses, naming the field, or cannot be reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlencode

from openai import APIStatusError, HttpxBinaryResponseContent, OpenAI, OpenAIError

from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import key_of

_RETRIES = 3
_A_PAGE = 100


def fetched(to: str, path: str) -> bytes:
    """The bytes behind an address, or behind the link that it gives."""
    key = key_of("STILLHOUSE_API_KEY")
    try:
        with OpenAI(base_url=to.rstrip("/"), api_key=key, max_retries=_RETRIES) as client:
            return client.get(path, cast_to=HttpxBinaryResponseContent).content
    except APIStatusError as error:
        raise _refused(error) from error
    except OpenAIError as error:
        raise Stopped(f"Stillhouse cannot be reached: {error}") from error


def asked(to: str, method: Literal["GET", "POST", "DELETE"], path: str, body: Any = None) -> dict[str, Any]:
    """The answer to one request."""
    key = key_of("STILLHOUSE_API_KEY")
    try:
        with OpenAI(base_url=to.rstrip("/"), api_key=key, max_retries=_RETRIES) as client:
            match method:
                case "GET":
                    answer = client.get(path, cast_to=object)
                case "DELETE":
                    answer = client.delete(path, cast_to=object)
                case "POST":
                    answer = client.post(path, cast_to=object, body=body)
    except APIStatusError as error:
        raise _refused(error) from error
    except OpenAIError as error:
        raise Stopped(f"Stillhouse cannot be reached: {error}") from error
    if not isinstance(answer, dict):
        raise Stopped(f"{to} is no Stillhouse API")
    return answer


def every(to: str, path: str, wanted: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """Each object of a list that `wanted` narrows, page by page on demand."""
    query: dict[str, Any] = {"limit": _A_PAGE, **(wanted or {})}
    while True:
        page = asked(to, "GET", f"{path}?{urlencode(query)}")
        yield from page["data"]
        if not page["has_more"]:
            return
        query["after"] = page["last_id"]


def _refused(error: APIStatusError) -> Stopped:
    told = error.body if isinstance(error.body, dict) else {}
    return Stopped(f"{error.status_code}: {told.get('message') or error.message}")
