import pytest

from foundation.errors import (
    ApiError,
    Conflict,
    Forbidden,
    ModelNotFound,
    NotFound,
    RetryLater,
    StillhouseError,
    TooLarge,
    Unauthorized,
)


@pytest.mark.parametrize(
    ("error", "status", "code", "param"),
    [
        (ApiError("m"), 400, None, None),
        (ApiError("m", code="c", param="p.q", status=422), 422, "c", "p.q"),
        (NotFound("eval", "eval_1", param="eval_id"), 404, "not_found", "eval_id"),
        (Conflict("m"), 409, "conflict", None),
        (TooLarge("m"), 413, None, None),
        (Unauthorized("m"), 401, None, None),
        (Forbidden("m"), 403, None, None),
        (ModelNotFound("gpt-9"), 404, "model_not_found", "model"),
    ],
)
def test_a_refusal_has_openai_s_shape(error, status, code, param):
    assert error.status == status
    body = error.body()["error"]
    assert set(body) == {"message", "type", "param", "code"}
    assert (body["code"], body["param"], body["type"]) == (code, param, "invalid_request_error")
    assert body["message"] == str(error)


def test_messages_name_the_object():
    assert "eval" in str(NotFound("eval", "gone"))
    assert "'gone'" in str(NotFound("eval", "gone"))
    assert "'gpt-9'" in str(ModelNotFound("gpt-9"))


def test_the_sdk_is_told_not_to_retry_a_conflict():
    assert Conflict("m").headers == {"x-should-retry": "false"}
    assert ApiError("m").headers == {}


def test_a_transient_failure_is_no_refusal():
    assert not issubclass(RetryLater, ApiError)
    assert issubclass(RetryLater, StillhouseError)
