"""SageMaker's endpoints: the token that stands for a key, and errors of the endpoint and of the container behind it."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs

import pytest

from foundation.loop import run
from providers import Answer, ProviderAway, ProviderRefused
from providers.entry import Entry
from providers.key import KnownKey
from providers.pace import Limits
from providers.sagemaker import BearerToken, Endpoint, make_provider
from tests.providers.runtime import Prepared, Runtime, Said

REQUEST = {"model": "qwen", "messages": [{"role": "user", "content": "ping"}], "seed": 3, "n": 2}


def endpoint(runtime: Runtime) -> Endpoint:
    entry = Entry(
        kind="sagemaker", base_url=f"{runtime.url}/endpoints/e/openai/v1", region="eu-west-1", models=["qwen"]
    )
    return make_provider(entry, key=KnownKey(), pace=None)


def complete(runtime: Runtime) -> Answer:
    provider = endpoint(runtime)

    async def work() -> Answer:
        try:
            return await provider.complete(REQUEST, deadline_s=10, retry_s=0.01)
        finally:
            await provider.close()

    return run(work())


def test_the_request_goes_to_the_container_as_it_is_with_a_token_of_the_role(runtime: Runtime) -> None:
    complete(runtime)
    [asked] = runtime.asked
    assert asked.path == "/endpoints/e/openai/v1/chat/completions"
    assert asked.body == REQUEST
    scheme, _, token = asked.headers["authorization"].partition(" ")
    assert (scheme, token.startswith("sagemaker-api-key-")) == ("Bearer", True)


def test_the_token_is_a_presigned_call(runtime: Runtime) -> None:
    assert runtime
    token = BearerToken("eu-west-1").text()
    url = base64.b64decode(token.removeprefix("sagemaker-api-key-"), validate=True).decode()
    host, _, query = url.partition("/?")
    fields = {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}
    assert host == "sagemaker.amazonaws.com"
    assert (fields["Action"], fields["Version"], fields["X-Amz-Expires"]) == ("CallWithBearerToken", "1", "900")
    assert fields["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    key_id, day, *scope = fields["X-Amz-Credential"].split("/")
    assert key_id
    assert scope == ["eu-west-1", "sagemaker", "aws4_request"]
    assert fields["X-Amz-Date"].startswith(day)
    assert fields["X-Amz-SignedHeaders"] == "host"
    assert len(fields["X-Amz-Signature"]) == 64


def test_a_token_is_signed_anew_long_before_it_ends(runtime: Runtime) -> None:
    assert runtime
    seconds = [0.0]
    token = BearerToken(None)
    token._held._clock = lambda: seconds[0]
    signed: list[str] = []
    token._held._read = lambda: signed.append("x") or f"token-{len(signed)}"
    assert [token.text(), token.text()] == ["token-1", "token-1"]
    seconds[0] += 300
    assert token.text() == "token-2"
    assert token.is_other_than("token-1")


def says(status: int, **body: Any) -> Prepared:
    return lambda _: Said(status, body)


def refused(runtime: Runtime, said: Prepared) -> ProviderRefused:
    runtime.will(said)
    with pytest.raises(ProviderRefused) as refusal:
        complete(runtime)
    return refusal.value


def test_an_error_of_the_container_comes_with_its_own_words(runtime: Runtime) -> None:
    told = {"ErrorCode": "CLIENT_ERROR_FROM_MODEL", "OriginalMessage": "too long", "message": "Received client error"}
    refusal = refused(runtime, says(424, OriginalStatusCode=400, **told))
    assert type(refusal) is ProviderRefused
    assert (refusal.status, refusal.message, refusal.code) == (424, "too long", "CLIENT_ERROR_FROM_MODEL")
    away = refused(runtime, says(424, OriginalStatusCode=503, **told))
    assert isinstance(away, ProviderAway)
    assert (away.status, away.message) == (502, "too long")


def test_errors_of_the_endpoint_are_in_openai_s_shape(runtime: Runtime) -> None:
    refusal = refused(runtime, says(400, message="Endpoint e not found."))
    assert (refusal.status, refusal.message) == (400, "Endpoint e not found.")
    away = refused(runtime, says(530, Message="dependency"))
    assert isinstance(away, ProviderAway)
    assert (away.status, away.message) == (530, "dependency")


@pytest.mark.parametrize("body", [{"error": {"message": "as it is", "code": "c"}}, {"error": "odd"}])
def test_errors_in_openai_s_shape_stay_as_they_are(runtime: Runtime, body: dict[str, Any]) -> None:
    refusal = refused(runtime, says(422, **body))
    assert refusal.status == 422
    assert refusal.message in {"as it is", "the provider answered 422"}


def test_an_endpoint_at_zero_is_away_and_says_that_it_starts(runtime: Runtime) -> None:
    said = "Inference component ftjob-1 has no capacity to process requests."
    for body in ({"error": {"message": said, "code": None}}, {"message": said}):
        away = refused(runtime, says(400, **body))
        assert isinstance(away, ProviderAway)
        assert (away.status, away.code, away.retry_after) == (503, "model_starting", 60)
        assert away.headers == {"retry-after": "60"}
    other = refused(runtime, says(400, message="the prompt has no capacity of its own", error={"message": "other"}))
    assert type(other) is ProviderRefused


def test_a_component_that_is_named_by_its_place_is_asked_there_in_the_region(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[str | None] = []

    def url(region: str | None) -> str:
        asked_for.append(region)
        return runtime.url

    monkeypatch.setattr("foundation.aws.sagemaker_runtime_url", url)
    provider = make_provider(Entry(kind="sagemaker", region="eu-west-1"), key=KnownKey(), pace=None)
    places = [f"endpoints/e/inference-components/ftjob-{number}" for number in range(52)]

    async def work() -> None:
        for place in (*places, places[-1]):
            await provider.complete({**REQUEST, "model": place}, deadline_s=10)
        await provider.close()

    run(work())
    assert [request.path for request in runtime.asked[:2]] == [
        f"/{place}/openai/v1/chat/completions" for place in places[:2]
    ]
    assert runtime.asked[0].body == {**REQUEST, "model": ""}
    assert asked_for == ["eu-west-1"] * 52
    assert len(provider._places) == 50


def test_its_pace_is_kept(runtime: Runtime) -> None:
    entry = Entry(kind="sagemaker", base_url=f"{runtime.url}/openai/v1", models=["qwen"], concurrency=3)
    assert isinstance(entry, Limits)
    paced = make_provider(entry, key=KnownKey(), pace="the pace")  # type: ignore[arg-type]
    assert paced._asked._pace == "the pace"
