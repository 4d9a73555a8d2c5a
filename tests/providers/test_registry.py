"""The secret of further providers: read when it is old, and refused clearly without its content."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from foundation import aws
from foundation.loop import run
from foundation.settings import settings
from providers import Answer, ModelAmbiguous, paced_providers, providers, registry
from providers.key import KeyUnusable
from providers.openai_compatible import OpenAICompatible
from providers.registry import ProvidersMisconfigured, key_at
from tests.cloud import Cloud

ALPHA = {"base_url": "https://alpha.example/v1", "api_key": "sk-alpha-secret", "models": ["gpt-x"]}


@pytest.fixture
def secret(cloud: Cloud) -> Iterator[Callable[[Any], None]]:
    """Make the secret of further providers."""

    def store(content: Any) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        made = aws.secretsmanager().create_secret(Name="providers", SecretString=text)["ARN"]
        cloud.setenv("PROVIDERS_SECRET_ARN", made)

    registry.forget()
    yield store
    registry.forget()
    for secret in aws.secretsmanager().list_secrets()["SecretList"]:
        if secret["Name"] == "providers":
            aws.secretsmanager().delete_secret(SecretId="providers", ForceDeleteWithoutRecovery=True)


def test_without_a_secret_there_is_one_provider(cloud: Cloud) -> None:
    assert cloud
    registry.forget()
    assert providers().resolve("any/model").model == "any/model"
    assert len(providers().all()) == 1


def test_the_secret_is_read_once_a_minute(secret: Callable[[Any], None], cloud: Cloud) -> None:
    secret({"alpha": ALPHA})
    reads: list[int] = []
    cloud.on(aws.secretsmanager(), "before-call.secrets-manager.GetSecretValue", lambda **_: reads.append(1))
    for _ in range(3):
        assert providers().resolve("alpha/other").model == "other"
    assert len(reads) == 1


def test_a_model_of_two_is_ambiguous_and_one_of_one_is_not(secret: Callable[[Any], None]) -> None:
    secret({"alpha": ALPHA, "beta": {**ALPHA, "models": ["gpt-x", "gpt-y"]}})
    with pytest.raises(ModelAmbiguous, match="404") as refusal:
        providers().resolve("gpt-x")
    assert json.loads(refusal.value.body)["error"]["code"] == "model_not_found"
    assert providers().resolve("gpt-y").provider is providers().resolve("beta/any").provider
    assert providers().resolve("alpha/gpt-x").provider is not providers().resolve("beta/gpt-x").provider


WRONG = {
    "no JSON": ("sk-alpha-secret", "the whole"),
    "a list": ([ALPHA], "the whole"),
    "no URL": ({"alpha": {"api_key": "sk-alpha-secret"}}, "alpha.base_url"),
    "not a URL": ({"alpha": {**ALPHA, "base_url": "alpha sk-alpha-secret"}}, "alpha.base_url"),
    "models as text": ({"alpha": {**ALPHA, "models": "sk-alpha-secret"}}, "alpha.models"),
    "an unknown field": ({"alpha": {**ALPHA, "key": "sk-alpha-secret"}}, "alpha.key"),
    "a slash in the name": ({"al/pha": ALPHA}, "al/pha"),
    "the default's name": ({"default": ALPHA}, "default"),
    "a kind that needs no key": ({"alpha": {**ALPHA, "kind": "bedrock"}}, "alpha.kind"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_secret_says_where_and_shows_nothing(name: str, secret: Callable[[Any], None]) -> None:
    content, where = WRONG[name]
    secret(content)
    with pytest.raises(ProvidersMisconfigured) as refusal:
        providers()
    assert f"is wrong at {where}:" in str(refusal.value)
    assert "ProvidersSecretArn" in str(refusal.value)
    assert "sk-alpha-secret" not in "".join(traceback.format_exception(refusal.value))


def test_an_embedding_is_asked_of_whom_its_model_names(
    secret: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret({"alpha": ALPHA})
    asked: list[tuple[str, dict[str, Any]]] = []

    async def embed(self: OpenAICompatible, request: dict[str, Any], *, deadline_s: float, retry_s: Any) -> Answer:
        assert (deadline_s, retry_s) == (5, None)
        asked.append((self._base_url, request))
        return Answer({}, 1)

    monkeypatch.setattr(OpenAICompatible, "embed", embed)
    run(providers().embed({"model": "alpha/embedder", "input": ["a"]}, deadline_s=5))
    assert asked == [("https://alpha.example/v1", {"model": "embedder", "input": ["a"]})]


def test_limits_are_kept_by_work_that_nobody_waits_for_and_by_nobody_else(
    secret: Callable[[Any], None], cloud: Cloud
) -> None:
    secret({"alpha": {**ALPHA, "requests_per_second": 2.5, "concurrency": 7}, "beta": ALPHA})
    cloud.setenv("PROVIDER_REQUESTS_PER_SECOND", "9")
    settings.cache_clear()
    registry.forget()
    kept = [provider._pace._limits for provider in paced_providers().all()]
    assert [(provider.requests_per_second, provider.concurrency) for provider in kept] == [(9, 200), (2.5, 7), (0, 200)]
    assert [provider._pace for provider in providers().all()] == [None] * 3


def test_a_limit_below_nothing_is_refused(secret: Callable[[Any], None]) -> None:
    secret({"alpha": {**ALPHA, "concurrency": -1}})
    with pytest.raises(ProvidersMisconfigured, match="concurrency"):
        providers()


@pytest.mark.parametrize("content", ['{"key": "sk-hidden"}', ' {"OPENAI_API_KEY":"sk-hidden"}', '"sk-hidden"'])
def test_a_key_that_is_json_is_refused_with_the_remedy(content: str, cloud: Cloud) -> None:
    arn = aws.secretsmanager().create_secret(Name=f"json-{hash(content)}", SecretString=content)["ARN"]
    cloud.setenv("PROVIDER_SECRET_ARN", arn)
    registry.forget()
    with pytest.raises(KeyUnusable, match="put-secret-value") as refusal:
        key_at("default")
    assert arn in str(refusal.value)
    assert "sk-hidden" not in "".join(traceback.format_exception(refusal.value))


def test_a_key_is_taken_without_the_line_s_end(cloud: Cloud) -> None:
    arn = aws.secretsmanager().create_secret(Name="plain-key", SecretString="sk-plain\n")["ARN"]
    cloud.setenv("PROVIDER_SECRET_ARN", arn)
    registry.forget()
    assert key_at("default") == "sk-plain"


def test_a_key_is_that_of_the_provider_of_the_name(secret: Callable[[Any], None]) -> None:
    secret({"alpha": {**ALPHA, "api_key": "sk-alpha"}})
    assert (key_at("alpha"), key_at("moon")) == ("sk-alpha", "")


# ------------------------------------------------------------------ what changes


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let a minute pass for what is refreshed."""
    passed = [0.0]
    monkeypatch.setattr(registry._CONFIGURED, "_clock", lambda: passed[0])

    def minute() -> None:
        passed[0] += 60

    return minute


