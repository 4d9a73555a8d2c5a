"""A function without a router answers as the others do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from foundation import edge
from foundation.errors import Conflict, RetryLater
from foundation.routes import Routes

pytestmark = pytest.mark.usefixtures("cloud")

KEY = "Bearer sk-sh-first-0123456789abcdef"
SERVICES = Path(__file__).parents[2] / "services"


@pytest.fixture
def call(context):
    def call(serve, *, path="/v1/x/7", body="", encoded=False, headers=None):
        routes = Routes("Tests")
        routes.post("/v1/x/<number>", scope="read", status=207)(serve)
        event = {
            "rawPath": path,
            "headers": {"Authorization": KEY, "X-Own": "Kept"} if headers is None else headers,
            "requestContext": {"http": {"method": "POST"}},
            "isBase64Encoded": encoded,
            **({"body": body} if body else {}),
        }
        answer = edge.serve(event, context, routes)
        assert answer["headers"]["x-request-id"] == "test-request"
        assert answer["headers"]["Content-Type"] == "application/json"
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]

    return call


def nothing(_):
    return {}


def test_what_is_asked_and_what_is_answered(call):
    def serve(request):
        return [request.parameters["number"], request.headers["x-own"], list(request.body)]

    assert call(serve, body="AP8=", encoded=True)[:2] == (207, ["7", "Kept", [0, 255]])
    assert call(serve)[1][2] == []


@pytest.mark.parametrize(
    ("error", "status", "named"),
    [
        (Conflict("It runs.", param="status"), 409, {"x-should-retry": "false"}),
        (RetryLater("busy"), 503, {"retry-after": "2"}),
        (RuntimeError("a bug"), 500, {}),
    ],
)
def test_failures_are_shaped_as_openai_s(call, error, status, named):
    def fail(_):
        raise error

    answered, body, headers = call(fail)
    assert answered == status
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert named.items() <= headers.items()
    assert "a bug" not in str(body)


def test_a_path_that_no_route_has_is_named_with_a_remedy(call):
    status, body, _ = call(nothing, path="/v1/x/7/y")
    assert (status, body["error"]["code"]) == (404, "unknown_url")
    assert "POST /v1/x/7/y" in body["error"]["message"]
    assert "/openapi.json describes each" in body["error"]["message"]


def test_nobody_is_answered_without_a_key(call):
    assert call(nothing, headers={})[0] == 401


def test_a_body_over_four_megabytes_is_refused(call):
    assert call(nothing, body="x" * (edge.MAX_BODY + 1))[0] == 413


@pytest.mark.parametrize("heavy", ["pydantic", "aws_lambda_powertools"])
def test_the_ingest_starts_without_what_takes_long_to_import(heavy):
    code = f"import sys; sys.path.insert(0, sys.argv[1]); import capture.handler; assert {heavy!r} not in sys.modules"
    subprocess.run([sys.executable, "-I", "-c", code, str(SERVICES)], check=True)
