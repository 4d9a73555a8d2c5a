"""What the suites find on the stack under the ids that they name, others of every shape, and spares to delete.

All completions are older than any other, so that a list begins with them. The models that the suites ask for are
schooled at the lab, through the lab's own endpoint.
"""

from __future__ import annotations

import http.client
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import uuid4

from local.stack.info import StackInfo

FIXED_ID = "completion_id"
RESPONSE_ID = "resp_677efb5139a88190b512bc3fef8e535d"
JOB_ID = "ft-AF1WoRqd3aJAHsqc9NY7iL8F"
MODEL = "gpt-6-astra"
_MODELS = (MODEL, "model")
_SPARES = 200
_OLDEST = 1_000_000_000

_PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/parcel.png"}}
_CALL = {"id": "call_1", "type": "function", "function": {"name": "track", "arguments": '{"parcel": 7}'}}
_REQUEST: dict[str, Any] = {
    "model": MODEL,
    "messages": [
        {"role": "system", "content": "Answer in one sentence."},
        {"role": "user", "content": [{"type": "text", "text": "Where is it?"}, _PICTURE]},
        {"role": "assistant", "content": None, "tool_calls": [_CALL]},
        {"role": "tool", "content": "in Berne", "tool_call_id": "call_1"},
    ],
    "temperature": 0.5,
    "seed": 7,
    "user": "user-1",
}
_EVAL: dict[str, Any] = {
    "name": "conformance",
    "data_source_config": {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True},
    "testing_criteria": [
        {
            "type": "string_check",
            "name": "says so",
            "input": "{{ sample.output_text }}",
            "reference": "{{ item.answer }}",
            "operation": "eq",
        }
    ],
}
_ROWS = [
    {"item": {"answer": "yes"}, "sample": {"output_text": answer, "model": MODEL, "finish_reason": "stop"}}
    for answer in ("yes", "no")
]
_RUN: dict[str, Any] = {
    "name": "conformance",
    "data_source": {"type": "jsonl", "source": {"type": "file_content", "content": _ROWS}},
}
_FORM = """--x\r
Content-Disposition: form-data; name="purpose"\r
\r
{}\r
--x\r
Content-Disposition: form-data; name="file"; filename="rows.jsonl"\r
Content-Type: application/octet-stream\r
\r
{}\r
--x--\r
"""
_ROW = '{"item": {}}'
_EXAMPLE = '{"messages": [{"role": "user", "content": "yes?"}, {"role": "assistant", "content": "yes"}]}'
_BY_HAND = "file"
"""The trainer of all jobs: it waits for a person, so that none trains while the suite looks."""
_OK = 200
_USAGE = {"prompt_tokens": 40, "completion_tokens": 5, "total_tokens": 45}
_MESSAGES: list[dict[str, Any]] = [
    {"role": "assistant", "content": "It is in Berne.", "refusal": None, "annotations": []},
    {"role": "assistant", "content": None, "refusal": "I cannot tell."},
    # As other servers and OpenAI's own stored completions have them: null for what there is not.
    {"role": "assistant", "content": "It is in Berne.", "tool_calls": None, "function_call": None, "audio": None},
    {"role": "assistant", "content": None, "tool_calls": [_CALL]},
    {"role": "assistant", "content": "It is in Berne.", "annotations": None},
]


_SAID = {"type": "output_text", "text": "In Berne.", "annotations": [], "logprobs": []}
_RESPONSE: dict[str, Any] = {
    "object": "response",
    "created_at": _OLDEST,
    "model": MODEL,
    "status": "completed",
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [_SAID]},
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}


