import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graders import NotGradable
from tests.graders.asking import Models, criterion, grade

SCORE = {
    "type": "score_model",
    "name": "tone",
    "model": "judge-1",
    "fence": False,
    "input": [{"role": "user", "content": "Rate: {{ sample.output_text }}"}],
}
GOOD = '{"steps": [{"description": "d", "conclusion": "c"}], "result": 0.5}'


def scored(models, **changes):
    return grade({**SCORE, **changes}, {}, {"output_text": "T"}, models)


def test_the_judge_is_asked_the_rendered_messages_and_held_to_the_schema():
    models = Models(GOOD)
    result = scored(models)
    (asked,) = models.asked
    assert asked["messages"] == [{"role": "user", "content": "Rate: T"}]
    assert asked["temperature"] == 0
    schema = asked["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == ["steps", "result"]
    assert schema["schema"]["properties"]["steps"]["items"]["required"] == ["description", "conclusion"]
    assert result.sample == {
        "model": "judge-1",
        "output": GOOD,
        "attempts": 1,
        "usage": {"total_tokens": 9},
        "steps": [{"description": "d", "conclusion": "c"}],
    }


def test_sampling_parameters_reach_the_judge_in_its_spelling():
    models = Models(GOOD)
    scored(models, sampling_params={"seed": 1, "max_completions_tokens": 9, "temperature": None, "top_p": 0.5})
    (asked,) = models.asked
    assert asked["seed"] == 1
    assert asked["top_p"] == 0.5
    assert asked["max_completion_tokens"] == 9
    assert not {"temperature", "max_completions_tokens"} & set(asked)


def test_a_parameter_given_as_null_stays_so_when_the_definition_is_stored():
    wanted = criterion({**SCORE, "sampling_params": {"temperature": None}})
    again = criterion(wanted.model_dump(mode="json"))
    assert again.sampling_params == {"temperature": None}
    assert again == wanted


def test_a_malformed_answer_is_shown_to_the_judge_and_asked_again():
    models = Models("seven", "{}", GOOD)
    result = scored(models)
    assert result.score == 0.5
    assert result.sample["attempts"] == 3
    first, second, third = models.asked
    assert second["messages"][0] == first["messages"][0]
    assert second["messages"][1] == {"role": "assistant", "content": "seven"}
    assert "steps and a number" in second["messages"][2]["content"]
    assert [message["role"] for message in third["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    assert all(asked["response_format"] == first["response_format"] for asked in models.asked)


def test_no_two_attempts_are_the_same_request():
    """Or the second would be answered with the first's stored answer."""
    models = Models("")
    with pytest.raises(NotGradable):
        scored(models)
    assert len(models.asked) == 3
    assert all(request != other for place, request in enumerate(models.asked) for other in models.asked[:place])


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "",
        "0.9",
        "[]",
        "{}",
        '{"result": true}',
        '{"result": "1"}',
        '{"result": null}',
        '{"result": Infinity}',
        '{"steps": "thinking", "result": 1}',
        '{"steps": [{"description": 1}], "result": 1}',
    ],
)
def test_an_answer_out_of_shape_is_not_gradable(answer):
    models = Models(answer)
    with pytest.raises(NotGradable, match="judge-1"):
        scored(models)
    assert len(models.asked) == 3


@pytest.mark.parametrize(
    "response", [{}, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": {"refusal": "no"}}]}]
)
def test_a_response_without_text_is_not_gradable(response):
    class Silent:
        async def complete(self, _):
            return response

    with pytest.raises(NotGradable, match="judge-1"):
        scored(Silent())


@given(result=st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_score_is_clamped_to_the_range(result):
    score = scored(Models(f'{{"steps": [], "result": {result}}}'), range=[-2, 3], pass_threshold=1)
    assert -2 <= score.score <= 3
    assert score.score == min(max(float(result), -2), 3)
    assert score.passed == (score.score >= 1)


@pytest.mark.parametrize(("between", "threshold"), [(None, 0.5), ([1, 5], 3), ([-1, 1], 0)])
def test_the_threshold_is_the_middle_of_the_range_and_recorded(between, threshold):
    wanted = criterion({**SCORE, **({"range": between} if between else {})})
    assert wanted.model_dump()["pass_threshold"] == threshold


@pytest.mark.parametrize(
    "change",
    [
        {"range": [1, 0]},
        {"range": [1, 1]},
        {"range": [0]},
        {"range": [0, 1, 2]},
        {"range": [0, float("inf")]},
        {"pass_threshold": 1.1},
        {"pass_threshold": float("nan")},
        {"input": []},
        {"input": [{"role": "user"}]},
        {"model": ""},
        {"sampling_params": {"temperature": "hot"}},
    ],
)
def test_a_wrong_definition_is_refused(change):
    with pytest.raises(ValidationError):
        criterion({**SCORE, **change})
