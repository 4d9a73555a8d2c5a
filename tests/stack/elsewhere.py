"""What the commands meet outside Stillhouse: calls that were captured elsewhere, logs, a chat, and Azure's address."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx

from local.stack.info import StackInfo
from tests.stack.conftest import REPOSITORY

PROMPT = "Answer with one word, one of: billing_refund, shipping_delay, login_access, damaged_item, order_change."
TEACHER = "recorded-teacher"
FEW = {0: {"few": "first"}, 1: {"few": "first"}, 2: {"few": "last"}, 3: {"few": "last"}}
"""A tag of what is imported from one place to another."""


def row(tag: str, number: int) -> dict[str, Any]:
    """A record of ours: what was asked, what the teacher answered, and the known right answer."""
    mails = (REPOSITORY / "examples" / "support_mail.jsonl").read_text(encoding="utf-8").splitlines()
    mail = json.loads(mails[number])
    asked = f"mail {number} of {tag}: {mail['mail']}"
    key, _, value = tag.partition("=")
    message = {"role": "assistant", "content": mail["queue"], "refusal": None}
    response = {
        "id": f"chatcmpl-{value}-{number}",
        "object": "chat.completion",
        "created": 1_790_000_000 + number,
        "model": TEACHER,
        "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 9, "total_tokens": 209},
    }
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": asked}]
    return {
        "request": {"model": TEACHER, "messages": messages},
        "response": response,
        "metadata": {key: value, "split": "test" if number >= 30 else "train", **FEW.get(number, {})},
        "reference": mail["queue"],
    }


def chat(taken: list[str]) -> type[BaseHTTPRequestHandler]:
    """What takes Slack's messages: each goes to the end of `taken`."""

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["content-length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Requests are no news."""

    return Chat


def invocation(tag: str) -> dict[str, Any]:
    """A line of Bedrock's log."""
    asked = {"messages": [{"role": "user", "content": [{"text": f"logged, {tag}"}]}]}
    message = {"role": "assistant", "content": [{"text": "yes"}]}
    usage = {"inputTokens": 4, "outputTokens": 1, "totalTokens": 5}
    answered = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 30}}
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": "2026-03-11T00:38:02Z",
        "requestId": tag,
        "operation": "Converse",
        "modelId": "anthropic.claude-3-haiku-20240307-v1:0",
        "input": {"inputContentType": "application/json", "inputBodyJson": asked},
        "output": {"outputContentType": "application/json", "outputBodyJson": answered},
    }


def azure(stack: StackInfo) -> type[BaseHTTPRequestHandler]:
    """This stack under the address that Azure's API has: `/openai/v1`."""

    class Forwards(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = stack.api_url.removesuffix("/v1") + self.path.removeprefix("/openai")
            answer = httpx.get(url, headers={"authorization": self.headers["authorization"]}, timeout=60)
            self.send_response(answer.status_code)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Requests are no news."""

    return Forwards
