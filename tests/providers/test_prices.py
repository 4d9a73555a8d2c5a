from decimal import Decimal
from types import SimpleNamespace

import pytest

from providers import prices
from providers.prices import call_usd, cost_nanodollars, is_priced, price_list, training_nanodollars
from providers.usage import ModelUsage


@pytest.fixture(autouse=True)
def listed(monkeypatch):
    """Prices by which a test can reckon by hand."""
    models = {
        "gpt-x": {"input": "2.5", "cached_input": "1.25", "output": "10", "training": "25"},
        "gpt-x-mini": {"input": "0.15", "output": "0.6"},
        "ft:gpt-x": {"input": "3.75", "cached_input": "1.875", "output": "15"},
        "tiny": {"input": "0.0005", "output": "0.0005"},
    }
    monkeypatch.setattr("providers.prices.price_list", lambda: {"batch_share": "0.5", "models": models})
    monkeypatch.setattr("providers.prices.saved_providers", list)
    prices.forget()
    yield
    prices.forget()


def used(model, prompt=0, completion=0, cached=0, **fields):
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "cached_tokens": cached}
    return ModelUsage(model_name=model, **counts, **fields)


@pytest.mark.parametrize(
    ("usage", "nanodollars"),
    [
        ([], 0),
        ([used("gpt-x")], 0),
        # A dollar for a million tokens is 1,000 nano-dollars for each.
        ([used("gpt-x", prompt=1)], 2_500),
        ([used("gpt-x", completion=1)], 10_000),
        # 1,000 * 2,500 + 200 * 10,000
        ([used("gpt-x", prompt=1_000, completion=200)], 4_500_000),
        # (1,000 - 400) * 2,500 + 400 * 1,250
        ([used("gpt-x", prompt=1_000, cached=400)], 2_000_000),
        # What was stored with more cached tokens than prompt tokens: 400 * 1,250
        ([used("gpt-x", prompt=86, cached=400)], 500_000),
        # No price of its own for cached tokens: 1,000 * 150 + 10 * 600
        ([used("gpt-x-mini", prompt=1_000, completion=10, cached=400)], 156_000),
        # 100 * 2,500 + 100 * 150
        ([used("gpt-x", prompt=100), used("gpt-x-mini", prompt=100)], 265_000),
        # Half of it by batch: 100 * 2,500 + 100 * 2,500 / 2
        ([used("gpt-x", prompt=100), used("gpt-x", prompt=100, batch=True)], 375_000),
    ],
)
def test_reckoned_by_hand(usage, nanodollars):
    assert cost_nanodollars(usage) == nanodollars


@pytest.mark.parametrize(
    ("tokens", "usd"),
    [((1_000, None, 200), 0.0045), ((1_000, 400, 0), 0.002), ((None, None, 200), None), ((1_000, None, None), None)],
)
def test_one_call_reckoned_by_hand(tokens, usd):
    assert call_usd("gpt-x-2026-01-31", *tokens) == usd
    assert call_usd("nobody", *tokens) is None


def test_calls_whose_tokens_nobody_counted_have_no_cost():
    assert cost_nanodollars([used("gpt-x", invocation_count=3)]) is None
    assert cost_nanodollars([used("gpt-x", prompt=1, invocation_count=3)]) == 2_500
    assert (is_priced("gpt-x"), is_priced("gpt-y")) == (True, False)


@pytest.mark.parametrize(("tokens", "nanodollars"), [(1, 0), (2, 1), (3, 2), (5, 2), (7, 4)])
def test_half_a_nanodollar_goes_to_the_even_side(tokens, nanodollars):
    assert cost_nanodollars([used("tiny", prompt=tokens)]) == nanodollars


def test_rounded_once_and_not_for_each_model():
    assert cost_nanodollars([used("tiny", prompt=1), used("tiny", prompt=1)]) == 1


def test_millions_of_tokens_are_exact():
    assert cost_nanodollars([used("gpt-x-mini", prompt=10**12 + 1)]) == 150 * (10**12 + 1)


