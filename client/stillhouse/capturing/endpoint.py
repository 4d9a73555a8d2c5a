"""The client for Stillhouse's captures and aliases, used by background threads and by imports.

In: a compressed batch of NDJSON, a batch id, or an alias's name. Out: what was accepted, whether it is recorded, or the
alias. Raises `Away` if a
later attempt may succeed, and `Refused` if none can.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from openai import APIStatusError, AsyncOpenAI, OpenAI, OpenAIError, Timeout

# A wrong key or path can be repaired, so it is no final failure: what was captured until then must not be lost.
_FOR_GOOD = frozenset({400, 413, 422})
_HEADERS = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
_TIMEOUT = Timeout(15, connect=3)
_ALIAS_S = 5.0
_NOT_FOUND = 404


class Away(Exception):
    """The push failed and may succeed later. `status` is 0 if there was no answer; `retry_after` is in seconds."""

    def __init__(self, reason: str, retry_after: float = 0, status: int = 0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.status = status


class Refused(Exception):
    """Stillhouse rejected the whole push; `records` has the refusal of each record, if they were checked singly."""

    def __init__(self, reason: str, status: int, records: list[dict[str, Any]]) -> None:
        super().__init__(reason)
        self.status = status
        self.records = records


@dataclass(frozen=True)
class Accepted:
    """A push that Stillhouse has stored durably."""

    batch_id: str
    refused: list[dict[str, Any]]
    accepted: int = 0
    renamed: int = 0


class Endpoint:
    """The API at one URL. Its clients are made when they are first used, since each takes a few milliseconds."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self.base_url = base_url
        self._api_key = api_key

    @cached_property
    def stored(self) -> OpenAI:
        """The client for the application's own calls about stored completions."""
        return OpenAI(base_url=self.base_url, api_key=self._api_key)

    @cached_property
    def async_stored(self) -> AsyncOpenAI:
        return AsyncOpenAI(base_url=self.base_url, api_key=self._api_key)

    @cached_property
    def _pushing(self) -> OpenAI:
        return self.stored.with_options(max_retries=0, timeout=_TIMEOUT)

    def forget_connections(self) -> None:
        """Drop the clients in a forked child: their sockets are the parent's."""
        for name in ("stored", "async_stored", "_pushing"):
            vars(self).pop(name, None)

    def push(self, body: bytes) -> Accepted:
        answer = self._ask("post", "/captures", content=body, options={"headers": _HEADERS})
        if not isinstance(answer, dict) or "batch_id" not in answer:
            raise Away("the answer is not Stillhouse's")
        counts = answer.get("accepted") or 0, len(answer.get("renamed") or [])
        return Accepted(str(answer["batch_id"]), answer.get("refused") or [], *counts)

    def recorded(self, batch_id: str, timeout: float) -> bool:
        answer = self._ask("get", f"/captures/{batch_id}", options={"timeout": timeout})
        return isinstance(answer, dict) and answer.get("status") == "recorded"

    def alias(self, name: str) -> dict[str, Any] | None:
        """The alias of this name; None if there is none. Raises Away and Refused."""
        try:
            answer = self._ask("get", f"/aliases/{quote(name, safe='')}", options={"timeout": _ALIAS_S})
        except Away as away:
            if away.status == _NOT_FOUND:
                return None
            raise
        if not isinstance(answer, dict) or answer.get("object") != "alias":
            raise Away("the answer is not Stillhouse's")
        return answer

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        try:
            return getattr(self._pushing, method)(path, cast_to=object, **request)
        except APIStatusError as error:
            reason = f"status {error.status_code}"
            if error.status_code in _FOR_GOOD:
                raise Refused(f"{reason} {_field(error.body)}", error.status_code, _records(error)) from None
            raise Away(reason, _retry_after(error), error.status_code) from None
        except (OpenAIError, ValueError) as error:
            raise Away(type(error).__name__) from None


def _field(body: object) -> str:
    """Return the error's code and field, never the field's content."""
    known = body if isinstance(body, dict) else {}
    return f"{known.get('code')} {known.get('param')}"


def _records(error: APIStatusError) -> list[dict[str, Any]]:
    with contextlib.suppress(ValueError):
        answer = error.response.json()
        refused = answer.get("refused") if isinstance(answer, dict) else None
        return refused if isinstance(refused, list) else []
    return []


def _retry_after(error: APIStatusError) -> float:
    with contextlib.suppress(ValueError):
        return float(error.response.headers.get("retry-after", 0))
    return 0
