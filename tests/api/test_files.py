"""Files as the SDK uploads, lists, reads and deletes them, and the lines that are refused."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from openai import BadRequestError, ConflictError, NotFoundError, OpenAI

from evals.files import File, file_key
from foundation import blobs
from foundation.ids import now
from tests.api.evals import counts, create, run
from tests.api.sdk import Transport, client_of
from tests.cloud import aws_client
from tests.flow import loop
from tests.flow.system import System

MALFORMED = Path(__file__).parents[3] / "shared" / "data" / "openai_ft_format" / "malformed"


def rows(*answers: str) -> bytes:
    lines = [{"item": {"reference": "yes"}, "sample": {"output_text": answer}} for answer in answers]
    return "\n".join(json.dumps(line) for line in lines).encode()


def upload(client: OpenAI, content: bytes, purpose: Any = "evals", name: str = "rows.jsonl", **fields: Any) -> Any:
    return client.files.create(file=(name, content), purpose=purpose, **fields)


def said(refusal: BadRequestError) -> str:
    body = refusal.body
    assert isinstance(body, dict)
    return str(body["message"])


def over(file_id: str) -> dict[str, Any]:
    return {"type": "jsonl", "source": {"type": "file_id", "id": file_id}}


def test_an_uploaded_file_is_read_back_as_it_was(client: OpenAI, system: System) -> None:
    content = '{"item": {"text":  "é --boundary"}}\r\n\r\n\t{"item": {}}\n'.encode()
    made = upload(client, content, "evals", 'a "b"/c.bin')
    assert (made.object, made.bytes, made.purpose, made.status) == ("file", len(content), "evals", "processed")
    assert made.id.startswith("file-")
    assert client.files.retrieve(made.id).model_dump() == made.model_dump()
    assert system.call("GET", f"/v1/files/{made.id}/content")[0] == 307
    link = httpx.URL(system.headers["location"])
    assert link.path.endswith(file_key(made.id))
    assert blobs.get(file_key(made.id)) == content


def test_a_run_grades_the_rows_of_a_file(client: OpenAI, system: System) -> None:
    made = upload(client, rows("yes", "no", "yes"))
    ended = run(client, system, create(client).id, over(made.id))
    assert counts(ended) == (3, 2, 1, 0)
    assert ended.data_source.source.id == made.id


def test_a_run_keeps_its_rows_though_the_file_is_deleted(client: OpenAI, system: System) -> None:
    made, eval_ = upload(client, rows("yes", "no")), create(client)
    begun = client.evals.runs.create(eval_.id, data_source=over(made.id))  # type: ignore[arg-type]
    system.deliver("PLAN")
    gone = client.files.delete(made.id)
    assert gone.model_dump() == {"id": made.id, "object": "file", "deleted": True}
    assert blobs.find(file_key(made.id)) is None
    with pytest.raises(NotFoundError):
        client.files.retrieve(made.id)
    assert client.files.list().data == []
    system.settle()
    assert counts(client.evals.runs.retrieve(begun.id, eval_id=eval_.id)) == (2, 1, 1, 0)
    with pytest.raises(NotFoundError) as refusal:
        client.evals.runs.create(eval_.id, data_source=over(made.id))  # type: ignore[arg-type]
    assert refusal.value.param == "data_source.source.id"


def test_files_are_listed_newest_first_by_purpose_and_page_by_page(client: OpenAI) -> None:
    made = [upload(client, rows("yes"), "evals", str(number)).id for number in range(3)]
    other = "file-other"
    File(id=other, created_at=now(), bytes=1, filename="t", purpose="user_data", key=file_key(other)).create()
    every = [file.id for file in client.files.list()]
    assert sorted(every) == sorted([*made, other])
    assert [file.id for file in client.files.list(order="asc", limit=1)] == every[::-1]
    assert sorted(file.id for file in client.files.list(purpose="evals", limit=1)) == sorted(made)
    assert [file.id for file in client.files.list(after=every[1], limit=10_000)] == every[2:]


def test_a_file_expires_when_it_should(client: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = upload(client, rows("yes"))
    made = upload(client, rows("yes"), expires_after={"anchor": "created_at", "seconds": 3600})
    assert made.expires_at == made.created_at + 3600
    monkeypatch.setattr("evals.files.now", lambda: now() + 3600)
    with pytest.raises(NotFoundError):
        client.files.retrieve(made.id)
    assert [file.id for file in client.files.list()] == [kept.id]


def test_a_lost_answer_makes_no_second_file(system: System) -> None:
    lost: list[httpx2.Request] = []

    def first(request: httpx2.Request) -> bool:
        lost.append(request)
        return len(lost) == 1

    with client_of(system, transport=Transport(system, lose=first), retries=2) as client:
        made = upload(client, rows("yes"))
        assert len(lost) == 2
        assert [file.id for file in client.files.list()] == [made.id]


def test_a_file_too_large_for_the_api_names_the_other_way(client: OpenAI, system: System) -> None:
    content = rows("yes") + b"\n" * (4 * 1024 * 1024)
    boundary = "x"
    body = b'--x\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n' + content + b"\r\n--x--\r\n"
    kind = {"content-type": f"multipart/form-data; boundary={boundary}"}
    status, refusal = system.call("POST", "/v1/files", body, headers=kind)
    assert (status, refusal["error"]["code"]) == (413, "request_too_large")
    assert "/v1/files/presigned" in refusal["error"]["message"]

    asked = {"filename": "big.jsonl", "purpose": "evals", "bytes": len(content)}
    announced = system.ok("POST", "/v1/files/presigned", asked)
    assert (announced["status"], announced["bytes"]) == ("uploaded", len(content))
    link = httpx.URL(announced["upload_url"])
    assert link.path.endswith(file_key(announced["id"]))
    aws_client("s3").put_object(Bucket="bucket", Key=file_key(announced["id"]), Body=content)
    assert counts(run(client, system, create(client).id, over(announced["id"]))) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (rows("yes") + b'\n{"item": {}', "invalid_json", 2),
        (rows("yes") + b'\n{"items": {}}', "invalid_row", 2),
        (b'{"item": 5}', "invalid_row", 1),
        (b'{"item": {}, "sample": {"choices": [{}]}}', "invalid_row", 1),
        (b'{"item": {}, "sample": {"usage": {"total_tokens": "many"}}}', "invalid_row", 1),
        (b'{"item": ' + b'{"a":' * 300 + b"1" + b"}" * 301, "too_deep", 1),
        (b"\n\r\n", "no_rows", None),
    ],
)
def test_a_line_that_could_be_no_row_is_refused_with_its_number(
    content: bytes, code: str, line: int | None, client: OpenAI, system: System
) -> None:
    with pytest.raises(BadRequestError) as refusal:
        upload(client, content)
    assert (refusal.value.code, refusal.value.param) == (code, "file")
    assert line is None or f"Line {line} " in refusal.value.message
    assert client.files.list().data == []
    # The same by a link, where nobody looks at the lines: the run fails with the reason, and nothing waits for ever.
    unseen = upload(client, b'{"item": {}}')
    blobs.put(file_key(unseen.id), content)
    ended = run(client, system, create(client).id, over(unseen.id))
    assert (ended.status, ended.error.code) == ("failed", code)
    assert system.dead("GRADE") == []


@pytest.mark.data
@pytest.mark.skipif(not MALFORMED.is_dir(), reason="needs ../shared/data/openai_ft_format/malformed")
def test_each_malformed_training_file_is_refused_or_mended_as_its_manifest_says_by_line(client: OpenAI) -> None:
    """None is only told of but one with too few rows, which is refused where it is to train: it may well validate."""
    wrong, became = {}, Counter[str]()
    for case in json.loads((MALFORMED / "manifest.json").read_text()):
        content = (MALFORMED / case["file"]).read_bytes()
        place = f"Line {case['line']}" if case["line"] else "The file"
        try:
            made = upload(client, content, "fine-tune", case["file"])
        except BadRequestError as refusal:
            told = {(refusal.code, place)} if said(refusal).startswith(place) else {said(refusal)}
            became["refused"] += 1
        else:
            findings = made.report["findings"]
            told = {(found["code"], f"Line {found['line']}" if found["line"] else "The file") for found in findings}
            if made.report["repaired"]:
                became["mended"] += 1
                assert blobs.get(file_key(made.id)) != content
                assert made.bytes == len(blobs.get(file_key(made.id)))
            else:
                became["too few" if made.report["warnings"] else "taken"] += 1
                assert blobs.get(file_key(made.id)) == content
        if told != ({(case["expected"], place)} if case["expected"] else set()):
            wrong[case["file"]] = told
    assert wrong == {}
    assert became == {"refused": 27, "mended": 5, "taken": 3, "too few": 1}


def chat(question: str, **answer: Any) -> bytes:
    said = {"role": "assistant", "content": "yes", **answer}
    return json.dumps({"messages": [{"role": "user", "content": question}, said]}).encode()


def test_training_examples_are_checked_by_the_trainer_that_is_named(client: OpenAI) -> None:
    weighed = json.dumps({"messages": [*json.loads(chat("one"))["messages"], *json.loads(chat("two"))["messages"]]})
    lines = chat("mail") + b"\n\n" + weighed.replace('"yes"', '"yes", "weight": 0', 1).encode()
    made = upload(client, lines, "fine-tune", extra_body={"trainer": "file"})
    assert [(found["line"], found["code"], found["level"]) for found in made.report["findings"]] == [
        (2, "blank_line", "repaired")
    ]
    assert blobs.get(file_key(made.id)) == lines.replace(b"\n\n", b"\n")
    assert client.files.retrieve(made.id).report == made.report
    with pytest.raises(BadRequestError) as refusal:
        upload(client, lines, "fine-tune", extra_body={"trainer": "bedrock"})
    assert (refusal.value.code, refusal.value.param) == ("no_counterpart", "file")
    assert said(refusal.value).startswith("Line 3, messages: ")
    with pytest.raises(BadRequestError) as refusal:
        upload(client, lines, "fine-tune", extra_body={"trainer": "nobody"})
    assert refusal.value.param == "trainer"


def test_odd_rows_are_kept_where_that_is_asked_for_and_where_too_few_would_be_left(client: OpenAI) -> None:
    lines = [chat(f"mail {number}") for number in range(11)]

    def findings(content: list[bytes], **fields: Any) -> set[tuple[str, int | None, str]]:
        made = upload(client, b"\n".join(content), "fine-tune", extra_body=fields)
        return {(found["code"], found["line"], found["level"]) for found in made.report["findings"]}

    other = chat("mail 1", content="no")
    assert findings([*lines, lines[0]]) == {("duplicate_row", 12, "repaired")}
    assert findings([*lines[:9], lines[0]]) == {("duplicate_row", 10, "warning")}
    with pytest.raises(BadRequestError) as refusal:
        findings([*lines, lines[0], other])
    assert refusal.value.code == "conflicting_target"
    assert said(refusal.value).endswith("Or upload the file with odd_rows=keep.")
    told = {("duplicate_row", 12, "warning"), ("conflicting_target", 13, "warning")}
    assert findings([*lines, lines[0], other], odd_rows="keep") == told


def test_pairs_are_taken_for_training_by_who_trains_on_pairs(client: OpenAI) -> None:
    pair = {"input": {"messages": [{"role": "user", "content": "mail"}]}}
    outputs = {name: [{"role": "assistant", "content": name}] for name in ("preferred_output", "non_preferred_output")}
    line = json.dumps({**pair, **outputs}).encode()
    made = upload(client, line, "fine-tune")
    assert (made.report["format"], made.report["errors"], made.report["rows"]) == ("openai-dpo", 0, 1)
    assert [found["code"] for found in made.report["findings"]] == ["too_few_examples"]
    with pytest.raises(BadRequestError) as refusal:
        upload(client, line, "fine-tune", extra_body={"trainer": "bedrock"})
    assert refusal.value.param == "trainer"
    with pytest.raises(BadRequestError) as refusal:
        upload(client, b"\n".join([line] + [b"{}"] * 9), "fine-tune")
    assert said(refusal.value).count("Line ") == 5
    assert said(refusal.value).endswith(" And 4 more.")


def test_a_bad_form_names_what_is_wrong(system: System) -> None:
    def form(*parts: tuple[str, str]) -> bytes:
        return "".join(
            f"--x\r\ncontent-disposition: form-data; {name}\r\n\r\n{value}\r\n" for name, value in parts
        ).encode()

    file, end = ('name="file"; filename="f"', "text"), b"--x--\r\n"
    for body, param in (
        (form(file) + end, "purpose"),
        (form(file, ('name="purpose"', "fun")) + end, "purpose"),
        (form(('name="purpose"', "evals")) + end, "file"),
        (
            form(file, ('name="purpose"', "evals"), ('name="expires_after[seconds]"', "5")) + end,
            "expires_after[seconds]",
        ),
        (b"no form", None),
        (b"", "file"),
    ):
        kind = {"content-type": "multipart/form-data; boundary=x"}
        status, refusal = system.call("POST", "/v1/files", body, headers=kind)
        assert (status, refusal["error"]["param"]) == (400, param), body
    status, _ = system.call("POST", "/v1/files", {"purpose": "evals"}, headers={"content-type": "application/json"})
    assert status == 400


@pytest.mark.parametrize(
    ("purpose", "remedy"),
    [
        ("assistants", "provider itself"),
        ("batch", "provider itself"),
        ("user_data", "provider itself"),
        ("vision", "provider itself"),
    ],
)
def test_a_purpose_that_nothing_reads_is_refused_with_what_to_do(
    purpose: str, remedy: str, client: OpenAI, system: System
) -> None:
    with pytest.raises(BadRequestError) as refusal:
        upload(client, rows("yes"), purpose)
    assert refusal.value.param == "purpose"
    assert remedy in refusal.value.message
    status, answer = system.call("POST", "/v1/files/presigned", {"filename": "a", "purpose": purpose, "bytes": 1})
    assert (status, answer["error"]["param"]) == (400, "purpose")
    assert client.files.list().data == []


def test_the_rows_of_a_distillation_cannot_be_deleted(client: OpenAI, system: System) -> None:
    loop.capture(system, "own")
    started = loop.distill(system, "own")
    system.settle()
    file_id = loop.fetched(system, started["id"])["test_file_id"]
    with pytest.raises(ConflictError) as refusal:
        client.files.delete(file_id)
    assert refusal.value.code == "file_in_use"
    assert File.find(file_id)


def test_an_upload_from_a_stream(client: OpenAI) -> None:
    made = client.files.create(file=io.BytesIO(rows("yes")), purpose="evals")
    assert made.bytes == len(rows("yes"))
    assert made.filename