class Api(ABC):
    """The HTTP API that suites ask, and the lab behind it."""

    lab: SplitResult

    @abstractmethod
    def call(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """One request; its status, headers and body."""

    def json(self, method: str, path: str, body: Any = None) -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        status, _, answer = self.call(method, path, raw, {"content-type": "application/json"})
        assert status < 300, (status, answer)
        return json.loads(answer)


class Stack(Api):
    """That of a running stack, with its key."""

    def __init__(self, info: StackInfo) -> None:
        base = urlsplit(info.api_url)
        self._host, self._path = base.netloc, base.path
        self._key = info.api_key
        self.lab = urlsplit(info.lab_url)

    def call(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        given = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        return _request(self._host, method, self._path + path, body, {**given, "authorization": f"Bearer {self._key}"})


class Seeded:
    """The API's own ids for those that the suites name; what they delete or cancel is another each time."""

    def __init__(self, stack: Api) -> None:
        for model in _MODELS:
            _school(stack, model)
        self._stack = stack
        self._spares = _completions(stack)
        self._responses = _responses(stack)
        self._eval_id = self._new_eval()
        self._run_id = self._new_run()
        self._await_end()
        first, _ = stack.json("GET", f"{self._runs}/{self._run_id}/output_items")["data"]
        self._ids = {
            "eval_id": self._eval_id,
            "run_id": self._run_id,
            "output_item_id": first["id"],
            "file_id": self._new_file(),
            "response_id": RESPONSE_ID,
        }
        self._training_file = self._new_file("fine-tune", _EXAMPLE)
        self._ids[JOB_ID] = self._new_job()
        self._new_run()
        self._new_eval()

    def path(self, method: str, path: str) -> str:
        """The path that a suite's request goes to."""
        steps = path.split("/")
        names = dict(self._ids)
        if method == "DELETE":
            names |= self._doomed(steps[-1])
        if method == "POST" and steps[-2:] in (["runs", "run_id"], ["run_id", "cancel"]):
            names["run_id"] = self._canceled()
        if method == "POST" and steps[-1] == "cancel":
            names[JOB_ID] = self._new_job()
        return "/".join(names.get(step, step) for step in steps)

    def query(self, path: str, query: str) -> str:
        """The query of a list: after the first one of its kind. No run stays queued for long: those that ended do."""
        kind = path.rsplit("/", 1)[-1]
        first = {
            "completions": FIXED_ID,
            "messages": f"{FIXED_ID}-0",
            "evals": self._eval_id,
            "runs": self._run_id,
            "output_items": self._ids["output_item_id"],
            "files": self._ids["file_id"],
            "jobs": self._ids[JOB_ID],
            "input_items": f"{RESPONSE_ID}-0",
        }
        return query.replace("after=after", f"after={first.get(kind)}").replace("status=queued", "status=completed")

    def body(self, path: str, body: bytes) -> bytes:
        """What is sent: a response that asks for nothing asks for what every provider needs, a model and an input.

        A job trains on a file that is there, by hand.
        """
        if path == "/fine_tuning/jobs" and body:
            there = {"training_file": self._training_file, "trainer": _BY_HAND}
            return json.dumps(json.loads(body) | there).encode()
        asked = json.loads(body) if path == "/responses" else {"model": MODEL}
        return body if "model" in asked else json.dumps({**asked, "model": MODEL, "input": "yes"}).encode()

    def end(self) -> None:
        """Cancel the jobs that wait for a person: open ones keep the clock of the stack going."""
        for job in self._stack.json("GET", "/fine_tuning/jobs?limit=100")["data"]:
            if job["training_file"] == self._training_file and job["state"] != "cancelled":
                self._stack.call("POST", f"/fine_tuning/jobs/{job['id']}/cancel", b"", {})

    def _doomed(self, name: str) -> dict[str, str]:
        match name:
            case "completion_id":
                return {name: self._spares.pop()}
            case name if name == RESPONSE_ID:
                return {name: self._responses.pop()}
            case "eval_id":
                return {name: self._new_eval()}
            case "run_id":
                return {name: self._new_run()}
            case _:
                return {name: self._new_file()}

    @property
    def _runs(self) -> str:
        return f"/evals/{self._eval_id}/runs"

    def _new_eval(self) -> str:
        return str(self._stack.json("POST", "/evals", _EVAL)["id"])

    def _new_run(self) -> str:
        return str(self._stack.json("POST", self._runs, _RUN)["id"])

    def _new_job(self) -> str:
        asked = {"model": MODEL, "training_file": self._training_file, "trainer": _BY_HAND}
        return str(self._stack.json("POST", "/fine_tuning/jobs", asked)["id"])

    def _new_file(self, purpose: str = "evals", line: str = _ROW) -> str:
        form = _FORM.format(purpose, line).encode()
        status, _, answer = self._stack.call(
            "POST", "/files", form, {"content-type": "multipart/form-data; boundary=x"}
        )
        assert status == _OK, answer
        return str(json.loads(answer)["id"])

    def _await_end(self) -> None:
        wait_until(lambda: self._stack.json("GET", f"{self._runs}/{self._run_id}")["status"] == "completed")

    def _canceled(self) -> str:
        """A run that was canceled in time: canceling it again is no error, and a run of one row ends at once."""
        while True:
            run_id = self._new_run()
            status, _, _ = self._stack.call("POST", f"{self._runs}/{run_id}/cancel", b"", {})
            if status == _OK:
                return run_id


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "the stack does not come to it"
        time.sleep(0.1)


def _completions(stack: Api) -> list[str]:
    """Push all completions, wait until each can be read; the ids of the spares."""
    records = [_record(FIXED_ID if not number else f"chatcmpl-shape-{number}", number) for number in range(5)]
    spares = [f"chatcmpl-spare-{uuid4().hex}" for _ in range(_SPARES)]
    records += [_record(name, 5 + number) for number, name in enumerate(spares)]
    batch = stack.json("POST", "/captures", records)["batch_id"]
    wait_until(lambda: stack.json("GET", f"/captures/{batch}")["status"] == "recorded")
    return spares


def _responses(stack: Api) -> list[str]:
    """Push the response that is read and those that are deleted, wait until they can be read; the ids of the latter."""
    spares = [f"resp_{uuid4().hex}" for _ in range(_SPARES // 10)]
    request = {"model": MODEL, "instructions": "Be brief.", "input": "Where is it?", "store": True}
    records = [{"request": request, "response": {**_RESPONSE, "id": name}} for name in (RESPONSE_ID, *spares)]
    batch = stack.json("POST", "/captures", records)["batch_id"]
    wait_until(lambda: stack.json("GET", f"/captures/{batch}")["status"] == "recorded")
    return spares


def _school(stack: Api, model: str) -> None:
    examples = [{"messages": _said(text), "answer": text} for text in ("yes", "no")]
    lesson = json.dumps({"id": model, "examples": examples}).encode()
    status, _, answer = _request(stack.lab.netloc, "POST", "/lab/models", lesson, {"content-type": "application/json"})
    assert status == _OK, answer


def _record(name: str, number: int) -> dict[str, Any]:
    message = _MESSAGES[number % len(_MESSAGES)]
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
    if not number:
        choice["logprobs"] = None
    response: dict[str, Any] = {
        "id": name,
        "created": _OLDEST + number,
        "model": MODEL,
        "choices": [choice],
        "usage": _USAGE if number % 2 == 0 else None,
        "system_fingerprint": "fp_1" if number % 2 == 0 else None,
        "service_tier": None,
    }
    return {"request": _REQUEST, "response": response, "metadata": {"suite": "conformance"}}


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _request(
    host: str, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()
