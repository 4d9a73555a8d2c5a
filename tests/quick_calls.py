"""A call of AWS, from botocore's client to moto's service without signing, HTTP or text in between.

- The calls in `DIRECT`, which are most of them, reach moto's action with their parameters, and its result becomes
  botocore's answer. What fails is written and read as moto and botocore do it.
- For the others nothing is signed, moto finds a service by its host once, and werkzeug's request is made from what
  botocore sends without a builder in between.

A client on whose requests somebody else listens, and one outside the mock, goes botocore's own way.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache, lru_cache, partial
from random import Random
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import moto.backends
import moto.core.responses
from botocore.awsrequest import AWSResponse
from botocore.endpoint import Endpoint, convert_to_response_dict
from botocore.httpchecksum import AwsChunkedWrapper
from botocore.regions import EndpointRulesetResolver
from botocore.signers import RequestSigner
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core import request as moto_request
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.exceptions import HTTPException, ServiceException
from moto.core.models import botocore_stubber
from moto.core.parse import BaseJSONParser, JSONParser
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.responses import DynamoHandler
from moto.sqs.responses import SQSResponse

_own_send = Endpoint._send_request
_own_stub = BotocoreStubber.__call__
_own_process = BotocoreStubber.process_request
_own_sign = RequestSigner.handler
_own_endpoint = EndpointRulesetResolver.construct_endpoint
_own_structure = BaseJSONParser._parse_structure
_own_request = moto_request.Request.from_primitives

DIRECT: dict[str, tuple[type[BaseResponse], frozenset[str]]] = {
    "dynamodb": (
        DynamoHandler,
        frozenset(
            {
                "BatchGetItem",
                "BatchWriteItem",
                "DeleteItem",
                "GetItem",
                "PutItem",
                "Query",
                "Scan",
                "TransactWriteItems",
                "UpdateItem",
            }
        ),
    ),
    "sqs": (
        SQSResponse,
        frozenset(
            {
                "ChangeMessageVisibility",
                "DeleteMessage",
                "ReceiveMessage",
                "SendMessage",
                "SendMessageBatch",
            }
        ),
    ),
}
EVENTS = ("request-created", "before-send", "before-parse", "response-received", "needs-retry")
_DEAF = ("botocore.", "moto.", "aws_lambda_powertools.shared.user_agent", __name__)
"""Modules whose listeners do nothing that an answer depends on."""
_act: ContextVar[Callable[[], AWSResponse] | None] = ContextVar("act", default=None)
action_named = cache(camelcase_to_underscores)
_drawn = Random()
OK = 200


class NotStraight(Exception):
    """Botocore has to see this call."""


def named(length: int) -> str:
    """A name that nothing else has. To ask the system for each was a tenth of the calls' time."""
    return f"{_drawn.getrandbits(4 * length):0{length}x}"


class Answered(AWSResponse):
    """A response that need not be read."""

    def __init__(self, url: str, headers: dict[str, str], parsed: dict[str, Any]) -> None:
        super().__init__(url, OK, headers, MockRawResponse(b""))  # type: ignore[arg-type]
        self.parsed = parsed


# ---------------------------------------------------------------- straight to the action


def send(self: Endpoint, request: dict[str, Any], operation: Any) -> Any:
    """botocore's answer to a request, as the HTTP response and its content; retried as botocore does it."""
    if not (is_of_aws(request["url"]) and is_of_direct(operation) and is_direct(self, operation, EVENTS)):
        return _own_send(self, request, operation)
    attempts = 1
    while True:
        self._update_retries_context(request["context"], attempts)
        answer, error = _answer(self, request, operation)
        if answer and answer[0].status_code == OK:
            break
        if not self._needs_retry(attempts, operation, request, answer, error):
            break
        attempts += 1
    if error:
        raise error
    answer[1]["ResponseMetadata"]["RetryAttempts"] = attempts - 1
    return answer


def stub(self: BotocoreStubber, event_name: str, request: Any, **options: Any) -> Any:
    """What moto answers in place of the network, by HTTP or by a direct call."""
    act = _act.get()
    return act() if act else _own_stub(self, event_name, request, **options)


@lru_cache(1000)
def is_of_aws(url: str) -> bool:
    return urlsplit(url).netloc.endswith(".amazonaws.com")


def is_direct(endpoint: Endpoint, operation: Any, events: tuple[str, ...]) -> bool:
    """Whether moto answers, and nobody else listens to these events of a call."""
    return botocore_stubber.enabled and not _listened_to(endpoint._event_emitter, operation, events)


def is_of_direct(operation: Any) -> bool:
    service = operation.service_model.service_name
    return service in DIRECT and operation.name in DIRECT[service][1]


