"""SageMaker's runtime: chat completions of OpenAI's shape at a component, under the path that names it.

In: a request for `/endpoints/<name>/inference-components/<name>/openai/v1/chat/completions` with a bearer token. Out:
what the container answers, the lab's model behind it. The route is in no model of botocore, so it is not held to one.
Refusals are in OpenAI's shape, as SageMaker gives them.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import parse_qs

import orjson

from local.fakes.context import Context
from local.fakes.lab import LabRefused
from local.fakes.sagemaker.serving import Serving
from local.fakes.wire import AwsError, Reply, Sent

_ROUTE = re.compile(r"/endpoints/([^/]+)/inference-components/([^/]+)/openai/v1/chat/completions")
_TOKEN = "Bearer sagemaker-api-key-"  # noqa: S105 - how a token begins
_SIGNED = {
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
}


class Runtime:
    """What answers calls of components."""

    def __init__(self, context: Context, serving: Serving) -> None:
        self._context = context
        self._serving = serving

    def reply(self, sent: Sent) -> Reply:
        route = _ROUTE.fullmatch(sent.path)
        if route is None or sent.method != "POST":
            return _refusal(404, "There is no such route.")
        if not _is_signed(sent.headers.get("authorization", "")):
            return _refusal(403, "The bearer token is not valid.")
        try:
            model = self._serving.lab_model_at(route[1], route[2])
            body = orjson.loads(sent.body)
            answer = self._context.lab.chat({**body, "model": model, "stream": False})
        except AwsError as error:
            return _refusal(400, error.message)
        except orjson.JSONDecodeError:
            return _refusal(400, "The body is no JSON.")
        except LabRefused as refusal:
            return _refusal(refusal.status, str(refusal))
        # The container knows its weights by the folder that they lie in.
        return Reply(200, orjson.dumps({**answer, "model": "/opt/ml/model"}), {"Content-Type": "application/json"})


def _is_signed(header: str) -> bool:
    """Whether a token is a presigned call of `CallWithBearerToken`; whose key signed it is not looked at."""
    try:
        url = base64.b64decode(header.removeprefix(_TOKEN), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    host, _, query = url.partition("/?")
    fields = parse_qs(query)
    action = fields.get("Action")
    return (
        header.startswith(_TOKEN)
        and host == "sagemaker.amazonaws.com"
        and action == ["CallWithBearerToken"]
        and (fields.keys() >= _SIGNED)
    )


def _refusal(status: int, message: str) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Reply(status, orjson.dumps({"error": error}), {"Content-Type": "application/json"})
