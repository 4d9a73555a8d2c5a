"""What hostile tests do to the system again and again, through its public surfaces."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import boto3
import pytest

from foundation import ids
from tests.flow import loop
from tests.flow import system as flow
from tests.flow.system import CLOCK, CONSUMERS, SWEEP, FakeContext, System

CHECK: dict[str, Any] = {
    "type": "string_check",
    "name": "correct",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}
ROW: dict[str, Any] = {"item": {"reference": "yes"}, "sample": {"output_text": "yes"}}
ENDED = {"completed", "failed", "canceled", "cancelled", "blocked"}


class Patient(FakeContext):
    """The context of a function with a quarter of an hour."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def record(completion_id: str, **more: Any) -> dict[str, Any]:
    """A plain completion to push; `answer`, `choice`, `request` and `response` change its parts."""
    answer = {"role": "assistant", "content": more.pop("answer", "yes")}
    choice = {"index": 0, "finish_reason": "stop", "message": answer, **more.pop("choice", {})}
    response = {
        "id": completion_id,
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "gpt-4o",
        "choices": [choice],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
        **more.pop("response", {}),
    }
    request = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": f"question {completion_id}"}],
        **more.pop("request", {}),
    }
    return {"request": request, "response": response, **more}


def push(system: System, *records: dict[str, Any]) -> tuple[int, Any]:
    """Push these; what became readable is readable when this returns."""
    answered = system.call("POST", "/v1/captures", list(records))
    for _ in range(6):
        system.deliver("RECORD")
    return answered


def stored(system: System, *records: dict[str, Any]) -> None:
    """Push what must be taken."""
    status, answer = push(system, *records)
    assert (status, answer.get("refused")) == (202, []), answer


def together(system: System, queue: str) -> list[str]:
    """Deliver all that waits in one event, as Lambda does; the bodies of the messages that failed."""
    sqs = boto3.client("sqs")
    url = system.queues[queue]
    waiting: dict[str, dict[str, Any]] = {}
    while some := list(flow._received(sqs, url)):
        waiting |= {message["MessageId"]: message for message in some}
    records = [record for message in waiting.values() for record in flow._sqs_event(message)["Records"]]
    answer = CONSUMERS[queue]({"Records": records}, FakeContext())
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    for name, message in waiting.items():
        if name not in failed:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for name, message in waiting.items() if name in failed]


def path_of(completion_id: str, *more: str) -> str:
    return "/".join(["/v1/chat/completions", quote(completion_id, safe=""), *more])


def later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Turn the clock of everything forward."""
    module: Any = ids
    clock = module.time.time_ns
    monkeypatch.setattr(module, "time", SimpleNamespace(time_ns=lambda: clock() + seconds * 1_000_000_000))


def sweep() -> None:
    """The hourly sweep, with time enough."""
    SWEEP({}, Patient())


def tick() -> None:
    """The clock of open jobs."""
    CLOCK({}, FakeContext())


def new_eval(system: System, *criteria: dict[str, Any]) -> str:
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    body = {"data_source_config": config, "testing_criteria": list(criteria or (CHECK,))}
    return str(system.ok("POST", "/v1/evals", body)["id"])


def inline(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "jsonl", "source": {"type": "file_content", "content": list(rows or (ROW,))}, **more}


def graded(system: System, eval_id: str, data_source: dict[str, Any]) -> dict[str, Any]:
    """A run over this source after everything that is delivered for it; its document."""
    run = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"data_source": data_source})
    deliver_all(system)
    ended: dict[str, Any] = system.ok("GET", f"/v1/evals/{eval_id}/runs/{run['id']}")
    return ended


def deliver_all(system: System, *, rounds: int = 12, but: str = "") -> None:
    """Deliver until nothing waits, at most so often: a message that always fails ends in the dead letters."""
    for _ in range(rounds):
        if not sum(system.deliver(name) for name in CONSUMERS if name != but):
            return


def until(system: System, distillation_id: str, status: str) -> dict[str, Any]:
    """Deliver queue after queue until the distillation has this status."""
    for _ in range(200):
        answer = loop.fetched(system, distillation_id)
        if answer["status"] == status:
            return answer
        assert answer["status"] not in ENDED, answer
        if not any(system.deliver(name) for name in CONSUMERS):
            tick()
    raise AssertionError(f"it never came to {status}: {answer['status']}")


def upload(system: System, lines: list[dict[str, Any]]) -> tuple[int, Any]:
    """A multipart upload of JSONL."""
    content = b"\n".join(json.dumps(line).encode() for line in lines)
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nevals\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="rows.jsonl"\r\n\r\n'
        + content
        + b"\r\n--x--\r\n"
    )
    return system.call("POST", "/v1/files", parts, headers={"content-type": "multipart/form-data; boundary=x"})


def explained(error: Any) -> bool:
    """Whether an error says what and why in words."""
    return bool(isinstance(error, dict) and error.get("code") and len(error.get("message") or "") > 10)


def named(document: Any, name: str) -> list[Any]:
    """Every value under this name, however deep it lies in a document."""
    if isinstance(document, list):
        return [value for inner in document for value in named(inner, name)]
    if not isinstance(document, dict):
        return []
    own = [document[name]] if name in document else []
    return own + [value for inner in document.values() for value in named(inner, name)]


def scan_of(references: int) -> Any:
    """A scan that may look at so few references in one call, in the place of the one of lists and exports."""
    from completions.scan import Scan

    class Short(Scan):
        def __init__(self, **_: Any) -> None:
            super().__init__(references=references)

    return Short


def event_of(method: str, path: str) -> dict[str, Any]:
    """An event of a front door that has decoded the path already."""
    return flow._http_event(method, path, "", b"", {"authorization": f"Bearer {flow.KEY}"})


def answered(event: dict[str, Any]) -> tuple[int, Any]:
    answer = flow._route(event["requestContext"]["http"]["method"], event["rawPath"])(event, FakeContext())
    return int(answer["statusCode"]), json.loads(answer["body"] or "null")


def refusal(answer: Any) -> dict[str, Any]:
    """The error in an answer; one that says nothing where it is no refusal."""
    return {"param": None, "code": None, "message": "", **((answer or {}).get("error") or {})}
