"""No answer is larger than Lambda lets through, 6,291,556 bytes as serialized: pages end earlier, and the walk goes on.
A single object that is too large comes by a link, so that nothing that was taken cannot be read.
Most tests are about a limit of a twentieth, so that they are about bytes and do not take long.
"""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from evals.files import File, file_key
from foundation import blobs, edge, http, table
from providers.openai_compatible import OpenAICompatible
from tests.flow.system import System
from tests.hostile import acts
from tests.hostile import walls as limits

pytestmark = pytest.mark.usefixtures("walls")


@pytest.fixture
def twentieth(monkeypatch: pytest.MonkeyPatch) -> None:
    """All limits of answers, Lambda's too, are a twentieth."""
    monkeypatch.setattr(limits, "LARGEST_ANSWER", limits.LARGEST_ANSWER // 20)
    monkeypatch.setattr(edge, "MAX_ANSWER", limits.LARGEST_ANSWER - 5_000)
    monkeypatch.setattr(http, "MOST_OF_ITEMS", limits.LARGEST_ANSWER - 10_000)


def followed(system: System, path: str) -> Any:
    """What a client has that follows a redirect, as OpenAI's SDK does."""
    status, answer = system.call("GET", path)
    if status == 303:
        return json.loads(linked(system.headers["location"]))
    assert status == 200, (status, answer)
    return answer


def linked(url: str) -> bytes:
    """What lies behind a link."""
    return blobs.get(urlsplit(url).path.removeprefix("/bucket").removeprefix("/"))


def walked(system: System, path: str, limit: int = 100) -> list[str]:
    """The ids of a list, page by page."""
    seen: list[str] = []
    after = ""
    for _ in range(40):
        page = followed(system, f"{path}{'&' if '?' in path else '?'}limit={limit}{after}")
        seen += [object_["id"] for object_ in page["data"]]
        if not page["has_more"]:
            return seen
        after = f"&after={page['last_id']}"
    raise AssertionError("the list does not end")


def pushed(system: System, *records: dict[str, Any]) -> None:
    """A push of more than 4 MB comes packed."""
    body = gzip.compress(json.dumps(list(records)).encode())
    status, answer = system.call("POST", "/v1/captures", body, headers={"content-encoding": "gzip"})
    assert (status, answer.get("refused")) == (202, []), answer
    while system.deliver("RECORD"):
        pass


@pytest.mark.usefixtures("twentieth")
def test_a_list_of_completions_weighs_what_it_echoes(system: System) -> None:
    tool = {"type": "function", "function": {"name": "f", "description": "d" * 10_000}}
    records = [acts.record(f"chatcmpl-{number:02d}", request={"tools": [tool]}) for number in range(40)]
    pushed(system, *records)
    assert walked(system, "/v1/chat/completions") == [f"chatcmpl-{number:02d}" for number in range(40)]


@pytest.mark.usefixtures("twentieth")
def test_a_list_weighs_an_answer_as_it_is_serialized(system: System) -> None:
    """A quote is escaped twice: once in the JSON of the body, once around it. Three answers of 65 kB are 390 kB."""
    records = [acts.record(f"chatcmpl-{number}", answer='"' * 32_500) for number in range(6)]
    pushed(system, *records)
    assert len(walked(system, "/v1/chat/completions")) == 6


@pytest.mark.usefixtures("twentieth")
def test_a_list_of_messages_is_cut_by_its_bytes(system: System) -> None:
    messages = [{"role": "user", "content": '"' * 3_000} for _ in range(30)]
    pushed(system, acts.record("chatcmpl-long", request={"messages": messages}))
    assert len(walked(system, "/v1/chat/completions/chatcmpl-long/messages")) == 30


@pytest.mark.usefixtures("twentieth")
def test_a_list_of_output_items_is_cut_by_its_bytes(system: System) -> None:
    rows = [{"item": {"reference": "yes", "text": "t" * 6_000}, "sample": {"output_text": "yes"}} for _ in range(60)]
    key = file_key("file-large")
    lines = b"\n".join(json.dumps(row).encode() for row in rows)
    blobs.put(key, lines)
    File(id="file-large", created_at=1, bytes=len(lines), filename="rows", purpose="evals", key=key).create()
    source = {"type": "jsonl", "source": {"type": "file_id", "id": "file-large"}}
    run = acts.graded(system, acts.new_eval(system), source)
    assert run["result_counts"]["passed"] == 60
    assert len(walked(system, f"/v1/evals/{run['eval_id']}/runs/{run['id']}/output_items")) == 60


def test_one_output_item_of_any_size_can_be_read(system: System) -> None:
    row = {"item": {"reference": "yes", "text": '"' * 3_500_000}, "sample": {"output_text": "yes"}}
    lines = json.dumps(row).encode()
    key = file_key("file-large")
    blobs.put(key, lines)
    File(id="file-large", created_at=1, bytes=len(lines), filename="rows", purpose="evals", key=key).create()
    run = acts.graded(
        system, acts.new_eval(system), {"type": "jsonl", "source": {"type": "file_id", "id": "file-large"}}
    )
    if run["status"] == "failed":
        assert acts.explained(run["error"])
        return
    items = f"/v1/evals/{run['eval_id']}/runs/{run['id']}/output_items"
    (name,) = walked(system, items)
    assert followed(system, f"{items}/{name}")["datasource_item"] == row["item"]


@pytest.mark.usefixtures("twentieth")
def test_a_list_of_runs_is_cut_by_its_bytes(system: System) -> None:
    eval_id = acts.new_eval(system)
    source = acts.inline({**acts.ROW, "item": {"reference": "yes", "text": "t" * 9_500}})
    made = [
        system.ok("POST", f"/v1/evals/{eval_id}/runs", {"name": f"{n}", "data_source": source})["id"] for n in range(36)
    ]
    assert walked(system, f"/v1/evals/{eval_id}/runs") == made


@pytest.mark.usefixtures("twentieth")
@pytest.mark.parametrize("query", ["", "?order_by=updated_at"])
def test_a_list_of_evals_is_cut_by_its_bytes(query: str, system: System) -> None:
    large = {**acts.CHECK, "name": "n" * 6_000}
    for _ in range(30):
        acts.new_eval(system, large)
    assert len(walked(system, f"/v1/evals{query}")) == 30


@pytest.mark.usefixtures("twentieth")
def test_a_list_of_files_is_cut_by_its_bytes(system: System) -> None:
    name = "😀" * 500
    rows: list[table.Row] = []
    for number in range(170):
        file = File(id=f"file-{number}", created_at=1, bytes=1, filename=name, purpose="evals", key=f"files/{number}")
        rows.append({"pk": "FILE", "sk": file.id, **file.model_dump(exclude={"expires_at"})})
        rows.append({"pk": "LIST#FILE", "sk": f"{1:010d}#{file.id}", "id": file.id})
    table.write_all(rows)
    assert len(walked(system, "/v1/files", limit=10_000)) == 170


def response(number: int, previous: str | None, size: int) -> dict[str, Any]:
    request: dict[str, Any] = {"model": "gpt-4o", "input": f"{number}" * size}
    if previous:
        request["previous_response_id"] = previous
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "yes"}]}
    answer = {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 1_790_000_000 + number,
        "model": "gpt-4o",
        "status": "completed",
        "output": [message],
    }
    return {"request": request, "response": answer}