def put(content: Any) -> None:
    aws.secretsmanager().put_secret_value(SecretId="providers", SecretString=json.dumps(content))


def test_a_changed_secret_is_seen_within_a_minute_and_what_has_not_changed_stays(
    secret: Callable[[Any], None], later: Callable[[], None]
) -> None:
    secret({"alpha": ALPHA, "beta": {**ALPHA, "models": ["gpt-y"]}})
    before = providers()
    put({"alpha": ALPHA, "beta": {**ALPHA, "models": ["gpt-y"], "api_key": "sk-new"}, "gamma": ALPHA})
    assert providers() is before
    later()
    after = providers()
    assert after.resolve("alpha/m").provider is before.resolve("alpha/m").provider
    assert after.resolve("any").provider is before.resolve("any").provider
    assert after.resolve("gpt-y").provider is not before.resolve("gpt-y").provider
    assert after.resolve("gpt-y").provider._key.text() == "sk-new"
    assert after.resolve("gamma/m").name == "gamma"
    assert before.resolve("gamma/m").name == "default"


def test_a_secret_that_is_spoilt_keeps_the_last_good_providers_and_shows_nothing(
    secret: Callable[[Any], None], later: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    secret({"alpha": ALPHA})
    assert providers().resolve("gpt-x").name == "alpha"
    put({"alpha": {**ALPHA, "base_url": "sk-alpha-secret"}})
    later()
    assert providers().resolve("gpt-x").name == "alpha"
    assert "alpha.base_url" in caplog.text
    assert "sk-alpha-secret" not in caplog.text


def test_the_connections_of_a_replaced_provider_are_closed_once_no_call_is_under_way(
    secret: Callable[[Any], None], later: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret({"alpha": ALPHA})
    closed: list[OpenAICompatible] = []

    async def close(self: OpenAICompatible) -> None:
        closed.append(self)

    monkeypatch.setattr(OpenAICompatible, "close", close)
    replaced = providers().resolve("gpt-x").provider
    put({"alpha": {**ALPHA, "models": ["gpt-z"]}})
    later()

    async def within_a_call() -> list[OpenAICompatible]:
        assert providers().resolve("gpt-z").name == "alpha"
        return list(closed)

    assert run(within_a_call()) == []
    providers()
    assert closed == [replaced]
