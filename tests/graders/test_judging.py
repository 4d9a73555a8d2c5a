"""What every judge does with its parameters, and with answers that cannot be used."""

import asyncio

import pytest
from pydantic import ValidationError

from graders import NotGradable
from providers import ProviderAway, ProviderRefused
from tests.graders.asking import Models, criterion

LABEL = {
    "type": "label_model",
    "name": "judge",
    "model": "judge-1",
    "input": [{"role": "user", "content": "Judge."}],
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}
SCORE = {"type": "score_model", "name": "judge", "model": "judge-1", "input": LABEL["input"]}
GOOD = {"label_model": '{"label": "good"}', "score_model": '{"steps": [], "result": 1}'}
both = pytest.mark.parametrize("definition", [LABEL, SCORE], ids=["label_model", "score_model"])


def graded(definition, models):
    return asyncio.run(criterion(definition).grade({}, {}, models))


class Answering:
    """Give these responses one after another; an error is raised."""

    def __init__(self, *responses):
        self.responses = list(responses)
        self.asked = []

    async def complete(self, request):
        self.asked.append(request)
        response = self.responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response


def response(content=None, *, finish_reason="stop", refusal=None, **fields):
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return {"choices": [{"finish_reason": finish_reason, "message": message}], **fields}


@both
def test_sampling_parameters_are_the_criterions_and_temperature_is_0_by_default(definition):
    models = Models(GOOD[definition["type"]])
    for parameters in (None, {"temperature": 0.7, "max_completions_tokens": 50}, {"temperature": None, "seed": 3}):
        graded({**definition, "sampling_params": parameters}, models)
    default, chosen, none = models.asked
    assert default["temperature"] == 0
    assert (chosen["temperature"], chosen["max_completion_tokens"]) == (0.7, 50)
    assert none["seed"] == 3
    assert not {"temperature", "max_completions_tokens"} & none.keys()


def refusing(status=400, about="temperature"):
    body = f'{{"error": {{"message": "Unsupported value", "param": "{about}"}}}}'.encode()
    return ProviderRefused(status, body, {})


@both
def test_a_model_that_takes_no_temperature_is_asked_without(definition):
    malformed = response("seven")
    models = Answering(refusing(), malformed, response(GOOD[definition["type"]]))
    assert graded(definition, models).passed
    assert ["temperature" in asked for asked in models.asked] == [True, False, False]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"sampling_params": {"temperature": 0}}, refusing()),
        ({}, refusing(about="model")),
        ({}, refusing(401)),
        ({}, ProviderAway(503, b"temperature", {})),
    ],
)
def test_any_other_refusal_is_passed_on(changes, refusal):
    models = Answering(refusal)
    with pytest.raises(ProviderRefused) as raised:
        graded({**LABEL, **changes}, models)
    assert raised.value is refusal


@both
@pytest.mark.parametrize(
    ("given", "code", "reason"),
    [
        (response(refusal="I will not."), "judge_refused", "I will not"),
        (response("", finish_reason="content_filter"), "judge_refused", "filtered"),
        (response('{"lab', finish_reason="length"), "judge_cut_off", "max_completions_tokens"),
    ],
)
def test_a_refusal_and_an_answer_cut_off_are_not_paid_for_again(definition, given, code, reason):
    models = Answering(given)
    with pytest.raises(NotGradable, match=reason) as raised:
        graded(definition, models)
    assert raised.value.code == code
    assert "judge-1" in str(raised.value)


def test_an_answer_that_is_whole_counts_however_it_ended():
    assert graded(LABEL, Answering(response(GOOD["label_model"], finish_reason="length"))).passed


def test_the_model_that_answered_is_shown():
    models = Answering(response(GOOD["label_model"], model="judge-1-2026-01-01", usage={"total_tokens": 3}))
    result = graded(LABEL, models).sample
    assert result["model"] == "judge-1-2026-01-01"
    assert (result["usage"], result["attempts"]) == ({"total_tokens": 3}, 1)


def test_a_criterion_names_the_models_that_it_asks():
    cosine = {
        "type": "text_similarity",
        "name": "near",
        "input": "a",
        "reference": "b",
        "evaluation_metric": "cosine",
        "pass_threshold": 0.5,
    }
    multi = {
        "type": "multi",
        "name": "all",
        "graders": {"judge": LABEL, "near": cosine},
        "calculate_output": "judge * near",
        "pass_threshold": 0.5,
    }
    assert list(criterion(LABEL).models()) == [("model", "judge-1")]
    assert list(criterion({**cosine, "evaluation_metric": "bleu"}).models()) == []
    assert list(criterion(multi).models()) == [
        ("graders.judge.model", "judge-1"),
        ("graders.near.embedding_model", "text-embedding-3-large"),
    ]


@pytest.mark.parametrize("change", [{"fence": "maybe"}, {"sampling_params": {"temperature": "hot"}}])
def test_a_wrong_definition_is_refused(change):
    with pytest.raises(ValidationError):
        criterion({**LABEL, **change})


@both
def test_a_role_that_is_none_of_openais_instructs_nobody(definition):
    asked = [{"role": "developer", "content": "Judge."}, {"role": "sytem", "content": "Well."}]
    assert [message["role"] for message in criterion({**definition, "input": asked}).input] == ["developer", "user"]


@both
@pytest.mark.parametrize(
    ("message", "named"),
    [
        ({"role": ["x"], "content": "Judge."}, "role"),
        ({"role": None, "content": "Judge."}, "role"),
        ({"role": "user", "content": None}, "content"),
        ({"role": "user", "content": [{"type": "video", "video": "x"}]}, "video"),
        ({"role": "user", "content": {"type": "input_image"}}, "image_url"),
    ],
)
def test_a_message_that_could_never_be_sent_is_refused_and_named(definition, message, named):
    with pytest.raises(ValidationError, match=named) as refused:
        criterion({**definition, "input": [message]})
    assert refused.value.errors()[0]["loc"][-1] == "input"
