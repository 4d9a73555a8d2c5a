"""Whom the demo lets train, and what is there before the loop starts."""

import time

import httpx2
import pytest

from local.demo import trainers
from local.demo.waiting import DemoFailed


@pytest.fixture
def told(monkeypatch):
    """What the fakes were told."""
    told = []

    def post(url, *, json, trust_env):
        told.append((url, json))
        assert not trust_env, "no proxy stands between two processes of one machine"
        return httpx2.Response(200, request=httpx2.Request("POST", url))

    monkeypatch.setattr(httpx2, "post", post)
    return told


def test_the_lab_needs_nothing_and_an_unknown_trainer_is_refused_with_the_known_ones():
    assert trainers.chosen("default") is None
    with pytest.raises(DemoFailed, match="use one of default, bedrock"):
        trainers.chosen("moon")


def test_the_provider_is_added_once_and_waited_for_then(fake, told):
    at_aws = trainers.chosen("bedrock")
    known_at = trainers.prepare(at_aws, fake.client(), "http://fakes", "lab-small")
    assert known_at > time.monotonic() + 50
    assert fake.providers == [{"name": "bedrock", "kind": "bedrock", "models": ["amazon.nova-micro-v1:0"]}]
    assert trainers.prepare(at_aws, fake.client(), "http://fakes", "small") == 0
    assert len(fake.providers) == 1
    assert told == [
        ("http://fakes/fakes/bases", {"amazon.nova-micro-v1:0": "lab-small"}),
        ("http://fakes/fakes/bases", {"amazon.nova-micro-v1:0": "small"}),
    ]
