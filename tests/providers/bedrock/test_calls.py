"""AWS's errors, one by one: which are asked again, and what the caller is told."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.loop import run
from providers import Answer, ProviderAway, ProviderRefused
from providers.bedrock.converse import Converse
from providers.entry import Entry
from tests.providers.runtime import Runtime, answers, refuses

REQUEST = {"model": "amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": "ping"}]}


def complete(runtime: Runtime, region: str = "us-east-1", **fields: Any) -> Answer:
    entry = Entry(kind="bedrock", base_url=runtime.url, region=region, models=["amazon.nova-lite-v1:0"])
    return run(Converse(entry, None).complete({**REQUEST, **fields}, deadline_s=10, retry_s=0.01))


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [
        (429, "ThrottlingException", "rate_limit_exceeded"),
        (429, "ModelNotReadyException", "model_not_ready"),
        (503, "ServiceUnavailableException", "ServiceUnavailableException"),
        (408, "ModelTimeoutException", "timeout"),
        (500, "InternalServerException", "InternalServerException"),
    ],
)
def test_these_may_pass(runtime: Runtime, status: int, name: str, code: str) -> None:
    runtime.will(refuses(status, name=name))
    with pytest.raises(ProviderAway) as away:
        complete(runtime)
    assert (away.value.status, away.value.code, away.value.message, away.value.final) == (status, code, "not so", False)


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [
        (400, "ValidationException", "invalid_request"),
        (400, "ServiceQuotaExceededException", "quota_exceeded"),
        (403, "AccessDeniedException", "access_denied"),
        (404, "ResourceNotFoundException", "model_not_found"),
    ],
)
def test_these_would_not(runtime: Runtime, status: int, name: str, code: str) -> None:
    runtime.will(refuses(status, name=name), answers())
    with pytest.raises(ProviderRefused) as refusal:
        complete(runtime)
    assert type(refusal.value) is ProviderRefused
    assert (refusal.value.status, refusal.value.code, refusal.value.message) == (status, code, "not so")


def test_an_error_of_the_model_is_as_final_as_its_own_status_says(runtime: Runtime) -> None:
    runtime.will(refuses(424, originalStatusCode=400))
    with pytest.raises(ProviderRefused) as refusal:
        complete(runtime)
    assert type(refusal.value) is ProviderRefused
    assert (refusal.value.status, refusal.value.code) == (424, "model_error")
    runtime.will(refuses(424, originalStatusCode=503))
    with pytest.raises(ProviderAway) as away:
        complete(runtime)
    assert (away.value.status, away.value.code) == (502, "model_error")


def test_what_boto3_itself_refuses_is_a_400(runtime: Runtime) -> None:
    """In a region whose client the walker does not hold: it would be first."""
    with pytest.raises(ProviderRefused) as refusal:
        complete(runtime, "us-west-2", guardrailConfig={"guardrailVersion": 3})
    assert (refusal.value.status, refusal.value.code) == (400, "invalid_request")
    assert not runtime.asked


def test_the_model_is_one_step_of_the_path_and_the_role_signs(runtime: Runtime) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghij12"
    complete(runtime, model=arn)
    [asked] = runtime.asked
    assert asked.model == arn
    assert "/us-east-1/bedrock/aws4_request" in asked.headers["authorization"]
    assert asked.body == {"messages": [{"role": "user", "content": [{"text": "ping"}]}]}
