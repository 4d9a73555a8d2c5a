"""What the template lets a function do, held against what its handler does in a test.

`permitted` gives a handler as Lambda runs it: by the role of its function. moto asks for nobody's leave, so a missing
permission would be noticed in an account of AWS alone. Here a call that no statement allows fails the test, naming the
action, and the resource as the template does: `${Bucket.Arn}/runs/run_1/summary.json`, `RecordQueue.Arn`. Of a
service that `_needs` does not know, any resource will do.

Statements of a condition (`HasSageMakerTraining`) count as if it held. The conditions that a statement of S3 or
DynamoDB has are about prefixes and partitions, and a list's are compared with what the call names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache, wraps
from threading import get_ident
from typing import Any, NamedTuple

import boto3
import botocore.signers
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from foundation.settings import settings
from tests.template.loading import functions, listed, resources, statements

_ACTIONS = {
    "bedrock-runtime:Converse": "bedrock:InvokeModel",
    "bedrock-runtime:InvokeModel": "bedrock:InvokeModel",
    "dynamodb:ConditionCheck": "dynamodb:ConditionCheckItem",
    "dynamodb:Delete": "dynamodb:DeleteItem",
    "dynamodb:Put": "dynamodb:PutItem",
    "dynamodb:Update": "dynamodb:UpdateItem",
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:UploadPart": "s3:PutObject",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""The action that a call needs, where it has another name."""
_ANY = "any"
_ASKS = "asks_for_leave"
_REGION = "us-east-1"
_MISSING = frozenset({"NoSuchKey", "404"})
_RULE = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${AWS::StackName}-"
_SECRET = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:"


class Need(NamedTuple):
    """An action, the resource that it is done to, and the prefix or the partition that a condition may look at."""

    action: str
    resource: str
    key: str = ""


class _Role:
    """What a function may do, and what it did without leave."""

    def __init__(self, function: str) -> None:
        self.function = function
        self.thread = get_ident()
        self.refused: dict[str, None] = {}

    def ask(self, need: Need) -> None:
        action = _ACTIONS.get(need.action, need.action)
        if not any(allows(need.resource, need.key) for allows in _statements(self.function, action)):
            self.refused[f"{self.function} may not {action} {need.resource} {need.key}".rstrip()] = None


PERMITTED: set[str] = set()
"""The handlers that were given, as the template names them."""
_acting: list[_Role] = []
"""The roles of the handlers at work, the innermost last: a page asks the API while it is made."""


class NotPermitted(pytest.fail.Exception):
    """A handler did what its function may not. No `except Exception` of a test that breaks things catches it."""


