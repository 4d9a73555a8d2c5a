"""Prices that a provider was added with: for the models that it lists, and for others that no list has."""

from __future__ import annotations

from typing import Any

import pytest

from providers import prices
from providers.entry import Entry
from providers.own_prices import OwnPrices
from providers.prices import cost_nanodollars, is_priced, training_nanodollars
from providers.saved import SavedProvider
from providers.usage import ModelUsage
from tests.cloud import Cloud

ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghij12"


@pytest.fixture(autouse=True)
def added(cloud: Cloud) -> None:
    assert cloud
    costs: dict[str, Any] = {
        ARN: {"input": "1", "cached_input": "0.25", "output": "4", "training": "9"},
        "unlisted": {"input": "2", "output": "8"},
        "gpt-4o": {"input": "77", "output": "77"},
    }
    entry = Entry(kind="bedrock", models=[ARN], prices=OwnPrices(as_of="2026-11", models=costs))
    SavedProvider(id="nova", created_at=1, updated_at=1, entry=entry).create()
    SavedProvider(id="free", created_at=1, updated_at=1, entry=Entry(base_url="http://x/v1")).create()
    prices.forget()


def cost(model: str) -> int | None:
    used = ModelUsage(model_name=model, invocation_count=1, prompt_tokens=3, cached_tokens=1, completion_tokens=1)
    return cost_nanodollars([used])


def test_a_listed_model_costs_what_its_provider_was_added_with() -> None:
    assert cost(ARN) == cost(f"nova/{ARN}") == 2 * 1_000 + 250 + 4_000
    assert training_nanodollars(ARN) == 9_000


def test_another_model_does_where_no_list_has_it() -> None:
    assert cost("unlisted") == 3 * 2_000 + 8_000
    assert cost("nova/unlisted") == 3 * 2_000 + 8_000
    assert cost("gpt-4o") == 2 * 2_500 + 1_250 + 10_000
    assert cost("nova/gpt-4o") == 4 * 77_000
    assert (is_priced("unlisted"), is_priced("nowhere")) == (True, False)


def test_the_dates_of_all_prices_are_told() -> None:
    assert prices.as_of().endswith("; the provider nova: 2026-11")
    assert prices.as_of().startswith("20")
