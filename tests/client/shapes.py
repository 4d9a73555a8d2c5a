"""The cases of the corpus that a provider can answer to a call: what is asked, and the bytes of the answer."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from tests.client.doubles import completion, events
from tests.shapes import CALLS, Case, cases

_MESSAGES = [{"role": "user", "content": "hi"}]
_JSON, _STREAM = "application/json", "text/event-stream"


class Call(NamedTuple):
    """One call of an application. `request` has the call's name as its `user`; `mark` is what stands in its ids."""

    name: str
    path: str
    request: dict[str, Any]
    kind: str
    body: bytes
    case: Case
    mark: str

    def expected(self) -> Any:
        """The stored response as the case has it; None where the case has none, or is left out."""
        return self.case.end(self.mark) if self.case.door not in {"sample", "training line"} else None

    def pieces(self) -> list[bytes]:
        """The body, cut within each character that has several bytes, as a network may cut it."""
        return re.split(rb"(?=[\x80-\xbf])", self.body)


def calls(door: str = "") -> list[Call]:
    """Chat completions, streams and responses; a response comes whole, and in the last event of a stream.

    Cases of the graders and of the training file are messages, which become an answer. What only an importer can meet,
    an export of another system, is not here. `door` is a part of each call's ids.
    """
    return [call for name, case in cases(*CALLS).items() for call in _calls(name, case, f"{door}{name}")]


def _calls(name: str, case: Case, mark: str) -> list[Call]:
    match case.door:
        case "answer":
            return [_chat(name, case, mark, _JSON, case.text(mark).encode())]
        case "sample":
            return [_chat(name, case, mark, _JSON, _answer(case.given, mark))]
        case "training line":
            answer = _answer(case.given["message"], mark)
            return [_chat(name, case, mark, _JSON, answer, **case.given["request"])]
        case "stream":
            given = case.given if isinstance(case.given, dict) else json.loads(case.text(mark))
            body = case.text(mark).encode() if given is case.given else b"".join(events(*given))
            return [_chat(name, case, mark, _STREAM, body, stream=True)]
        case "response":
            return [_response(name, case, mark), _response(f"{name}-streamed", case, f"{mark}-streamed", stream=True)]
        case "response stream":
            return [_call_of(name, case, mark, case.text(mark), stream=True)]
    raise AssertionError(case.door)


def _answer(message: dict[str, Any], mark: str) -> bytes:
    whole = {**completion(), "id": f"chatcmpl-{mark}"}
    whole["choices"][0]["message"] = {"role": "assistant", **message}
    return json.dumps(whole).encode()


def _chat(name: str, case: Case, mark: str, kind: str, body: bytes, **request: Any) -> Call:
    asked = {"model": "big", "messages": _MESSAGES, "user": name, "store": True, **request, **case.request}
    return Call(name, "/v1/chat/completions", asked, kind, body, case, mark)


def _response(name: str, case: Case, mark: str, *, stream: bool = False) -> Call:
    body = case.text(mark)
    if stream:
        begun = 'event: response.created\ndata: {"type": "response.created", "response": {"output": []}}\n\n'
        body = f'{begun}event: response.completed\ndata: {{"type": "response.completed", "response": {body}}}\n\n'
    return _call_of(name, case, mark, body, stream=stream)


def _call_of(name: str, case: Case, mark: str, body: str, *, stream: bool) -> Call:
    asked = {"model": "big", "input": "hi", "user": name, "store": True, **({"stream": True} if stream else {})}
    kind = _STREAM if stream else _JSON
    return Call(name, "/v1/responses", {**asked, **case.request}, kind, body.encode(), case, mark)