@pytest.mark.parametrize(
    ("model", "each"),
    [
        ("gpt-x", 2_500),
        ("gpt-x-2024-08-06", 2_500),
        ("gpt-x-mini-2024-07-18", 150),
        ("ft:gpt-x:acme::abc", 3_750),
        ("ft:gpt-x-2024-08-06:acme:mail:abc123", 3_750),
        ("ft:gpt-x:labour::abc", 3_750),
    ],
)
def test_the_names_a_price_is_found_under(model, each):
    assert cost_nanodollars([used(model, prompt=1)]) == each


@pytest.mark.parametrize(
    "model",
    [
        "unknown",
        "gpt-x-large",
        "gpt-x-2024",
        "",
        "ft:gpt-x-mini:acme::abc",
        "ft:",
        "ft:lab-small:lab:mail:job",
        "ft:gpt-x:lab:mail:job",
        "lab-small",
    ],
)
def test_no_price_is_null_and_never_invented(model):
    assert cost_nanodollars([used(model, prompt=1)]) is None
    assert cost_nanodollars([used("gpt-x", prompt=1), used(model, prompt=1)]) is None
    assert cost_nanodollars([used(model)]) is None


@pytest.fixture
def own(monkeypatch):
    """The list as it is with the setting PRICES."""

    def listed(text):
        monkeypatch.setattr("providers.prices.settings", lambda: SimpleNamespace(PRICES=text))
        price_list.cache_clear()
        document = price_list()
        price_list.cache_clear()
        return document

    return listed


def test_the_stack_s_own_prices_come_first_and_reports_name_them(own):
    text = (
        '{"as_of": "2026-11", "models": {"gpt-4o": {"input": "1", "output": "2"}, '
        '"mine": {"input": "3", "output": "4", "training": "5"}}}'
    )
    document = own(text)
    assert document["models"]["gpt-4o"] == {"input": "1", "output": "2"}
    assert document["models"]["mine"] == {"input": "3", "output": "4", "training": "5"}
    assert document["models"]["gpt-4.1"] == own("")["models"]["gpt-4.1"]
    assert document["as_of"] == f"{own('')['as_of']}; this stack's own prices: 2026-11"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("cheap", "JSON"),
        ('{"models": {}}', "as_of"),
        ('{"as_of": "x", "models": {"mine": {"input": "1"}}}', "output"),
        ('{"as_of": "x", "models": {"mine": {"input": "-1", "output": "1"}}}', "input"),
        ('{"as_of": "x", "models": {"mine": {"input": 0.1, "output": "1"}}}', "input"),
        ('{"as_of": "x", "models": {"mine": {"input": "1", "output": "1", "per_call": "1"}}}', "per_call"),
    ],
)
def test_own_prices_that_are_none_are_refused_with_the_field(own, text, field):
    with pytest.raises(ValueError, match=field):
        own(text)


def test_a_student_of_the_lab_has_the_price_that_was_set_for_it_alone(monkeypatch):
    models = {"ft:lab-small:lab": {"input": "0.2", "output": "0.8"}, "ft:gpt-x": {"input": "3.75", "output": "15"}}
    monkeypatch.setattr("providers.prices.price_list", lambda: {"batch_share": "0.5", "models": models})
    assert cost_nanodollars([used("ft:lab-small:lab:mail:job", prompt=1)]) == 200
    assert cost_nanodollars([used("ft:gpt-x:lab:mail:job", prompt=1)]) is None


def test_training():
    assert training_nanodollars("gpt-x") == 25_000
    assert training_nanodollars("gpt-x-2024-08-06") == 25_000
    assert training_nanodollars("gpt-x-mini") is None
    assert training_nanodollars("unknown") is None


def test_the_list_itself_is_dated_and_made_of_decimal_strings(own):
    document = own("")
    assert len(document["as_of"]) == len("2026-04-30")
    for name, costs in document["models"].items():
        assert {"input", "output"} <= set(costs) <= {"input", "cached_input", "output", "training"}, name
        for price in costs.values():
            assert isinstance(price, str)
            assert Decimal(price) > 0
        assert Decimal(costs.get("cached_input", "0")) <= Decimal(costs["input"])
