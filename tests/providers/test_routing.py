"""A model's name leads to a provider: by its version first, and never to a model that is retired."""

from __future__ import annotations

import json
from typing import Any

import pytest

from foundation.loop import run
from providers import registry
from providers.model_version import ModelVersion
from providers.openai_compatible import OpenAICompatible
from providers.provider import Answer, ProviderRefused
from providers.routing import Named, ProviderGone, Providers


class Said:
    """A provider that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def complete(self, request: dict[str, Any], **_: Any) -> Answer:
        self.asked.append(request["model"])
        return Answer({}, 1)

    async def find_model(self, name: str) -> dict[str, Any]:
        return {"id": name, "owned_by": "itself"}


def version(name: str, **fields: Any) -> ModelVersion:
    return ModelVersion(id=name, created_at=7, base="small", trainer="", **fields)


VERSIONS = {
    "ft:there": version("ft:there", provider="alpha", served_as="arn:there"),
    "ft:here": version("ft:here"),
    "ft:retired": version("ft:retired", provider="alpha", retired_at=9),
    "ft:implied": version("ft:implied", provider="bedrock", served_as="arn:implied"),
    "ft:lost": version("ft:lost", provider="gone"),
    "listed": version("listed", provider="alpha", served_as="arn:listed"),
}


def routed() -> tuple[Providers, dict[str, Said]]:
    said = {name: Said() for name in ("default", "alpha", "beta", "bedrock")}
    provided: Any = said
    made = Providers(
        Named(provided["default"], place="d"),
        {"alpha": Named(provided["alpha"], place="a"), "beta": Named(provided["beta"], frozenset({"listed"}), "b")},
        version_of=VERSIONS.get,
        implied=lambda name: Named(provided[name], place="i") if name == "bedrock" else None,
    )
    return made, said


@pytest.mark.parametrize(
    ("name", "provider", "there"),
    [
        ("ft:there", "alpha", "arn:there"),
        ("ft:here", "default", "ft:here"),
        ("ft:implied", "bedrock", "arn:implied"),
        ("listed", "alpha", "arn:listed"),
        ("beta/x", "beta", "x"),
        ("x", "default", "x"),
        ("gone/x", "default", "gone/x"),
    ],
)
def test_a_version_says_where_it_is_served_before_lists_and_prefixes_do(name: str, provider: str, there: str) -> None:
    providers, said = routed()
    run(providers.complete({"model": name}, deadline_s=1))
    assert {who: one.asked for who, one in said.items() if one.asked} == {provider: [there]}


def refusal(name: str) -> tuple[int, dict[str, Any]]:
    providers, said = routed()
    with pytest.raises(ProviderRefused) as refused:
        run(providers.complete({"model": name}, deadline_s=1))
    assert not any(one.asked for one in said.values())
    return refused.value.status, json.loads(refused.value.body)["error"]


def test_a_retired_model_answers_with_the_remedy_and_asks_nobody() -> None:
    status, error = refusal("ft:retired")
    assert (status, error["code"], error["param"]) == (404, "model_retired", "model")
    assert "'small'" in error["message"]
    assert "/repeat" in error["message"]


def test_a_version_whose_provider_is_gone_says_so() -> None:
    status, error = refusal("ft:lost")
    assert (status, error["code"]) == (404, "provider_gone")
    assert "'gone'" in error["message"]


def test_a_version_elsewhere_is_a_model_without_that_its_provider_is_asked() -> None:
    providers, _ = routed()
    found = run(providers.find_model("ft:there"))
    assert found == {"id": "ft:there", "object": "model", "created": 7, "owned_by": "alpha"}
    assert run(providers.find_model("ft:here")) == {"id": "ft:here", "owned_by": "itself"}


def test_what_is_asked_by_a_provider_s_name_is_there_or_gone() -> None:
    providers, said = routed()
    assert providers.at("alpha") is said["alpha"]
    assert [providers.place_of(name) for name in ("default", "alpha", "bedrock")] == ["d", "a", "i"]
    with pytest.raises(ProviderGone):
        providers.place_of("gone")


def test_the_models_of_aws_that_were_trained_here_need_no_provider_of_their_own(cloud: Any) -> None:
    assert cloud
    registry.forget()
    arn = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghij12"
    version("ft:nova", provider="bedrock", served_as=arn).create()
    route = registry.providers().resolve("ft:nova")
    assert (route.name, route.model, type(route.provider).__name__) == ("bedrock", arn, "Converse")
    assert registry.providers().resolve("ft:nova").provider is route.provider
    terms = registry.terms_of("ft:nova")
    assert terms
    assert (terms.provider, terms.trains_others) == ("bedrock", "unknown")
    assert isinstance(registry.providers().resolve("bedrock/x").provider, OpenAICompatible)
    registry.forget()
