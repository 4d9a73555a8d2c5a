"""Servers that the benches call, in a process of their own: a model provider that answers at once, Stillhouse's push
route, one that never answers, and a thin proxy before the provider.

HTTP/1.1 with keep-alive, as much of it as the clients of the benches speak.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web

TEXT = "The parcel was late and the courier left no card, please tell me what to do now. " * 18
MESSAGES: Any = [{"role": "system", "content": "Answer kindly."}, {"role": "user", "content": TEXT}]
METADATA = {"app": "mail", "kind": "reply", "env": "prod"}
MODEL = "big"
PIECES = 100
DELAY_S = 0.3
TOKENS = 20
TOKEN_S = 0.01


class Upstream(NamedTuple):
    """Base URLs, each ending in /v1."""

    provider: str
    silent: str
    proxy: str
    quick: str
    delayed: str
    speaking: str
    thinking: str


def completion(number: int) -> bytes:
    message = {"role": "assistant", "content": TEXT[:1400], "refusal": None}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
    usage = {"prompt_tokens": 400, "completion_tokens": 300, "total_tokens": 700}
    head = {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1_790_000_000, "model": MODEL}
    return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


def stream(number: int) -> bytes:
    head = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": MODEL}
    deltas: list[dict[str, str]] = [{"content": "word "}] * PIECES + [{}]
    choices = [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"} for delta in deltas]
    return b"".join(b"data: %b\n\n" % json.dumps({**head, "choices": [choice]}).encode() for choice in choices) + (
        b"data: [DONE]\n\n"
    )


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    number = 0
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
            body = await reader.readexactly(length)
            number += 1
            kind = "application/json"
            if "/captures" in head:
                content = json.dumps({"batch_id": f"capture_{number}", "status": "recorded", "refused": []}).encode()
            elif json.loads(body or b"{}").get("stream"):
                kind, content = "text/event-stream", stream(number)
            else:
                content = completion(number)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n" % kind.encode())
            writer.write(b"content-length: %d\r\n\r\n%b" % (len(content), content))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, first_s: float) -> None:
    """Stream every answer token by token, the first one after so many seconds, the others `TOKEN_S` apart."""
    events = stream(1).split(b"\n\n")
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            await reader.readexactly(int(head.partition("content-length:")[2].partition("\r\n")[0] or 0))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            await asyncio.sleep(first_s)
            for event in filter(None, [*events[:TOKENS], *events[-3:]]):
                writer.write(b"%x\r\n%b\n\n\r\n" % (len(event) + 2, event))
                await writer.drain()
                await asyncio.sleep(TOKEN_S)
            writer.write(b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


class Brief(asyncio.Protocol):
    """Says "yes" to everything, at once or `DELAY_S` later, with as little work as a server can have."""

    _SAID = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": MODEL,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
            "usage": {"prompt_tokens": 90, "completion_tokens": 1, "total_tokens": 91},
        }
    ).encode()
    _ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(_SAID), _SAID)

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) < length:
            return
        self._received = body[length:]
        if self._delay_s:
            asyncio.get_running_loop().call_later(self._delay_s, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._ANSWER)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def _proxy(before: str) -> int:
    """The least that a gateway can be: the body in, the body out. The port it listens on."""
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def forward(request: web.Request) -> web.Response:
        headers = {"content-type": "application/json", "authorization": request.headers.get("authorization", "")}
        async with session.post(f"{before}/chat/completions", data=await request.read(), headers=headers) as answered:
            return web.Response(status=answered.status, body=await answered.read(), content_type=answered.content_type)

    app = web.Application()
    app.router.add_post("/v1/chat/completions", forward)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port: int = runner.addresses[0][1]
    return port


def _serve(ready: Connection) -> None:
    async def run() -> None:
        servers = [await asyncio.start_server(handler, "127.0.0.1", 0) for handler in (answer, silence)]
        ports = [server.sockets[0].getsockname()[1] for server in servers]
        ports.append(await _proxy(f"http://127.0.0.1:{ports[0]}/v1"))
        for delay_s in (0.0, DELAY_S):
            server = await asyncio.get_running_loop().create_server(partial(Brief, delay_s), "127.0.0.1", 0)
            servers.append(server)
            ports.append(server.sockets[0].getsockname()[1])
        for first_s in (0.0, DELAY_S):
            server = await asyncio.start_server(partial(speak, first_s=first_s), "127.0.0.1", 0)
            servers.append(server)
            ports.append(server.sockets[0].getsockname()[1])
        ready.send(ports)
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def upstream() -> Iterator[Upstream]:
    """The servers, for the length of the block."""
    receiving, sending = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("fork").Process(target=_serve, args=(sending,), daemon=True)
    server.start()
    try:
        yield Upstream(*(f"http://127.0.0.1:{port}/v1" for port in receiving.recv()))
    finally:
        server.terminate()
        server.join()
