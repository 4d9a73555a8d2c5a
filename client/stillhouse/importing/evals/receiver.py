"""Write evals, files and runs to Stillhouse.

In: an SDK client of Stillhouse. Out: objects as JSON. Every POST carries an idempotency key, a digest of its body, so
a repeated request creates nothing twice. Raises Refused if Stillhouse rejects a request, Stopped if it cannot be
reached or refuses the API key.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, BinaryIO, cast

from openai import APIStatusError, OpenAI, OpenAIError

from stillhouse.importing.evals.paging import pages
from stillhouse.importing.stopped import Stopped

_UPLOAD_BYTES = 3_500_000
MOST_BYTES = 128 * 1024 * 1024
_FILES = 10_000
_KEY_REFUSED = frozenset({401, 403})
_SECONDS = 900
_PART = 1024 * 1024


class Refused(Exception):
    """Stillhouse rejected a request as invalid; `param` names the field."""

    def __init__(self, message: str, *, code: str | None, param: str | None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class Receiver:
    """The import's client; `put` uploads a large file to a presigned link."""

    def __init__(self, client: OpenAI, put: Callable[[str, BinaryIO, int], None] | None = None) -> None:
        self._client = client
        self._put = put or _put

    def evals(self) -> Iterator[dict[str, Any]]:
        with self._failures():
            yield from pages(self._client, "/evals")

    def runs(self, eval_id: str) -> Iterator[dict[str, Any]]:
        with self._failures():
            yield from pages(self._client, f"/evals/{eval_id}/runs")

    def items(self, run: dict[str, Any]) -> Iterator[dict[str, Any]]:
        with self._failures():
            yield from pages(self._client, f"/evals/{run['eval_id']}/runs/{run['id']}/output_items")

    def run(self, run: dict[str, Any]) -> dict[str, Any]:
        with self._failures():
            path = f"/evals/{run['eval_id']}/runs/{run['id']}"
            return cast("dict[str, Any]", self._client.get(path, cast_to=object))

    def create_eval(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._post("/evals", body)

    def create_run(self, eval_id: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._post(f"/evals/{eval_id}/runs", body)

    def upload(self, name: str, content: BinaryIO) -> str:
        """Upload a file of rows under this name; return its id."""
        size = content.seek(0, os.SEEK_END)
        if size > MOST_BYTES:
            raise Refused(f"{size} bytes of rows; a file has at most {MOST_BYTES}", code="too_large", param=None)
        content.seek(0)
        key = {"Idempotency-Key": _key("/files", [name, _digest(content)])}
        if size > _UPLOAD_BYTES:
            return self._by_link({"filename": name, "purpose": "evals", "bytes": size}, content, key)
        with self._failures():
            return self._client.files.create(file=(name, content), purpose="evals", extra_headers=key).id

    def file_named(self, name: str) -> str | None:
        """Return the id of the file with this name if its upload was completed, else None."""
        return self._files.get(name)

    @cached_property
    def _files(self) -> dict[str, str]:
        with self._failures():
            listed = pages(self._client, "/files", purpose="evals", limit=_FILES)
            return {file["filename"]: file["id"] for file in listed if file["status"] == "processed"}

    def _by_link(self, asked: dict[str, Any], content: BinaryIO, key: dict[str, str]) -> str:
        announced = self._post("/files/presigned", asked, key)
        try:
            self._put(announced["upload_url"], content, asked["bytes"])
        except (urllib.error.URLError, OSError) as error:
            raise Stopped(f"the upload of {asked['filename']} broke off ({type(error).__name__})") from None
        return str(announced["id"])

    def _post(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
        headers = headers or {"Idempotency-Key": _key(path, body)}
        with self._failures():
            answer = self._client.post(path, cast_to=object, body=body, options={"headers": headers})
            return cast("dict[str, Any]", answer)

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        place = str(self._client.base_url)
        try:
            yield
        except APIStatusError as error:
            known = error.body if isinstance(error.body, dict) else {}
            message = str(known.get("message") or f"status {error.status_code}")
            if error.status_code in _KEY_REFUSED:
                raise Stopped(f"{place} refuses the key: {message}") from None
            if error.status_code >= 500 or error.status_code == 429:  # noqa: PLR2004
                raise Stopped(f"{place} answers {error.status_code}: {message}") from None
            raise Refused(message, code=known.get("code"), param=known.get("param")) from None
        except OpenAIError as error:
            raise Stopped(f"{place} is away ({type(error).__name__})") from None


def _digest(content: BinaryIO) -> str:
    digest = hashlib.sha256()
    while part := content.read(_PART):
        digest.update(part)
    content.seek(0)
    return digest.hexdigest()


def _key(path: str, sent: Any) -> str:
    return hashlib.sha256(json.dumps([path, sent], sort_keys=True).encode()).hexdigest()


def _put(url: str, content: BinaryIO, size: int) -> None:
    headers = {"Content-Length": str(size), "Content-Type": "application/jsonl"}
    request = urllib.request.Request(url, data=content, headers=headers, method="PUT")  # noqa: S310 - Stillhouse's own link
    with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
        pass