def _listened_to(emitter: Any, operation: Any, events: tuple[str, ...]) -> bool:
    """Whether somebody else has registered for what a direct call does not tell.

    Kept in the emitter's cache, which every registration empties.
    """
    found = emitter._emitter._lookup_cache
    key = ("listened to", operation.name, events)
    if key not in found:
        name = f"{operation.service_model.service_id.hyphenize()}.{operation.name}"
        handlers = [
            handler for event in events for handler in emitter._emitter._handlers.prefix_search(f"{event}.{name}")
        ]
        found[key] = any(not _home(handler).startswith(_DEAF) for handler in handlers)
    return bool(found[key])


def _home(handler: Any) -> str:
    return getattr(handler, "__module__", None) or type(handler).__module__


def _answer(endpoint: Endpoint, request: dict[str, Any], operation: Any) -> tuple[Any, Exception | None]:
    """What the stubber answers, or what another in its place does, who may let the call fail before or after it."""
    name = f"before-send.{operation.service_model.service_id.hyphenize()}.{operation.name}"
    acting = _act.set(partial(_acted, request, operation))
    try:
        response = BotocoreStubber.__call__(botocore_stubber, name, _told(request))
    except Exception as error:  # noqa: BLE001 - botocore judges all that a request may raise
        return None, error
    finally:
        _act.reset(acting)
    if isinstance(response, Answered):
        return (response, response.parsed), None
    return (response, parsed(endpoint, response, operation)), None


def _told(request: dict[str, Any]) -> SimpleNamespace:
    """The request as a listener sees it who wants to know which call and which attempt it is."""
    retries = request["context"]["retries"]
    attempt = {"amz-sdk-invocation-id": retries["invocation-id"], "amz-sdk-request": f"attempt={retries['attempt']}"}
    headers = {**request["headers"], **attempt}
    return SimpleNamespace(url=request["url"], method=request["method"], body=request["body"], headers=headers)


def _acted(request: dict[str, Any], operation: Any) -> AWSResponse:
    handler = _handler(request, operation)
    try:
        result = getattr(handler, action_named(operation.name))().result
    except (ServiceException, HTTPException) as error:
        return refusal(request["url"], operation, handler, error)
    headers = {"x-amzn-requestid": named(32), "server": "amazon.com"}
    answer = shaped(result, operation.output_shape) if operation.output_shape else {}
    answer["ResponseMetadata"] = {
        "RequestId": headers["x-amzn-requestid"],
        "HTTPStatusCode": OK,
        "HTTPHeaders": headers,
    }
    return Answered(request["url"], headers, answer)


def _handler(request: dict[str, Any], operation: Any) -> BaseResponse:
    """moto's object for one request, as its `setup_class` leaves it."""
    handler = DIRECT[operation.service_model.service_name][0]()
    url = urlsplit(request["url"])
    handler.uri = request["url"]
    handler.path = handler.raw_path = url.path
    handler.method, handler.headers = request["method"], request["headers"]
    handler.raw_body = request["body"]
    handler.querystring = handler.data = {}
    handler.uri_match, handler.response_headers = {}, {"server": "amazon.com"}
    handler.region, handler.partition = request["context"]["client_region"], "aws"
    handler.current_account = DEFAULT_ACCOUNT_ID
    handler.params = JSONParser(operation)._parse_json_body(request["body"], operation.input_shape)
    handler.body = handler.params
    return handler


def refusal(url: str, operation: Any, handler: BaseResponse, error: Exception) -> AWSResponse:
    """What moto writes of a failed action."""

    def fail() -> Any:
        raise error

    setattr(handler, action_named(operation.name), fail)
    status, headers, body = handler.call_action()
    return AWSResponse(url, status, headers, MockRawResponse(body))  # type: ignore[arg-type]


def parsed(endpoint: Endpoint, response: AWSResponse, operation: Any) -> dict[str, Any]:
    """What botocore reads of a response."""
    whole = convert_to_response_dict(response, operation)
    parser = endpoint._response_parser_factory.create_parser(operation.service_model.resolved_protocol)
    answer: dict[str, Any] = parser.parse(whole, operation.output_shape)
    if response.status_code >= 300:
        endpoint._add_modeled_error_fields(whole, answer, operation, parser)
    return answer


def shaped(value: Any, shape: Any) -> Any:
    """The part of a result that its shape names, in botocore's types. A value of DynamoDB has one type, the key."""
    match shape.type_name:
        case "structure" if shape.name == "AttributeValue":
            return _attribute(value)
        case "structure":
            return {
                name: shaped(value[name], member)
                for name, member in shape.members.items()
                if value and value.get(name) is not None
            }
        case "map":
            return {key: shaped(inner, shape.value) for key, inner in value.items()}
        case "list":
            return [shaped(inner, shape.member) for inner in value]
        case "string":
            return str(value)
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "boolean" | "blob":
            return value
        case other:
            raise NotImplementedError(f"No direct answer holds a {other}")


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    match kind:
        case "M":
            return {kind: {name: _attribute(inner) for name, inner in content.items()}}
        case "L":
            return {kind: [_attribute(inner) for inner in content]}
        case "SS" | "NS" | "BS":
            return {kind: list(content)}
        case _:
            return {kind: content}


