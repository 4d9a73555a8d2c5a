"""The route of the Responses API."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from foundation.routes import Routes
from gateway.answers import answered
from gateway.documents import ERRORS
from gateway.responses.respond import respond

router = Routes("Responses")


@router.post(
    "/v1/responses",
    scope="infer",
    body="gateway.documents.ResponseRequest",
    answer="completions.responses.documents.ResponseDocument",
    errors=ERRORS,
)
def create_response() -> Response[Any]:
    """Have a model respond, and capture the response unless `store` is false.

    A provider that has the Responses API is sent the request; any other is asked for the chat completion that says the
    same, and what a chat cannot say is refused (`unsupported_parameter`). `previous_response_id` names a captured
    response. Headers and `stream` are as for chat completions.
    """
    return answered(router, respond, store=True)
