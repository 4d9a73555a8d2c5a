"""When a foundation model ends, as Bedrock says it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from foundation import aws
from providers.bedrock.lifecycle import end_of, foundation_model
from tests.cloud import CREDENTIALS

NOVA = "amazon.nova-lite-v1:0"
ARN = f"arn:aws:bedrock:us-east-1::foundation-model/{NOVA}"


@pytest.fixture
def bedrock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    aws.bedrock.cache_clear()
    with Stubber(aws.bedrock("eu-west-1")) as stubber:
        yield stubber
    aws.bedrock.cache_clear()


@pytest.mark.parametrize(
    "name",
    [NOVA, f"us.{NOVA}", f"global.{NOVA}", ARN, f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{NOVA}"],
)
def test_profiles_and_arns_stand_for_their_model(name: str) -> None:
    assert foundation_model(name) == NOVA


@pytest.mark.parametrize(
    ("lifecycle", "end"),
    [
        ({"status": "LEGACY", "endOfLifeTime": datetime(2027, 3, 4, 23, 30, tzinfo=UTC)}, "2027-03-04"),
        ({"status": "ACTIVE"}, None),
        (None, None),
    ],
)
def test_a_model_ends_when_its_lifecycle_says_so(bedrock: Stubber, lifecycle: Any, end: str | None) -> None:
    details = {"modelArn": ARN, "modelId": NOVA, **({"modelLifecycle": lifecycle} if lifecycle else {})}
    bedrock.add_response("get_foundation_model", {"modelDetails": details}, {"modelIdentifier": NOVA})
    assert end_of(NOVA, "eu-west-1") == end


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "ValidationException"])
def test_what_is_no_foundation_model_has_no_end(bedrock: Stubber, code: str) -> None:
    bedrock.add_client_error("get_foundation_model", code)
    assert end_of("abcdefghij12", "eu-west-1") is None