# ---------------------------------------------------------------- what both ways need


def parse_structure(self: BaseJSONParser, shape: Any, value: Any) -> Any:
    """A structure of a request. Of a value of DynamoDB not each of ten types is looked for."""
    if shape.name == "AttributeValue" and type(value) is dict and len(value) == 1:
        ((kind, content),) = value.items()
        if kind in {"S", "N", "BOOL", "NULL"} and content is not None:
            return {kind: content}
    return _own_structure(self, shape, value)


def construct_endpoint(
    self: EndpointRulesetResolver, operation_model: Any, call_args: Any, request_context: Any
) -> Any:
    """Where an operation of a client goes to. For the services of direct calls no parameter changes it."""
    if self._service_model.service_name not in DIRECT:
        return _own_endpoint(self, operation_model, call_args, request_context)
    kept = ("construct_endpoint", operation_model.name)
    if kept not in self._instance_cache:
        self._instance_cache[kept] = _own_endpoint(self, operation_model, call_args, request_context)
    return self._instance_cache[kept]


def request_id(headers: dict[str, Any] | None = None) -> str:
    """A request's name of 52 characters, drawn at once and not one by one."""
    drawn = named(52).upper()
    if headers is not None:
        headers["x-amzn-requestid"] = drawn
    return drawn


def sign(self: RequestSigner, operation_name: Any = None, request: Any = None, **options: Any) -> Any:
    """Sign what may leave the process. moto reads who asks, and S3 whether a checksum follows the content."""
    if not (botocore_stubber.enabled and is_of_aws(request.url)):
        return _own_sign(self, operation_name, request, **options)
    scope = f"testing/20000101/{self.region_name}/{self.signing_name}/aws4_request"
    request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"
    algorithm = request.context.get("checksum", {}).get("request_algorithm")
    if isinstance(algorithm, dict) and algorithm.get("in") == "trailer":
        request.headers["X-Amz-Content-SHA256"] = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    return None


def make_request(
    cls: type[moto_request.Request], method: str, url: str, headers: Any, body: Any = None
) -> moto_request.Request:
    """moto's request from the parts of an HTTP message."""
    content = body.read() if isinstance(body, AwsChunkedWrapper) else body
    if not isinstance(content, bytes | None):
        return _own_request(method, url, headers, body)
    parts = urlsplit(url)
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1") or "/",
        "QUERY_STRING": parts.query,
        "RAW_URI": parts.path or "/",
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(content or b""),
        "CONTENT_LENGTH": str(len(content or b"")),
    }
    kept = {}
    for name, value in headers.items():
        key = moto_request.environ_key_for_header(name)
        if moto_request.should_preserve_original_header_name(name):
            kept[key] = name
        if key not in {"HTTP_TRANSFER_ENCODING", "CONTENT_LENGTH"}:
            environ[key] = value.decode() if isinstance(value, bytes) else value
    environ[moto_request.PRESERVED_HEADER_NAMES_ENVIRON_KEY] = kept
    return cls(environ)


@cache
def _responders(host: str) -> list[tuple[Any, Any]]:
    """The patterns of the first of moto's services that answers at a host, each with its function."""
    url = f"https://{host}/"
    for service, pattern in moto.backend_index.backend_url_patterns:
        if pattern.match(url):
            backends = moto.backends.get_backend(service)
            regions = backends[DEFAULT_ACCOUNT_ID]
            backend = regions["us-east-1"] if "us-east-1" in regions else regions["aws"]
            return [(re.compile(found), function) for found, function in backend.urls.items()]
    return []


def process_request(self: BotocoreStubber, request: Any) -> Any:
    """What the service answers that moto finds by the host and then by the path."""
    parts = urlsplit(request.url)
    clean = f"{parts.scheme}://{parts.netloc}{parts.path}"
    for pattern, respond in _responders(parts.netloc):
        if pattern.match(clean):
            made = moto_request.normalize_request(request)
            try:
                return respond(made, made.raw_url, made.headers)
            except HTTPException as error:
                return error.code, error.get_headers(), error.get_body()
    return _own_process(self, request)


QUICK: dict[tuple[Any, str], Any] = {
    (Endpoint, "_send_request"): send,
    (BotocoreStubber, "__call__"): stub,
    (BotocoreStubber, "process_request"): process_request,
    (BaseJSONParser, "_parse_structure"): parse_structure,
    (RequestSigner, "handler"): sign,
    (EndpointRulesetResolver, "construct_endpoint"): construct_endpoint,
    (moto.core.responses, "gen_amzn_requestid_long"): request_id,
    (moto_request.Request, "from_primitives"): classmethod(make_request),
}
"""What stands in for a method of moto or botocore."""
