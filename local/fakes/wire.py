"""AWS's two JSON protocols, from the server's side: requests to parameters, answers and errors to bytes.

In: an HTTP request for a service of botocore, REST-JSON (Bedrock) or JSON 1.1 (SageMaker). Out: `Call`, whose
parameters are those that a boto3 caller wrote, and `Reply`. Fails with `AwsError`, of which `error_reply` makes AWS's
own answer.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from local.fakes.walker import service_model

_PLACE = re.compile(r"\{(\w+)(\+?)\}")
_JSON = "application/json"
_EVENTS = "application/vnd.amazon.eventstream"
# Of an event: the bytes around headers and payload, and the type of a header whose value is text.
_FRAME = 16
_TEXT = 7


class AwsError(Exception):
    """An error that AWS's clients know by its code, such as `ConflictException`."""

    def __init__(self, code: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields


@dataclass(frozen=True)
class Call:
    """A call of an operation with its parameters."""

    service: str
    operation: str
    parameters: dict[str, Any]

    @property
    def model(self) -> OperationModel:
        return service_model(self.service).operation_model(self.operation)


@dataclass(frozen=True)
class Sent:
    """A request as it came over the wire. `path` is still quoted and has the service's prefix no more."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What goes back over the wire."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def decode(service: str, sent: Sent) -> Call:
    """The call that a request is. Raises AwsError for an operation that the service does not have."""
    if _is_rpc(service):
        return _from_target(service, sent)
    for name, route in _routes(service):
        found = route.fullmatch(sent.path)
        if found and service_model(service).operation_model(name).http["method"] == sent.method:
            return Call(service, name, _parameters(service, name, sent, found.groupdict()))
    raise AwsError("UnknownOperationException", f"No operation for {sent.method} {sent.path}")


def encode(call: Call, answer: dict[str, Any]) -> Reply:
    """The answer of an operation as bytes."""
    shape = call.model.output_shape
    status = call.model.http.get("responseCode", 200)
    if shape is None:
        return Reply(status, b"")
    if call.model.has_event_stream_output:
        [events] = answer.values()
        kinds = stream_kinds(call)
        return Reply(status, b"".join(event_bytes(kinds, event) for event in events), {"Content-Type": _EVENTS})
    headers = {
        member.serialization["name"]: str(answer[name])
        for name, member in shape.members.items()
        if member.serialization.get("location") == "header" and answer.get(name) is not None
    }
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "blob":
        return Reply(status, answer[payload], headers)
    epoch = _is_rpc(call.service)
    document = _written(shape, answer, epoch=epoch)
    return Reply(status, orjson.dumps(document), {**headers, "Content-Type": _JSON})


def stream_kinds(call: Call) -> Mapping[str, Shape]:
    """The shapes of the events that an operation streams."""
    shape = call.model.get_event_stream_output()
    return shape.members if isinstance(shape, StructureShape) else {}


def event_bytes(kinds: Mapping[str, Shape], event: dict[str, Any]) -> bytes:
    """One event of a stream in the binary form of AWS: lengths, headers, payload, each part with its checksum."""
    [(kind, value)] = event.items()
    headers = b"".join(
        _event_header(name, text)
        for name, text in ((":event-type", kind), (":content-type", _JSON), (":message-type", "event"))
    )
    payload = orjson.dumps(_written(kinds[kind], value, epoch=False))
    prelude = struct.pack("!II", len(headers) + len(payload) + _FRAME, len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))


def _event_header(name: str, text: str) -> bytes:
    return bytes([len(name)]) + name.encode() + bytes([_TEXT]) + struct.pack("!H", len(text)) + text.encode()


def error_reply(service: str, error: AwsError) -> Reply:
    """An error as the service's clients read it."""
    status = _status_of(service, error.code)
    if _is_rpc(service):
        return Reply(status, orjson.dumps({"__type": error.code, "message": error.message, **error.fields}))
    headers = {"x-amzn-ErrorType": error.code, "Content-Type": _JSON}
    return Reply(status, orjson.dumps({"message": error.message, **error.fields}), headers)


@cache
def _status_of(service: str, code: str) -> int:
    """The status that the service's model has for an error."""
    model = service_model(service)
    about = model.shape_for(code).metadata if code in model.shape_names else {}
    return int(about.get("error", {}).get("httpStatusCode", 400))


def _is_rpc(service: str) -> bool:
    """Whether a service speaks JSON 1.1: the operation stands in a header, and times are seconds since the epoch."""
    return bool(service_model(service).metadata["protocol"] == "json")


def _from_target(service: str, sent: Sent) -> Call:
    prefix, _, operation = sent.headers.get("x-amz-target", "").partition(".")
    if prefix != service_model(service).metadata["targetPrefix"] or operation not in _operations(service):
        raise AwsError("UnknownOperationException", f"No operation for the target {prefix}.{operation}")
    return Call(service, operation, _json(sent.body))


@cache
def _operations(service: str) -> frozenset[str]:
    return frozenset(service_model(service).operation_names)


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str]]]:
    """The paths of the operations. A name takes one segment, `{name+}` any number."""
    routes = []
    for name in service_model(service).operation_names:
        path = service_model(service).operation_model(name).http["requestUri"].partition("?")[0]
        pieces = _PLACE.split(path)
        pattern = re.escape(pieces[0])
        for place, greedy, rest in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            pattern += f"(?P<{place}>{'.+' if greedy else '[^/]+'}){re.escape(rest)}"
        routes.append((name, re.compile(pattern)))
    return routes