@pytest.mark.usefixtures("twentieth")
def test_a_response_with_all_its_items_can_be_read_and_exported(system: System) -> None:
    previous = None
    for number in range(4):
        pushed(system, response(number, previous, 165_000))
        previous = f"resp_{number}"
    for number in range(4):
        assert followed(system, f"/v1/chat/completions/resp_{number}")["id"] == f"resp_{number}"
    assert walked(system, "/v1/chat/completions") == [f"resp_{number}" for number in range(4)]


@pytest.mark.usefixtures("twentieth")
def test_an_export_gets_past_a_line_of_any_size(system: System) -> None:
    previous = None
    for number in range(4):
        pushed(system, response(number, previous, 165_000))
        previous = f"resp_{number}"
    pushed(system, acts.record("chatcmpl-last", response={"created": 1_790_009_999}))
    lines, after = list[dict[str, Any]](), ""
    for _ in range(12):
        status, text = system.call("GET", f"/v1/exports/completions?{after}")
        assert status == 200, text
        lines += map(json.loads, text.splitlines())
        if "x-stillhouse-after" not in system.headers:
            break
        after = f"after={system.headers['x-stillhouse-after']}"
    whole = [json.loads(linked(line["url"])) if line.get("object") == "completion.link" else line for line in lines]
    assert [line["response"]["id"] for line in whole] == [*(f"resp_{number}" for number in range(4)), "chatcmpl-last"]
    sizes = [line["bytes"] for line in lines if "bytes" in line]
    assert sizes
    assert min(sizes) > 300_000


@pytest.mark.usefixtures("twentieth")
def test_usage_by_a_tag_of_many_values_is_cut_or_refused(system: System) -> None:
    tags = [dict.fromkeys(("a", "b", "c"), f"{number}" + "😀" * 500) for number in range(60)]
    pushed(system, *(acts.record(f"c{number}", metadata=own) for number, own in enumerate(tags)))
    status, answer = system.call("GET", "/v1/usage?group_by=metadata.a,metadata.b,metadata.c")
    assert (status, answer["error"]["code"], answer["error"]["param"]) == (400, "too_many_groups", "group_by")
    assert system.call("GET", "/v1/usage?group_by=model")[0] == 200


def test_an_answer_of_a_provider_that_is_too_large_is_said_and_captured(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(*_: Any, **__: Any) -> Any:
        return acts.record("chatcmpl-large", answer="x" * 6_500_000)["response"]

    monkeypatch.setattr(OpenAICompatible, "_ask", ask)
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": "much"}], "store": True}
    status, answer = system.call("POST", "/v1/chat/completions", request)
    assert (status, answer["error"]["code"]) == (502, "answer_too_large")
    assert "/v1/chat/completions/chatcmpl-large " in answer["error"]["message"]
    assert system.headers["x-should-retry"] == "false"
    while system.deliver("RECORD"):
        pass
    stored = followed(system, "/v1/chat/completions/chatcmpl-large")
    assert stored["choices"][0]["message"]["content"] == "x" * 6_500_000
