"""The official SDK as the client of the system in process: its requests become `System.call`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2
from openai import OpenAI

from tests.flow.system import KEY, System


@dataclass
class Transport(httpx2.BaseTransport):
    """Gives each request to the system. `lose` says which answers get lost on their way back."""

    system: System
    lose: Callable[[httpx2.Request], bool] = field(default=lambda _: False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url.raw_path.decode()
        status, answer = self.system.call(request.method, url, request.read(), key=None, headers=dict(request.headers))
        if self.lose(request):
            raise httpx2.ReadError("the answer was lost", request=request)
        sent = json.dumps(answer).encode() if not isinstance(answer, str | bytes) else answer
        body = b"" if answer is None else sent.encode() if isinstance(sent, str) else sent
        headers = {name: value for name, value in self.system.headers.items() if name.lower() != "content-length"}
        return httpx2.Response(status, headers=headers, content=body, request=request)


def client_of(system: System, *, key: str = KEY, transport: Transport | None = None, retries: int = 0) -> OpenAI:
    http_client = httpx2.Client(transport=transport or Transport(system))
    return OpenAI(base_url="http://stillhouse.test/v1", api_key=key, http_client=http_client, max_retries=retries)