def permitted[**Given, Answer](handler: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """The handler as Lambda runs it. It raises NotPermitted where it did what its function may not."""

    entry = f"{handler.__module__}.{handler.__name__}"
    PERMITTED.add(entry)

    @wraps(handler)
    def run(*given: Given.args, **named: Given.kwargs) -> Answer:
        with acting(_function_of(entry)):
            return handler(*given, **named)

    return run


@contextmanager
def acting(function: str) -> Iterator[None]:
    """Ask the role of this function for every call of AWS, of this thread and of those that it starts."""
    role = _Role(function)
    _acting.append(role)
    try:
        yield
    finally:
        _acting.remove(role)
        if role.refused:
            raise NotPermitted("\n".join(role.refused))


@contextmanager
def meanwhile() -> Iterator[None]:
    """What a test does itself while a handler is at work: nobody is asked."""
    role = _Role("")
    _acting.append(role)
    try:
        yield
    finally:
        _acting.remove(role)


def _role() -> _Role | None:
    """Who asks: the handler of this thread, else, in a thread that a handler has started, the last that began."""
    own = [role for role in _acting if role.thread == get_ident()]
    role = (own or _acting or [None])[-1]
    return role if role and role.function else None


def watch(session: boto3.Session) -> None:
    """Have the clients ask that this session, which is the services', makes from now on. Fakes have their own."""
    session.events.register("creating-client-class", _mark, unique_id="permissions")


def _mark(class_attributes: dict[str, Any], **_: Any) -> None:
    class_attributes[_ASKS] = True


def install() -> None:
    """Have these clients' calls ask, and their links, which are followed by the rights of who has signed them."""
    own_call, own_link = BaseClient._make_api_call, botocore.signers.generate_presigned_url

    def ask_and_call(self: Any, operation: str, given: dict[str, Any]) -> Any:
        role, service = _role(), self.meta.service_model.service_name
        if role is None or not hasattr(self, _ASKS):
            return own_call(self, operation, given)
        for need in _needs(service, operation, given):
            role.ask(need)
        try:
            return own_call(self, operation, given)
        except ClientError as error:
            # S3 tells nobody that an object is not there who may not list it.
            if service == "s3" and error.response["Error"]["Code"] in _MISSING:
                role.ask(Need("s3:ListBucket", "Bucket.Arn", given["Key"]))
            raise

    def ask_and_link(self: Any, ClientMethod: str, Params: dict[str, Any], **options: Any) -> Any:  # noqa: N803 - AWS's
        role = _role()
        for need in (
            _needs("s3", self.meta.method_to_api_mapping[ClientMethod], Params) if role and hasattr(self, _ASKS) else ()
        ):
            role.ask(need)
        return own_link(self, ClientMethod, Params, **options)

    BaseClient._make_api_call = ask_and_call
    botocore.signers.generate_presigned_url = ask_and_link


# ---------------------------------------------------------------- what a call needs


def _needs(service: str, operation: str, given: dict[str, Any]) -> Iterator[Need]:
    """What a call needs leave for, the resources as the template names them."""
    of_service = _NEEDS_OF.get(service)
    if of_service is None:
        yield Need(f"{service}:{operation}", _ANY)
    else:
        yield from of_service(operation, given)


def _of_table(operation: str, given: dict[str, Any]) -> Iterator[Need]:
    if operation == "TransactWriteItems":
        for kind, item in (pair for member in given["TransactItems"] for pair in member.items()):
            yield Need(f"dynamodb:{kind}", "Table.Arn", _partition(item))
    else:
        yield Need(f"dynamodb:{operation}", "Table.Arn", _partition(given))


def _of_objects(operation: str, given: dict[str, Any]) -> Iterator[Need]:
    match operation:
        case "ListObjectsV2":
            yield Need(f"s3:{operation}", "Bucket.Arn", given.get("Prefix", ""))
        case "DeleteObjects":
            yield from (
                Need(f"s3:{operation}", _object(given["Bucket"], it["Key"])) for it in given["Delete"]["Objects"]
            )
        case _:
            yield Need(f"s3:{operation}", _object(given["Bucket"], given["Key"]))


def _of_queues(operation: str, given: dict[str, Any]) -> Iterator[Need]:
    yield Need(f"sqs:{operation}", _queue(given.get("QueueUrl") or given["SourceArn"]))
    if operation == "StartMessageMoveTask":
        # SQS moves them with the caller's right to receive, delete and send.
        for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
            yield Need(action, _queue(given["SourceArn"]))
        yield Need("sqs:SendMessage", _queue(given["DestinationArn"]))


def _of_secrets(operation: str, given: dict[str, Any]) -> Iterator[Need]:
    yield Need(f"secretsmanager:{operation}", _secret(given.get("SecretId") or given["Name"]))


_NEEDS_OF: dict[str, Callable[[str, dict[str, Any]], Iterator[Need]]] = {
    "dynamodb": _of_table,
    "events": lambda operation, given: iter([Need(f"events:{operation}", _rule(given["Name"]))]),
    "lambda": lambda operation, _: iter([Need(f"lambda:{operation}", "SandboxFunction.Arn")]),
    "s3": _of_objects,
    "secretsmanager": _of_secrets,
    "sns": lambda operation, _: iter([Need(f"sns:{operation}", "Topic")]),
    "sqs": _of_queues,
}


def _partition(given: dict[str, Any]) -> str:
    row = given.get("Key") or given.get("Item")
    return str(row["pk"]["S"]) if row else ""


def _object(bucket: str, key: str) -> str:
    if bucket == settings().BUCKET:
        return f"${{Bucket.Arn}}/{key}"
    return f"arn:${{AWS::Partition}}:s3:::{bucket.replace(_REGION, '${AWS::Region}')}/{key}"


def _queue(place: str) -> str:
    """The queue of a URL or an ARN. The tests' system has the dead letters of a queue in `<its name>-dead`."""
    name, of_dead, _ = place.replace(":", "/").rpartition("/")[2].partition("-dead")
    queue = f"{name.capitalize()}Queue"
    return _dead_letters(queue) if of_dead else f"{queue}.Arn"


def _dead_letters(queue: str) -> str:
    name: str = resources("SQS::Queue")[queue]["RedrivePolicy"]["deadLetterTargetArn"]["GetAtt"]
    return name


def _rule(name: str) -> str:
    """The tests' system has the rule `<stack>-watch` as `watch`."""
    return f"{_RULE}{name.removeprefix(f'{settings().STACK_NAME}-')}"


def _secret(name: str) -> str:
    known = {
        settings().FIRST_KEY_SECRET_ARN: "FirstKey.Id",
        settings().PROVIDER_SECRET_ARN: "ProviderSecretArn",
        settings().PROVIDERS_SECRET_ARN: "ProvidersSecretArn",
    }
    own = name.rpartition(":secret:")[2].replace(settings().STACK_NAME, "${AWS::StackName}", 1)
    return known.get(name) or f"{_SECRET}{own}"


# ---------------------------------------------------------------- what the template allows


@cache
def _function_of(entry: str) -> str:
    """The function whose handler this is."""
    [name] = [name for name, function in functions().items() if function["Handler"] == entry]
    return name


@cache
def _statements(function: str, action: str) -> list[Callable[[str, str], bool]]:
    """For each statement about an action, of a function's own policies and of its role's: whether it allows it here."""
    attached = [
        policy["PolicyDocument"]["Statement"]
        for policy in resources("IAM::Policy").values()
        if {"Ref": f"{function}Role"} in policy["Roles"]
    ]
    every = [*statements(functions()[function]), *(statement for policy in attached for statement in policy)]
    return [_allowing(statement) for statement in every if action in listed(statement["Action"])]


def _allowing(statement: dict[str, Any]) -> Callable[[str, str], bool]:
    places = [
        place if isinstance(place, str) else next(iter(place.values())) for place in listed(statement["Resource"])
    ]
    keys = [listed(patterns) for keys in statement.get("Condition", {}).values() for patterns in keys.values()]

    def allows(resource: str, key: str) -> bool:
        here = resource == _ANY or any(fnmatchcase(resource, place) for place in places)
        return here and all(any(fnmatchcase(key, pattern) for pattern in patterns) for patterns in keys)

    return allows
