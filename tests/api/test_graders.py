"""Graders tried by the SDK on one answer, outside of a run."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from tests.flow.system import System
from tests.gateway.provider import Said, Scripted, answer, served

CHECK = {
    "type": "string_check",
    "name": "same",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
}
SIMILAR = {**CHECK, "type": "text_similarity", "name": "near", "evaluation_metric": "fuzzy_match"}
del SIMILAR["operation"]
JSON_FIELD = {**CHECK, "input": "{{ sample.output_json.label }}"}
MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"same": CHECK, "near": SIMILAR},
    "calculate_output": "0.25 * same + 0.75 * near",
}
SOURCE = {
    "type": "python",
    "name": "length",
    "source": "def grade(sample, item):\n    return 0.1 * len(sample['output_text'])",
}
RAISES = {"type": "python", "name": "raises", "source": "def grade(sample, item):\n    return 1 / 0"}
JUDGE = {
    "type": "score_model",
    "name": "judged",
    "model": "judge",
    "input": [{"role": "user", "content": "{{ sample.output_text }}"}],
}


def run(client: OpenAI, grader: Any, sample: str = "yes", item: Any = None) -> Any:
    return client.fine_tuning.alpha.graders.run(grader=grader, model_sample=sample, item=item or {"reference": "yes"})


def flags(trial: Any) -> set[str]:
    return {name for name, value in trial.to_dict()["metadata"]["errors"].items() if value is True}


@pytest.mark.parametrize(
    ("grader", "sample", "reward"),
    [
        (CHECK, "yes", 1.0),
        (CHECK, "no", 0.0),
        (SIMILAR, "yes", 1.0),
        (JSON_FIELD, '{"label": "yes"}', 1.0),
        (MULTI, "yes", 1.0),
        (SOURCE, "yes", 0.3),
    ],
)
def test_a_grader_gives_its_reward(grader: Any, sample: str, reward: float, client: OpenAI) -> None:
    trial = run(client, grader, sample)
    assert trial.reward == pytest.approx(reward)
    assert (trial.metadata.name, trial.metadata.type) == (grader["name"], grader["type"])
    assert flags(trial) == set()


def test_the_parts_of_a_multi_are_shown(client: OpenAI) -> None:
    trial = run(client, MULTI)
    assert trial.sub_rewards == trial.metadata.scores == {"same": 1.0, "near": 1.0}


@pytest.mark.parametrize(
    ("grader", "sample", "flag"),
    [
        ({**CHECK, "input": "{{ item.missing }}"}, "yes", "invalid_variable_error"),
        (JSON_FIELD, "no JSON", "invalid_variable_error"),
        (RAISES, "yes", "python_grader_runtime_error"),
    ],
)
def test_what_cannot_be_graded_says_why(grader: Any, sample: str, flag: str, client: OpenAI) -> None:
    trial = run(client, grader, sample)
    assert (trial.reward, flags(trial)) == (0.0, {flag})
    assert trial.to_dict()["metadata"]["errors"]["message"]


def test_a_judge_is_asked_and_counted_and_its_failures_are_told(
    client: OpenAI, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(text: str, **message: Any) -> Said:
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, **message}}
        return answer(model="judge-1", choices=[choice])

    script = Scripted(said('{"steps": [], "result": 0.75}'))
    script.models = ["judge"]
    with served(script) as url:
        monkeypatch.setenv("PROVIDER_BASE_URL", url)
        trial = run(client, JUDGE)
        assert trial.reward == 0.75
        assert (trial.metadata.token_usage, trial.metadata.sampled_model_name) == (8, "judge-1")
        assert trial.api_model_grader_token_usage_per_model["judge-1"]["prompt_tokens"] == 7
        script.answers = [said("", refusal="no")]
        assert flags(run(client, JUDGE)) == {"model_grader_refusal_error"}
        script.answers = [said("hm")]
        assert flags(run(client, JUDGE)) == {"model_grader_parse_error"}
        script.answers = [Said(403, b'{"error": {"message": "not yours"}}', {})]
        trial = run(client, JUDGE)
        assert flags(trial) == {"model_grader_server_error"}
        assert "not yours" in trial.metadata.errors.api_model_grader_server_error_details
    assert system


def test_a_definition_is_validated_and_given_back_as_it_was(client: OpenAI) -> None:
    graders = client.fine_tuning.alpha.graders
    for grader in (CHECK, SIMILAR, MULTI, SOURCE):
        shown: Any = graders.validate(grader=grader).to_dict(warnings=False)  # type: ignore[arg-type]
        assert shown["grader"] == grader
    with pytest.raises(BadRequestError) as refusal:
        graders.validate(grader={**CHECK, "operation": "equals"})  # type: ignore[arg-type]
    assert refusal.value.param == "grader.operation"
    with pytest.raises(BadRequestError):
        graders.validate(grader={**SOURCE, "source": "def grade(:"})  # type: ignore[arg-type]
    with pytest.raises(NotFoundError) as missing:
        graders.validate(grader={**JUDGE, "model": "nobody"})  # type: ignore[arg-type]
    assert (missing.value.code, missing.value.param) == ("model_not_found", "grader.model")
