"""A call of DynamoDB, SQS or S3, from the method of boto3's client to moto's action with nothing of botocore between.

The parameters are checked as botocore checks them, and copied: nothing that a caller holds becomes a row. Plain rows
and plain objects are read and written without moto's action (`quick_table`, `quick_s3`). A condition
that does not hold and an expression that is none are refused in moto's own words: moto may have written before it
refuses, so such a call is made once. All else that fails, and whatever a test listens to or has put
in the stubber's place, goes botocore's way from the start.
"""

from __future__ import annotations

from typing import Any

from botocore.client import BaseClient
from botocore.validate import ParamValidator
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import HTTPException, ServiceException
from moto.core.responses import BaseResponse

from tests import quick_calls, quick_others, quick_parameters, quick_s3, quick_table
from tests.quick_calls import NotStraight

_own_call = BaseClient._make_api_call
_own_structure = ParamValidator._validate_structure

_EVENTS = (
    "provide-client-params",
    "before-parameter-build",
    "before-call",
    *quick_calls.EVENTS,
    "after-call",
    "after-call-error",
)
_REFUSED = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException", "ValidationException"})
_REDIRECTED = 300


def make_api_call(self: BaseClient, operation_name: str, api_params: Any) -> Any:
    """The answer to a call, or the error of a condition that does not hold."""
    operation = self._service_model.operation_model(operation_name)
    if not _goes_straight(self, operation):
        return _own_call(self, operation_name, api_params)
    try:
        answer, status = _answer(self, operation, api_params)
    except NotStraight:
        return _own_call(self, operation_name, api_params)
    _tell_quota(self, operation, status)
    if status < _REDIRECTED:
        return answer
    raise self.exceptions.from_code(answer["Error"]["Code"])(answer, operation_name)


def _goes_straight(client: BaseClient, operation: Any) -> bool:
    return (
        _is_known(operation)
        and quick_calls.is_direct(client._endpoint, operation, _EVENTS)
        and quick_calls.is_of_aws(client.meta.endpoint_url)
        and BotocoreStubber.__call__ is quick_calls.stub
    )


def _is_known(operation: Any) -> bool:
    service = operation.service_model.service_name
    if service == "s3":
        return operation.name in quick_s3.OPERATIONS
    return (service, operation.name) in quick_others.OPERATIONS or quick_calls.is_of_direct(operation)


def _answer(client: BaseClient, operation: Any, parameters: Any) -> tuple[dict[str, Any], int]:
    service, region = operation.service_model.service_name, client.meta.region_name
    if (service, operation.name) in quick_others.OPERATIONS:
        return _with_metadata(*quick_others.answered(service, operation.name, region, parameters))
    if service == "dynamodb":
        try:
            return _with_metadata(*quick_table.answered(operation.name, region, parameters))
        except NotStraight:
            pass
    given = quick_parameters.taken(parameters, operation.input_shape)
    if service == "s3":
        return _answer_of_s3(operation, given)
    handler = _handler(client, operation, given)
    try:
        result = getattr(handler, quick_calls.action_named(operation.name))().result
    except (ServiceException, HTTPException) as error:
        return _refusal(client, operation, handler, error)
    answer = quick_calls.shaped(result, operation.output_shape) if operation.output_shape else {}
    return _with_metadata(answer, quick_calls.OK)


def _answer_of_s3(operation: Any, parameters: Any) -> tuple[dict[str, Any], int]:
    straight = quick_s3.answered(operation.name, parameters)
    if straight is None:
        raise NotStraight
    return _with_metadata(*straight)


def _with_metadata(answer: dict[str, Any], status: int) -> tuple[dict[str, Any], int]:
    named = quick_calls.named(32)
    answer["ResponseMetadata"] = {
        "RequestId": named,
        "HTTPStatusCode": status,
        "HTTPHeaders": {"x-amzn-requestid": named, "server": "amazon.com"},
        "RetryAttempts": 0,
    }
    return answer, status


def _handler(client: BaseClient, operation: Any, parameters: dict[str, Any]) -> BaseResponse:
    """moto's object for one request, as its `setup_class` leaves it."""
    model = operation.service_model
    handler = quick_calls.DIRECT[model.service_name][0]()
    handler.uri = f"{client.meta.endpoint_url}/"
    handler.path = handler.raw_path = "/"
    handler.method = "POST"
    handler.headers = {"X-Amz-Target": f"{model.metadata['targetPrefix']}.{operation.name}"}
    handler.raw_body = b""
    handler.querystring = handler.data = {}
    handler.uri_match, handler.response_headers = {}, {"server": "amazon.com"}
    handler.region, handler.partition = client.meta.region_name, "aws"
    handler.current_account = DEFAULT_ACCOUNT_ID
    handler.params = handler.body = parameters
    return handler


def _refusal(client: BaseClient, operation: Any, handler: BaseResponse, error: Exception) -> tuple[dict[str, Any], int]:
    response = quick_calls.refusal(f"{client.meta.endpoint_url}/", operation, handler, error)
    parsed = quick_calls.parsed(client._endpoint, response, operation)
    if parsed.get("Error", {}).get("Code") not in _REFUSED:
        raise NotStraight
    parsed["ResponseMetadata"]["RetryAttempts"] = 0
    return parsed, response.status_code


class _Status:
    """As much of a response as botocore's quota of retries looks at."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


def _tell_quota(client: BaseClient, operation: Any, status: int) -> None:
    """A call that succeeds gives back to botocore's quota of retries."""
    emitter = client.meta.events
    kept = ("told of the end", operation.name)
    found = emitter._emitter._lookup_cache
    if kept not in found:
        name = f"after-call.{operation.service_model.service_id.hyphenize()}.{operation.name}"
        handlers = emitter._emitter._handlers.prefix_search(name)
        found[kept] = [handler for handler in handlers if "release_retry_quota" in getattr(handler, "__name__", "")]
    for release in found[kept]:
        release({}, _Status(status))


def validate_structure(self: ParamValidator, params: Any, shape: Any, errors: Any, name: str) -> None:
    """Check a structure. Of a value of DynamoDB not each of ten types is looked for."""
    if shape.name == "AttributeValue" and type(params) is dict and len(params) == 1:
        ((kind, content),) = params.items()
        if isinstance(content, bool if kind in {"BOOL", "NULL"} else str) and kind in {"S", "N", "BOOL", "NULL"}:
            return
    _own_structure(self, params, shape, errors, name)


QUICK: dict[tuple[Any, str], Any] = {
    (BaseClient, "_make_api_call"): make_api_call,
    (ParamValidator, "_validate_structure"): validate_structure,
}
"""What stands in for a method of botocore."""