def _parameters(service: str, operation: str, sent: Sent, places: dict[str, str]) -> dict[str, Any]:
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        return {}
    payload = shape.serialization.get("payload")
    query = dict(parse_qsl(sent.query))
    sources: dict[str, Mapping[str, str]] = {"querystring": query, "header": sent.headers}
    sources["uri"] = {place: unquote(value) for place, value in places.items()}
    parameters: dict[str, Any] = {}
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        if location is None:
            continue
        written = member.serialization["name"]
        value = sources[location].get(written.lower() if location == "header" else written)
        if value is not None:
            parameters[name] = _number(member, value)
    if payload and shape.members[payload].type_name == "blob":
        return {**parameters, payload: sent.body}
    body: dict[str, Any] = _read(shape, _json(sent.body))
    return parameters | body


def _number(shape: Shape, value: str) -> Any:
    return int(value) if shape.type_name in {"integer", "long"} and value.isdecimal() else value


def _json(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise AwsError("SerializationException", "The body is no JSON object")
    return document


def _read(shape: Shape, value: Any) -> Any:
    """A value of the wire as a caller wrote it: members by their own names, bytes as bytes."""
    if getattr(shape, "is_document_type", False):
        return value
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        return {
            names.get(written, written): _read(shape.members[names[written]], part) if written in names else part
            for written, part in value.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_read(shape.member, part) for part in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _read(shape.value, part) for key, part in value.items()}
    return base64.b64decode(value) if shape.type_name == "blob" and isinstance(value, str) else value


def _written(shape: Shape, value: Any, *, epoch: bool) -> Any:
    """A value as the wire has it: times by the protocol's form, no members without a value, none of the headers."""
    if getattr(shape, "is_document_type", False):
        return value
    if isinstance(shape, StructureShape):
        return {
            shape.members[name].serialization.get("name", name): _written(shape.members[name], part, epoch=epoch)
            for name, part in value.items()
            if part is not None and "location" not in shape.members[name].serialization
        }
    if isinstance(shape, ListShape):
        return [_written(shape.member, part, epoch=epoch) for part in value]
    if isinstance(shape, MapShape):
        return {key: _written(shape.value, part, epoch=epoch) for key, part in value.items()}
    if shape.type_name == "timestamp" and not epoch:
        return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
    return base64.b64encode(value).decode() if shape.type_name == "blob" else value
