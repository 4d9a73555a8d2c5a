"""What the client wrapper costs its caller per call, beside the bare SDK in the same run.

In: nothing. Out: a table on standard output. Provider and Stillhouse are small servers in a process of their own; calls
of the bare and the wrapped client take turns, so that whatever else the machine does falls on both. The wrapped client
stands before a Stillhouse that takes the pushes, one that refuses connections, and one that never answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from openai import OpenAI

from stillhouse import capture

TARGET_MS = 0.3
TEXT = "The parcel was late and the courier left no card, please tell me what to do now. " * 18
MESSAGES: Any = [{"role": "system", "content": "Answer kindly."}, {"role": "user", "content": TEXT}]
METADATA = {"app": "mail", "kind": "reply", "env": "prod"}
PIECES = 100
COLUMNS = ("overhead", "first quarter", "last quarter", "of it CPU here")


def completion(number: int) -> bytes:
    message = {"role": "assistant", "content": TEXT[:1400], "refusal": None}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
    usage = {"prompt_tokens": 400, "completion_tokens": 300, "total_tokens": 700}
    head = {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1_790_000_000, "model": "big"}
    return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


def stream(number: int) -> bytes:
    head = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "big"}
    deltas: list[dict[str, str]] = [{"content": "word "}] * PIECES + [{}]
    choices = [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"} for delta in deltas]
    return b"".join(b"data: %b\n\n" % json.dumps({**head, "choices": [one]}).encode() for one in choices) + (
        b"data: [DONE]\n\n"
    )


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP/1.1 with keep-alive, as much of it as the clients here speak."""
    number = 0
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
            body = await reader.readexactly(length)
            number += 1
            kind = "application/json"
            if "/captures" in head:
                said = json.dumps({"batch_id": f"capture_{number}", "status": "recorded", "refused": []}).encode()
            elif json.loads(body).get("stream"):
                kind, said = "text/event-stream", stream(number)
            else:
                said = completion(number)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n" % kind.encode())
            writer.write(b"content-length: %d\r\n\r\n%b" % (len(said), said))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def serve(told: Connection) -> None:
    async def run() -> None:
        servers = [await asyncio.start_server(handler, "127.0.0.1", 0) for handler in (answer, silence)]
        told.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.sleep(3600)

    asyncio.run(run())


class Times(NamedTuple):
    """Milliseconds of one call: on the clock, and of CPU in the calling thread."""

    clock: float
    cpu: float


def call(client: OpenAI, *, streamed: bool) -> Times:
    clock, cpu = time.perf_counter(), time.thread_time()
    if streamed:
        for _ in client.chat.completions.create(
            model="big", messages=MESSAGES, metadata=METADATA, store=True, stream=True
        ):
            pass
    else:
        client.chat.completions.create(model="big", messages=MESSAGES, metadata=METADATA, store=True)
    return Times((time.perf_counter() - clock) * 1000, (time.thread_time() - cpu) * 1000)


def compare(bare: OpenAI, wrapped: OpenAI, calls: int, *, streamed: bool = False) -> list[tuple[Times, Times]]:
    """Pairs of a bare and a wrapped call; who comes first takes turns too."""
    pairs: list[tuple[Times, Times]] = []
    for number in range(calls):
        if number % 2:
            first = call(bare, streamed=streamed)
            pairs.append((first, call(wrapped, streamed=streamed)))
        else:
            first = call(wrapped, streamed=streamed)
            pairs.append((call(bare, streamed=streamed), first))
    return pairs


def report(name: str, pairs: list[tuple[Times, Times]]) -> str:
    quarter = max(1, len(pairs) // 4)
    over = [wrapped.clock - bare.clock for bare, wrapped in pairs]
    columns = [
        statistics.median(bare.clock for bare, _ in pairs),
        statistics.median(over),
        statistics.median(over[:quarter]),
        statistics.median(over[-quarter:]),
        statistics.median(wrapped.cpu - bare.cpu for bare, wrapped in pairs),
    ]
    return f"{name:<24}{columns[0]:>10.3f}" + "".join(f"{one:>+15.3f}" for one in columns[1:]) + "\n"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=1000)
    calls = arguments.parse_args().calls
    logging.getLogger("stillhouse").setLevel(logging.ERROR)
    receiving, sending = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(sending,), daemon=True)
    server.start()
    up, silent = (f"http://127.0.0.1:{port}/v1" for port in receiving.recv())
    bare = OpenAI(base_url=up, api_key="k", max_retries=0)
    say = sys.stdout.write
    size = len(json.dumps(MESSAGES)) + len(completion(1))
    say(f"client wrapper, {size / 1000:.1f} kB completions: ms per call, medians of {calls} pairs of calls, one bare\n")
    say(f"and one wrapped; the overhead is the median difference in a pair, target +{TARGET_MS}\n")
    say(f"{'Stillhouse':<24}{'bare SDK':>10}" + "".join(f"{one:>15}" for one in COLUMNS) + "\n")
    cases = [
        ("takes the pushes", up, calls, False),
        ("refuses connections", "http://127.0.0.1:9/v1", calls, False),
        ("never answers", silent, calls, False),
        (f"takes them, {PIECES} chunks", up, max(1, calls // 5), True),
    ]
    with tempfile.TemporaryDirectory() as spool:
        for name, url, times, streamed in cases:
            client = OpenAI(base_url=up, api_key="k", max_retries=0)
            wrapped = capture(client, base_url=url, api_key="sk-sh-bench", spool=spool)
            compare(bare, wrapped, 20, streamed=streamed)
            say(report(name, compare(bare, wrapped, times, streamed=streamed)))
            wrapped.stillhouse.close(1)  # type: ignore[attr-defined]
    server.terminate()


if __name__ == "__main__":
    main()
