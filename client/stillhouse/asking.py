"""One request of the command line to Stillhouse, and its answer.

In: Stillhouse's URL, up to /v1; the key is that of the environment, else of the login. Out: the JSON object that came
back. Raises Stopped with one sentence where Stillhouse refuses, naming the field, or cannot be reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlencode

from openai import APIStatusError, HttpxBinaryResponseContent, Omit, OpenAI, OpenAIError, PermissionDeniedError

from stillhouse.importing.stopped import Stopped
from stillhouse.login import key_for

_RETRIES = 3
_A_PAGE = 100
_SHOWN = 200


def fetched(to: str, path: str) -> bytes:
    """The bytes behind an address, or behind the link that it gives."""
    return page(to, path, "")[0]


def page(to: str, path: str, header: str) -> tuple[bytes, str | None]:
    """The bytes behind an address, and what this header of the answer says."""
    key = key_for(to)
    try:
        with OpenAI(base_url=to.rstrip("/"), api_key=key, max_retries=_RETRIES) as client:
            answer = client.get(path, cast_to=HttpxBinaryResponseContent)
            return answer.content, answer.response.headers.get(header) if header else None
    except APIStatusError as error:
        raise _refused(error) from error
    except OpenAIError as error:
        raise Stopped(f"Stillhouse cannot be reached: {error}") from error


def try_key(to: str, key: str) -> None:
    """Raise Stopped where nothing answers at the address, or where it does not know the key. Any scope will do."""
    try:
        with OpenAI(base_url=to, api_key=key, max_retries=_RETRIES) as client:
            client.get("/chat/completions?limit=1", cast_to=object)
    except PermissionDeniedError:
        return
    except APIStatusError as error:
        raise _refused(error) from error
    except OpenAIError as error:
        raise Stopped(f"Stillhouse cannot be reached: {error}") from error


def linked(url: str) -> bytes:
    """The bytes behind a link, which needs no key and gets none: S3 refuses a request that has two kinds of proof."""
    if not url.startswith(("https://", "http://")):
        raise Stopped(f"Stillhouse answered with a link that is none: {url[:_SHOWN]}")
    try:
        with OpenAI(base_url=url, api_key="none", max_retries=_RETRIES) as client:
            answer = client.get(url, cast_to=HttpxBinaryResponseContent, options={"headers": {"Authorization": Omit()}})
            return answer.content
    except OpenAIError as error:
        raise Stopped(f"a link of Stillhouse does not answer: {error}") from error


def asked(to: str, method: Literal["GET", "POST", "PUT", "DELETE"], path: str, body: Any = None) -> dict[str, Any]:
    """The answer to one request."""
    key = key_for(to)
    try:
        with OpenAI(base_url=to.rstrip("/"), api_key=key, max_retries=_RETRIES) as client:
            match method:
                case "GET":
                    answer = client.get(path, cast_to=object)
                case "DELETE":
                    answer = client.delete(path, cast_to=object)
                case "POST":
                    answer = client.post(path, cast_to=object, body=body)
                case "PUT":
                    answer = client.put(path, cast_to=object, body=body)
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
