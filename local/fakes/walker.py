"""Hold a request or a response of AWS against botocore's model of the operation, member by member.

botocore itself checks types and required members only: it sends a name of 80 characters where 63 are allowed, and reads
an answer whose state no enum has. The walker names what the model says and botocore does not ask for: patterns, lengths
and ranges, enums, unknown members, unions with several members; and types and required members beside them.

In: a service, an operation, and parameters or an answer as boto3 has them, with Python's names and types. Out: the
violations in the order of the members; none of them fails the walk. A time may be a datetime, a number or a text, since
a fake has it as it came over the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from re import compile as compile_with_python
from re import error as PatternError  # noqa: N812 - the name that Python gives it since 3.13
from typing import Any

import re2  # type: ignore[import-untyped]
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape
from botocore.session import get_session

# The classes of Java that neither Python nor RE2 reads by these names.
_JAVA_CLASSES = {r"\p{Alnum}": "a-zA-Z0-9", r"\p{ASCII}": r"\x00-\x7F", r"\p{Print}": r"\x20-\x7E"}
# Java writes what lies beyond the first 65,536 letters as pairs.
_JAVA_PAIRS = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
_SETS = compile_with_python(r"\[[^\]]*\]")
_BOOLEAN = (bool,)
_WHOLE = (int,)
_NUMBER = (int, float)
_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": _BOOLEAN,
    "integer": _WHOLE,
    "long": _WHOLE,
    "float": _NUMBER,
    "double": _NUMBER,
    "timestamp": (datetime, int, float, str),
    "string": (str,),
    "character": (str,),
    "list": (list, tuple),
    "map": (dict,),
    "structure": (dict,),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that the model forbids. `path` is the member, as `tags[0].key`; `rule` is what it breaks."""

    path: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path or 'the document'}: {self.message}"


def operation_model(service: str, operation: str) -> OperationModel:
    """The model of an operation, as `bedrock` and `CreateModelCustomizationJob`."""
    return service_model(service).operation_model(operation)


@cache
def service_model(service: str) -> ServiceModel:
    model: ServiceModel = get_session().get_service_model(service)
    return model


def request_violations(service: str, operation: str, parameters: Mapping[str, Any]) -> list[Violation]:
    """What is wrong with the parameters of a call."""
    return violations(operation_model(service, operation).input_shape, parameters)


def response_violations(service: str, operation: str, answer: Mapping[str, Any]) -> list[Violation]:
    """What is wrong with an answer; botocore's own `ResponseMetadata` is no part of it."""
    own = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    return violations(operation_model(service, operation).output_shape, own)


def violations(shape: Shape | None, value: Any) -> list[Violation]:
    """What is wrong with a value of a shape. An operation without a shape takes or gives nothing."""
    if shape is None:
        return [Violation(name, "unknown", "is no member of an empty document") for name in value]
    return list(_walk(shape, value, ""))


