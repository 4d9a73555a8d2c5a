"""Keys in Secrets Manager: seen within a minute when they are rotated, and at once when the old one is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from foundation import aws
from foundation.loop import run
from providers import ProviderRefused
from providers.key import KnownKey, SecretKey
from providers.openai_compatible import OpenAICompatible
from tests.cloud import Cloud


@pytest.fixture
def secret(cloud: Cloud) -> Iterator[str]:
    assert cloud
    yield aws.secretsmanager().create_secret(Name="rotated", SecretString="sk-old\n")["ARN"]
    aws.secretsmanager().delete_secret(SecretId="rotated", ForceDeleteWithoutRecovery=True)


def rotate(secret: str) -> None:
    aws.secretsmanager().put_secret_value(SecretId=secret, SecretString="sk-new")


def at(key: SecretKey, seconds: list[float]) -> SecretKey:
    key._held._clock = lambda: seconds[0]
    return key


def test_a_rotated_key_is_seen_within_a_minute(secret: str) -> None:
    seconds = [0.0]
    key = at(SecretKey(secret), seconds)
    assert key.text() == "sk-old"
    rotate(secret)
    assert key.text() == "sk-old"
    seconds[0] += 55
    assert key.text() == "sk-new"


def test_a_refused_key_is_read_again_and_not_for_each_of_many_calls(secret: str, cloud: Cloud) -> None:
    seconds = [0.0]
    key = at(SecretKey(secret), seconds)
    reads: list[int] = []
    cloud.on(aws.secretsmanager(), "before-call.secrets-manager.GetSecretValue", lambda **_: reads.append(1))
    assert key.text() == "sk-old"
    seconds[0] += 6
    assert [key.is_other_than("sk-old") for _ in range(20)] == [False] * 20
    assert len(reads) == 2
    rotate(secret)
    seconds[0] += 6
    assert key.is_other_than("sk-old")
    assert not KnownKey("sk-old").is_other_than("sk-old")


def test_a_key_that_was_rotated_a_moment_ago_costs_no_call(secret: str) -> None:
    """The old key is refused from then on, and a row of an eval that is refused is errored for good."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.headers["Authorization"])
        return web.json_response({"choices": []}, status=200 if asked[-1] == "Bearer sk-new" else 401)

    async def work() -> Any:
        app = web.Application()
        app.router.add_post("/chat/completions", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider = OpenAICompatible(base_url=f"http://127.0.0.1:{runner.addresses[0][1]}", key=key)
        try:
            return [await refused_or_not(provider, rotated=rotated) for rotated in (False, True)]
        finally:
            await provider.close()
            await runner.cleanup()

    async def refused_or_not(provider: OpenAICompatible, *, rotated: bool) -> int:
        if rotated:
            rotate(secret)
            seconds[0] += 6
        try:
            await provider.complete({"model": "m"}, deadline_s=5)
        except ProviderRefused as refusal:
            return refusal.status
        return 200

    seconds = [0.0]
    key = at(SecretKey(secret), seconds)
    assert run(work()) == [401, 200]
    assert asked == ["Bearer sk-old", "Bearer sk-old", "Bearer sk-new"]
