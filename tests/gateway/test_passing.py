"""One base URL for an application: what is no chat completion goes to the model's provider, as it is, and back."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from openai import OpenAI

import gateway.handler
from gateway import passing
from tests.api.keys import key_with
from tests.api.sdk import client_of
from tests.flow.system import FakeContext, System
from tests.gateway.conftest import listed
from tests.gateway.provider import Further, Said, Scripted

PATHS = [route.path for route in passing.router.declared]
BINARY = bytes(range(256)) * 4


def say(script: Scripted, body: Any, status: int = 200, kind: str = "application/json", **headers: str) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    script.answers = [Said(status, sent, {"content-type": kind, **headers})]


def form(model: str | None, content: bytes = BINARY, *, boundary: str = "b-1") -> bytes:
    parts = [
        b'content-disposition: form-data; name="file"; filename="model"\r\ncontent-type: audio/wav\r\n\r\n' + content
    ]
    if model is not None:
        parts.append(b'Content-Disposition: form-data; name="model"\r\n\r\n' + model.encode())
    parts.append(b'Content-Disposition: form-data; name="prompt"\r\n\r\nmodel')
    ends = b"--" + boundary.encode()
    return b"".join(ends + b"\r\n" + part + b"\r\n" for part in parts) + ends + b"--\r\n"


def sent(system: System, path: str, body: Any, kind: str = "application/json", **options: Any) -> tuple[int, Any]:
    return system.call("POST", path, body, headers={"content-type": kind}, **options)


@pytest.mark.parametrize("path", PATHS)
def test_a_request_arrives_byte_by_byte_and_so_does_its_answer(path: str, system: System, provider: Scripted) -> None:
    say(provider, {"said": [1, 2.50]}, **{"x-should-retry": "false"})
    body = b'{"model": "m",  "input": "\xc3\xa9", "store": true, "unknown": 1.0}'
    assert sent(system, path, body) == (200, {"said": [1, 2.5]})
    assert provider.received == [(path, "application/json", body)]
    assert system.headers["x-should-retry"] == "false"
    assert listed(system) == []


def test_a_form_goes_whole_to_the_provider_of_its_model(system: System, provider: Scripted, further: Further) -> None:
    [beta] = further(beta=["whisper"]).values()
    kind = 'multipart/form-data; charset=utf-8; boundary="b-1"'
    for model, script, name in (("whisper", beta, "whisper"), ("beta/tts", beta, "tts"), ("other", provider, "other")):
        assert sent(system, "/v1/audio/transcriptions", form(model), kind)[0] == 200
        assert script.received.pop() == ("/v1/audio/transcriptions", kind, form(name))


def test_a_model_in_a_file_is_no_models_name(system: System, provider: Scripted, further: Further) -> None:
    [beta] = further(beta=["whisper"]).values()
    inner = b'--b-2\r\nContent-Disposition: form-data; name="model"\r\n\r\nbeta/x\r\n--b-2--'
    assert sent(system, "/v1/images/edits", form(None, inner), "multipart/form-data; boundary=b-1")[0] == 200
    assert (len(provider.received), beta.received) == (1, [])


def test_a_form_of_nothing_but_boundaries_is_read_once() -> None:
    started = time.process_time()
    assert passing._of_form(b"--b-1\r\nx: y\r\n" * 100_000, "b-1")[0] is None
    assert time.process_time() - started < 10, "read once for each boundary, it would take hours"


def test_a_json_body_is_addressed_by_its_model_too(system: System, provider: Scripted, further: Further) -> None:
    [beta] = further(beta=None).values()
    sent(system, "/v1/embeddings", {"model": "beta/embed", "input": ["a"]})
    sent(system, "/v1/moderations", {"input": "a"})
    assert beta.asked == [{"model": "embed", "input": ["a"]}]
    assert beta.keys == ["Bearer key-of-beta"]
    assert provider.asked == [{"input": "a"}]


def test_the_sdk_gets_embeddings_speech_and_transcripts(system: System, provider: Scripted) -> None:
    client: OpenAI
    with client_of(system, key=key_with("infer")) as client:
        vector = {"object": "embedding", "index": 0, "embedding": [0.25, -1.0]}
        say(provider, {"object": "list", "data": [vector], "model": "m", "usage": {"prompt_tokens": 1}})
        made = client.embeddings.create(model="m", input="a", encoding_format="float")
        assert made.data[0].embedding == [0.25, -1.0]
        say(provider, BINARY, kind="audio/mpeg")
        assert client.audio.speech.create(model="tts", voice="alloy", input="a").read() == BINARY
        say(provider, b"what was said", kind="text/plain")
        text: Any = client.audio.transcriptions.create(model="w", file=("a.wav", BINARY), response_format="text")
        assert "what was said" in str(text)
        assert BINARY in provider.received[-1][2]


def test_refusals_and_outages_are_the_providers_and_are_asked_for_once(system: System, provider: Scripted) -> None:
    for status in (400, 404, 429, 500):
        say(provider, {"error": {"message": "no", "code": "its_own"}}, status, **{"retry-after": "7"})
        answered, refusal = sent(system, "/v1/embeddings", {"model": "m", "input": "a"})
        assert (answered, refusal["error"]["code"], system.headers["retry-after"]) == (status, "its_own", "7")
    assert len(provider.asked) == 4


def test_an_answer_that_no_function_can_give_is_an_error(system: System, provider: Scripted) -> None:
    say(provider, b"\xff" * 4_700_000, kind="audio/wav")
    status, refusal = sent(system, "/v1/audio/speech", {"model": "m", "input": "a", "voice": "v"})
    assert (status, refusal["error"]["code"]) == (502, "answer_too_large")


@pytest.mark.parametrize(
    ("body", "kind", "param"),
    [
        (b'{"model": 7}', "application/json", "model"),
        (b'{"model": ""}', "application/json", "model"),
        (b'{"model": "%s"}' % (b"x" * 300), "application/json", "model"),
        (form("x" * 300), "multipart/form-data; boundary=b-1", "model"),
        (b"[]", "application/json", None),
        (b"\xff", "application/json", None),
        (BINARY, "audio/wav", None),
    ],
)
def test_what_names_no_model_soundly_reaches_nobody(
    body: bytes, kind: str, param: str | None, system: System, provider: Scripted
) -> None:
    status, refusal = sent(system, "/v1/audio/translations", body, kind)
    assert (status, refusal["error"]["param"]) == (400, param)
    assert provider.received == []


def test_the_gateways_own_url_lists_models_and_names_the_base_url_of_the_rest(
    system: System, provider: Scripted
) -> None:
    provider.models = ["lab-small"]
    where = {"method": "GET", "path": "/v1/models"}
    event = {
        "rawPath": where["path"],
        "headers": {"authorization": f"Bearer {key_with('infer')}"},
        "requestContext": {"http": where, "stage": "$default", "domainName": "x.lambda-url.us-east-1.on.aws"},
    }
    answer = gateway.handler.http_entry(event, FakeContext())
    assert [model["id"] for model in json.loads(answer["body"])["data"]] == ["lab-small"]
    event["rawPath"] = where["path"] = "/v1/evals"
    answer = gateway.handler.http_entry(event, FakeContext())
    refusal = json.loads(answer["body"])["error"]
    assert (answer["statusCode"], refusal["code"]) == (404, "unknown_url")
    assert "GET /v1/evals" in refusal["message"]
    assert "https://api.test/v1" in refusal["message"]
    event["rawPath"] = where["path"] = "/v1/batches"
    message = json.loads(gateway.handler.http_entry(event, FakeContext())["body"])["error"]["message"]
    assert "make it there, with the provider's own base URL and key" in message
    assert system
