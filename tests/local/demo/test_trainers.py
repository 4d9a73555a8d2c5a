"""Whom the demo lets train, and what is there before the loop starts."""

import time

import httpx2
import pytest

from local.demo import at_aws, trainers
from local.demo.waiting import DemoFailed
from tests.fakes import QWEN


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


def test_the_lab_needs_nothing_and_an_unknown_trainer_is_refused_with_the_known_ones(around):
    lab = trainers.chosen("default")(around())
    assert (lab.student, lab.prepare()) == ("lab-small", 0)
    with pytest.raises(DemoFailed, match="use one of default, bedrock, sagemaker, file"):
        trainers.chosen("moon")


def test_the_provider_is_added_once_and_waited_for_then(fake, around, told):
    bedrock = trainers.chosen("bedrock")(around())
    assert bedrock.student == "bedrock/amazon.nova-micro-v1:0"
    assert bedrock.prepare() > time.monotonic() + 50
    assert fake.providers == [{"name": "bedrock", "kind": "bedrock", "models": ["amazon.nova-micro-v1:0"]}]
    assert trainers.chosen("bedrock")(around(student="small")).prepare() == 0
    assert len(fake.providers) == 1
    assert told == [
        ("http://fakes/fakes/bases", {"amazon.nova-micro-v1:0": "lab-small"}),
        ("http://fakes/fakes/bases", {"amazon.nova-micro-v1:0": "small"}),
    ]


def test_the_base_is_served_by_the_example_before_its_provider_is_added(fake, around, stand):
    stand.order("timing", {"deployment": 0})
    sagemaker = trainers.chosen("sagemaker")(around(fakes_url=stand.url))
    assert sagemaker.prepare() > time.monotonic() + 50
    url = f"{stand.url}/sagemaker-runtime/endpoints/student/inference-components/student/openai/v1"
    assert fake.providers == [{"name": "qwen", "kind": "sagemaker", "models": [QWEN], "base_url": url}]
    [component] = stand.context.records.all("inference-component")
    assert component.own["lab_model"] == "lab-small"


def test_a_base_that_cannot_be_served_ends_the_demo_in_its_words(around, stand, monkeypatch):
    monkeypatch.setattr(at_aws.SageMaker, "base", "moon")
    with pytest.raises(DemoFailed, match="Hub content moon does not exist"):
        trainers.chosen("sagemaker")(around(fakes_url=stand.url)).prepare()
