"""A function without a router answers as the others do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from foundation import edge
from foundation.errors import Conflict, RetryLater

pytestmark = pytest.mark.usefixtures("cloud")

KEY = "Bearer sk-sh-first-0123456789abcdef"
SERVICES = Path(__file__).parents[2] / "services"


@pytest.fixture
def call(context):
    def call(answer, *, body="", encoded=False, headers=None):
        event = {
            "rawPath": "/v1/x",
            "headers": {"Authorization": KEY, "X-Own": "Kept"} if headers is None else headers,
            "requestContext": {"http": {"method": "PUT"}},
            "isBase64Encoded": encoded,
            **({"body": body} if body else {}),
        }
        said = edge.serve(event, context, scope="read", answer=answer)
        assert said["headers"]["x-request-id"] == "test-request"
        assert said["headers"]["Content-Type"] == "application/json"
        return said["statusCode"], json.loads(said["body"]), said["headers"]

    return call


def test_what_is_asked_and_what_is_answered(call):
    def answer(request):
        about = [request.method, request.path, request.headers["x-own"], list(request.body)]
        return edge.Answer(207, about, {"x-more": "y"})

    status, said, headers = call(answer, body="AP8=", encoded=True)
    assert (status, said, headers["x-more"]) == (207, ["PUT", "/v1/x", "Kept", [0, 255]], "y")
    assert call(answer)[1][3] == []


@pytest.mark.parametrize(
    ("error", "status", "named"),
    [
        (Conflict("It runs.", param="status"), 409, {"x-should-retry": "false"}),
        (RetryLater("busy"), 503, {"retry-after": "2"}),
        (RuntimeError("a bug"), 500, {}),
        (edge.no_route(), 404, {}),
    ],
)
def test_failures_are_shaped_as_openai_s(call, error, status, named):
    def fail(_):
        raise error

    answered, said, headers = call(fail)
    assert answered == status
    assert set(said["error"]) == {"message", "type", "param", "code"}
    assert named.items() <= headers.items()
    assert "a bug" not in str(said)


def test_nobody_is_answered_without_a_key(call):
    assert call(lambda _: edge.Answer(200, {}), headers={})[0] == 401


def test_a_body_over_four_megabytes_is_refused(call):
    assert call(lambda _: edge.Answer(200, {}), body="x" * (edge.MAX_BODY + 1))[0] == 413


@pytest.mark.parametrize("heavy", ["pydantic", "aws_lambda_powertools", "boto3"])
def test_the_ingest_starts_without_what_takes_long_to_import(heavy):
    code = f"import sys; sys.path.insert(0, sys.argv[1]); import capture.handler; assert {heavy!r} not in sys.modules"
    subprocess.run([sys.executable, "-I", "-c", code, str(SERVICES)], check=True)
