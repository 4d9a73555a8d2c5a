"""The cases of `tests/data/shapes/` that a wrapper can meet, as calls: what is asked, and the bytes of the answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.client.doubles import completion, events

SHAPES = Path("tests/data/shapes")
_MESSAGES = [{"role": "user", "content": "hi"}]
_JSON, _STREAM = "application/json", "text/event-stream"


class Call(NamedTuple):
    """One call of an application. `request` has the call's name as its `user`."""

    name: str
    path: str
    request: dict[str, Any]
    kind: str
    body: bytes
    case: dict[str, Any]

    def expected(self) -> Any:
        """The stored response as the case has it; None where the case has none, or is left out."""
        known = self.case.get("expected") if self.case["door"] in {"answer", "stream", "response"} else None
        return json.loads(json.dumps(known).replace("-@", f"-{self.name}"))


def calls() -> list[Call]:
    """Chat completions, streams and responses; a response comes whole, and in the last event of a stream.

    Cases of the graders and of the training file are messages, which become an answer. What only an importer can meet,
    an export of another system, is not here.
    """
    cases = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(SHAPES.glob("*.json"))}
    return [call for name, case in cases.items() for call in _calls(name, case)]


def _calls(name: str, case: dict[str, Any]) -> list[Call]:
    given = case["given"]
    match case["door"]:
        case "answer":
            return [_chat(name, case, _JSON, given["$json"].replace("-@", f"-{name}").encode())]
        case "sample":
            return [_chat(name, case, _JSON, _answer(given))]
        case "training line":
            return [_chat(name, case, _JSON, _answer(given["message"]), **given["request"])]
        case "stream":
            body = given["$json"].encode() if isinstance(given, dict) else b"".join(events(*given))
            return [_chat(name, case, _STREAM, body, stream=True)]
        case "response":
            return [_response(name, case), _response(f"{name}-streamed", case, stream=True)]
    return []


def _answer(message: dict[str, Any]) -> bytes:
    whole = completion()
    whole["choices"][0]["message"] = message
    return json.dumps(whole).encode()


def _chat(name: str, case: dict[str, Any], kind: str, body: bytes, **request: Any) -> Call:
    asked = {"model": "big", "messages": _MESSAGES, "user": name, "store": True, **request}
    return Call(name, "/v1/chat/completions", asked, kind, body, case)


def _response(name: str, case: dict[str, Any], *, stream: bool = False) -> Call:
    asked = {"model": "big", "input": "hi", "user": name, "store": True}
    body = case["given"]["$json"].replace("-@", f"-{name}")
    if not stream:
        return Call(name, "/v1/responses", asked, _JSON, body.encode(), case)
    begun = 'event: response.created\ndata: {"type": "response.created", "response": {"output": []}}\n\n'
    ended = f'event: response.completed\ndata: {{"type": "response.completed", "response": {body}}}\n\n'
    return Call(name, "/v1/responses", {**asked, "stream": True}, _STREAM, (begun + ended).encode(), case)