def _walk(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    if getattr(shape, "is_document_type", False):
        return
    wrong = _wrong_type(shape, value)
    if wrong:
        yield Violation(path, "type", wrong)
        return
    yield from _WALKS.get(shape.type_name, _nothing)(shape, value, path)


def _wrong_type(shape: Shape, value: Any) -> str | None:
    if shape.type_name == "blob":
        right = isinstance(value, bytes | bytearray | str) or hasattr(value, "read")
    else:
        right = isinstance(value, _TYPES[shape.type_name])
        # Python takes a boolean for a number.
        right = right and isinstance(value, bool) == (shape.type_name == "boolean")
    return None if right else f"is a {type(value).__name__}, and must be a {shape.type_name}"


def _structure(shape: Shape, value: dict[str, Any], path: str) -> Iterator[Violation]:
    if not isinstance(shape, StructureShape):
        raise TypeError(shape.type_name)
    given = {name: member for name, member in value.items() if member is not None}
    for name in shape.required_members:
        if name not in given:
            yield Violation(_member(path, name), "required", "is required")
    if shape.is_tagged_union and len(given) != 1:
        yield Violation(path, "union", f"has {len(given)} members of a union, and must have exactly 1")
    for name, member in given.items():
        if name in shape.members:
            yield from _walk(shape.members[name], member, _member(path, name))
        else:
            yield Violation(_member(path, name), "unknown", f"is no member of {shape.name}")


def _list(shape: Shape, value: list[Any], path: str) -> Iterator[Violation]:
    if not isinstance(shape, ListShape):
        raise TypeError(shape.type_name)
    yield from _bounds(shape, len(value), path, "entries")
    for index, entry in enumerate(value):
        yield from _walk(shape.member, entry, f"{path}[{index}]")


def _map(shape: Shape, value: dict[str, Any], path: str) -> Iterator[Violation]:
    if not isinstance(shape, MapShape):
        raise TypeError(shape.type_name)
    yield from _bounds(shape, len(value), path, "entries")
    for key, entry in value.items():
        yield from _walk(shape.key, key, f"{path}[{key!r}]")
        yield from _walk(shape.value, entry, f"{path}[{key!r}]")


def _string(shape: Shape, value: str, path: str) -> Iterator[Violation]:
    if not isinstance(shape, StringShape):
        raise TypeError(shape.type_name)
    yield from _bounds(shape, len(value), path, "characters")
    if shape.enum and value not in shape.enum:
        yield Violation(path, "enum", f"is {value!r}, and must be one of {', '.join(shape.enum)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not matches(pattern, value):
        yield Violation(path, "pattern", f"is {value!r}, and must match {pattern}")


def _blob(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    if isinstance(value, bytes | bytearray | str):
        yield from _bounds(shape, len(value), path, "bytes")


def _number(shape: Shape, value: float, path: str) -> Iterator[Violation]:
    yield from _bounds(shape, value, path, "as its value")


def _nothing(shape: Shape, value: Any, path: str) -> Iterator[Violation]:  # noqa: ARG001 - as the other walks
    return iter(())


def _bounds(shape: Shape, size: float, path: str, unit: str) -> Iterator[Violation]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield Violation(path, "min", f"has {size} {unit}, and at least {least} are needed")
    if most is not None and size > most:
        yield Violation(path, "max", f"has {size} {unit}, and at most {most} are allowed")


_WALKS: dict[str, Callable[[Shape, Any, str], Iterator[Violation]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "character": _string,
    "blob": _blob,
    "integer": _number,
    "long": _number,
    "float": _number,
    "double": _number,
}


def matches(pattern: str, value: str) -> bool:
    """Whether the whole value matches a pattern of a service model, which AWS reads with Java.

    Raises ValueError for a pattern that can be read neither by Python nor by RE2: it must not pass for one that holds.
    """
    return bool(_compiled(pattern)(value))


@cache
def _compiled(pattern: str) -> Callable[[str], Any]:
    match: Callable[[str], Any]
    try:
        match = compile_with_python(pattern.replace(*_JAVA_PAIRS)).fullmatch
    except PatternError:
        match = _compiled_by_re2(pattern)
    return match


def _compiled_by_re2(pattern: str) -> Callable[[str], Any]:
    readable = _SETS.sub(lambda found: _with_ranges(found[0], "{}"), pattern)
    readable = _with_ranges(readable, "[{}]")
    quiet = re2.Options()
    quiet.log_errors = False
    try:
        match: Callable[[str], Any] = re2.compile(readable, options=quiet).fullmatch
    except re2.error as error:
        raise ValueError(f"the pattern {pattern} cannot be read: {error}") from error
    return match


def _with_ranges(pattern: str, form: str) -> str:
    for java, ranges in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, form.format(ranges))
    return pattern


def _member(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


class ModelBroken(AssertionError):
    """A request or an answer breaks AWS's model of the operation."""


def hold(client: Any, *, answers: bool = True) -> None:
    """Have a boto3 client raise `ModelBroken` for every request and every answer that its model does not allow.

    A request is held before botocore fills in and signs it. Errors that AWS answers and streams of events, which the
    caller reads later, are not held, nor is any answer without `answers`.
    """
    service = client.meta.service_model.service_name

    def hold_request(params: Mapping[str, Any], model: OperationModel, **_: Any) -> None:
        _raise_for(service, model.name, "request", violations(model.input_shape, params))

    def hold_answer(parsed: Mapping[str, Any], model: OperationModel, **_: Any) -> None:
        if "Error" not in parsed and not model.has_event_stream_output:
            _raise_for(service, model.name, "answer", response_violations(service, model.name, parsed))

    client.meta.events.register(f"provide-client-params.{service}.*", hold_request)
    if answers:
        client.meta.events.register(f"after-call.{service}.*", hold_answer)


def _raise_for(service: str, operation: str, direction: str, broken: list[Violation]) -> None:
    if broken:
        named = "; ".join(str(violation) for violation in broken)
        raise ModelBroken(f"{service}.{operation}, {direction}: {named}")
