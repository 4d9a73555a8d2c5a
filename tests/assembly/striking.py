"""A call of AWS that fails, as the tests need it that kill the making of a dataset at each of its calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.client
import pytest
from botocore.exceptions import EndpointConnectionError


@contextmanager
def struck(call: int, when: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The n-th call of AWS fails, before or after its effect. Gives the calls that were made."""
    calls: list[str] = []
    real = botocore.client.BaseClient._make_api_call

    def counted(self: Any, name: str, arguments: Any) -> Any:
        calls.append(name)
        if len(calls) == call and when == "before":
            raise EndpointConnectionError(endpoint_url="struck")
        answer = real(self, name, arguments)
        if len(calls) == call:
            raise EndpointConnectionError(endpoint_url="struck")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", counted)
        yield calls
