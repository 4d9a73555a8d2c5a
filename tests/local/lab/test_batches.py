import json
import time

import openai
import pytest
from openai.types import Batch

from tests.local.lab.conftest import mail


def line(name, model="lab-small", text="the invoice is wrong", **fields):
    body = {"model": model, "messages": mail(text)}
    return {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body, **fields}


@pytest.fixture
def batch(sdk):
    def create(lines, **fields):
        content = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()
        file = sdk.files.create(file=("in.jsonl", content), purpose="batch")
        asked = {"input_file_id": file.id, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        return sdk.batches.create(**{**asked, **fields})

    return create


@pytest.fixture
def ended(sdk):
    def wait(batch_id):
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            seen = sdk.batches.retrieve(batch_id)
            if seen.status in {"completed", "failed", "cancelled"}:
                return seen
            time.sleep(0.01)
        pytest.fail(f"{batch_id} is still {seen.status}")

    return wait


def contents(sdk, file_id):
    return {answer["custom_id"]: answer for answer in map(json.loads, sdk.files.content(file_id).text.splitlines())}


def test_a_batch_answers_as_the_endpoint_does(sdk, ask, batch, ended):
    texts = ["the invoice is wrong", "where is my parcel", "my password"]
    made = batch([line(f"row-{number}", text=text) for number, text in enumerate(texts)], metadata={"intent": "x"})
    seen = ended(made.id)
    assert (seen.status, seen.metadata, seen.error_file_id) == ("completed", {"intent": "x"}, None)
    assert seen.request_counts.model_dump() == {"total": 3, "completed": 3, "failed": 0}
    answers = contents(sdk, seen.output_file_id)
    for number, text in enumerate(texts):
        response = answers[f"row-{number}"]["response"]
        assert response["status_code"] == 200
        assert response["body"]["choices"][0]["message"]["content"] == ask("lab-small", text)


def test_a_refused_request_lies_in_the_other_file_and_leaves_the_rest(sdk, batch, ended):
    seen = ended(batch([line("good"), line("bad", model="nobody")]).id)
    assert seen.request_counts.model_dump() == {"total": 2, "completed": 1, "failed": 1}
    assert set(contents(sdk, seen.output_file_id)) == {"good"}
    refused = contents(sdk, seen.error_file_id)["bad"]["response"]
    assert (refused["status_code"], refused["body"]["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("lines", "number"), [([line("a"), "{"], 2), ([line("a"), line("a")], 2), ([line("a", url="/v1/x")], 1)]
)
def test_a_bad_line_fails_the_batch_and_is_named(batch, ended, lines, number):
    seen = ended(batch(lines).id)
    assert seen.status == "failed"
    assert seen.errors.data[0].line == number


def test_batches_are_listed_newest_first_in_openais_shape(sdk, lab, batch, ended):
    ids = [batch([line("a")]).id for _ in range(3)]
    ended(ids[-1])
    assert [batch.id for batch in sdk.batches.list(limit=2)] == ids[::-1]
    Batch.model_validate(lab.get(f"/v1/batches/{ids[0]}").json(), strict=True)
    assert lab.get("/lab/calls").json()["batches"] == 3


def test_a_batch_that_was_canceled_keeps_what_it_answered(sdk, batch, ended):
    made = batch([line(f"row-{number}") for number in range(400)])
    sdk.batches.cancel(made.id)
    seen = ended(made.id)
    assert seen.status == "cancelled"
    assert seen.request_counts.completed < 400


def test_what_is_not_there_is_refused(sdk, upload):
    with pytest.raises(openai.NotFoundError):
        sdk.batches.retrieve("batch_x")
    file_id = upload(b"{}")
    with pytest.raises(openai.BadRequestError, match="purpose 'batch'"):
        sdk.batches.create(input_file_id=file_id, endpoint="/v1/chat/completions", completion_window="24h")
