"""What is said of a provider that says nothing."""

from __future__ import annotations

import json

import pytest

from providers import ProviderAway, ProviderRefused
from providers.away import as_away
from providers.unanswered import as_of


def test_the_name_that_it_has_here_is_said() -> None:
    with pytest.raises(ProviderAway) as raised, as_of("acme"), as_away():
        raise TimeoutError
    said = json.loads(raised.value.body)["error"]["message"]
    assert (raised.value.provider, said) == ("acme", "The provider 'acme' did not answer: TimeoutError.")
    with pytest.raises(ProviderAway) as odd, as_of("acme"), as_away():
        raise ValueError("an odd header")
    assert (odd.value.status, odd.value.final) == (502, True)
    assert "The provider 'acme' could not be asked: ValueError." in odd.value.body.decode()


def test_without_a_name_it_is_said_without_one() -> None:
    with pytest.raises(ProviderAway) as raised, as_away():
        raise TimeoutError
    assert raised.value.provider is None
    assert b"The model provider did not answer: TimeoutError." in raised.value.body


def test_what_a_provider_said_itself_is_left_as_it_is() -> None:
    with pytest.raises(ProviderAway) as busy, as_of("acme"):
        raise ProviderAway(429, b"slow down", {}, 3.0)
    assert (busy.value.body, busy.value.provider) == (b"slow down", "acme")
    with pytest.raises(ProviderRefused) as refused, as_of("acme"):
        raise ProviderRefused(400, b"no", {})
    assert refused.value.body == b"no"
