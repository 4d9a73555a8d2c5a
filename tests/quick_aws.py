"""What moto and botocore do anew at every call of AWS, and need not: it was half of the time of the unit tests.

- moto answers a query by sorting every row of the table, each comparison through a cast of both sides. Here a query
  reads its own partition.
- moto looks for each field of an answer under all its possible spellings. Here the exact name is tried first, and a
  value of DynamoDB is known to have one name only.
- moto keeps a whole table for each transaction, in case that it fails. Here the rows that it changes.
- moto copies values that never change, and sums up the sizes of a row for each of its fields.
- moto reads each expression of an update twice.
- moto writes down for each of its services how the library `requests` would reach it. No test asks AWS by it.
- httpx reads the machine's certificates for each client.
- moto looks for a service's books in a list of all of them under a lock, asks botocore anew in which regions a service
  is, draws each letter of a receipt by itself,
  reads all attributes of a queue to know how long it keeps a message, and the clock for each message of it.
- moto lists every object that it makes, for a page that shows them, and empties these lists after each mock.
- A traceback's line is parsed to see what to underline, each time that it is formatted. Here once. And a failure's
  traceback is written for each handler of the log. Here once a record.
- typer makes the tree of all commands anew at each call of its runner.
- moto lists the methods of a response class and spells the names of actions anew, and botocore composes its user agent,
  at each call. Here once.

`tests/test_quick_aws.py` holds the answers against those of moto itself.
"""

from __future__ import annotations

import copy
import logging
import ssl
import traceback
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpcore2
import moto.core.models
import moto.core.responses
import moto.sqs.models
import typer.testing
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from botocore.useragent import UserAgentString
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.common_models import BaseModel
from moto.core.serialize import AttributePicker, AttributePickerContext
from moto.core.utils import camelcase_to_underscores, unix_time
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import bytesize
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.sqs.models import Message, Queue, SQSBackend

from tests import quick_calls, quick_client, quick_expressions

_own_query = Table.query
_own_all_items = Table.all_items
_own_pick = AttributePicker.__call__
_own_transact = DynamoDBBackend.transact_write_items
_own_copy_of_value = DynamoType.__deepcopy__
_own_equals = DynamoType.__eq__
_own_hash = DynamoType.__hash__
_own_size = DynamoType.size
_own_cast_value = DynamoType.cast_value.fget
_own_make = UpdateExpressionParser.make
_own_books = BackendDict.__getitem__
_own_book = AccountSpecificBackend.__getitem__
_own_regions = AccountSpecificBackend._generate_regions.__wrapped__
_own_frame = traceback.StackSummary.format_frame_summary
_own_exception = LambdaPowertoolsFormatter._extract_log_exception
_own_method_names = moto.core.responses.method_names_from_class

_TYPES = frozenset(("S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"))
_SCALARS = frozenset(("S", "N", "B", "BOOL", "NULL"))
_LARGEST_ITEM = 405_000
_transacted: ContextVar[list[dict[str, Any]]] = ContextVar("transacted")
_partition: ContextVar[DynamoType | None] = ContextVar("partition", default=None)


def query(self: Table, hash_key: DynamoType | None, *arguments: Any, **options: Any) -> Any:
    """Call moto's own query, for which `all_items` gives the rows of one partition. An index is asked moto's way."""
    wanted = _partition.set(None if options.get("index_name") else hash_key)
    try:
        return _own_query(self, hash_key, *arguments, **options)
    finally:
        _partition.reset(wanted)


def all_items(self: Table) -> list[Item]:
    """The rows of the partition that is asked for, which moto's query sorts; without one, of the table."""
    hash_key = _partition.get()
    if hash_key is None or not self.range_key_attr:
        return _own_all_items(self)
    return list(self.items.get(hash_key, {}).values())


def pick(self: AttributePicker, context: AttributePickerContext) -> Any:
    """A field that an answer holds under its exact name, nothing of a value of another type, else moto's search."""
    answer = context.obj
    if type(answer) is dict and not self.response_transformers:
        if context.key in answer:
            return answer[context.key]
        if len(answer) == 1 and context.key in _TYPES and _TYPES.issuperset(answer):
            return None
    return _own_pick(self, context)


def transact(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Call moto's own transaction, which copies its tables for the case that it fails."""
    asked = _transacted.set(transact_items)
    try:
        _own_transact(self, transact_items)
    finally:
        _transacted.reset(asked)


def copy_of_table(self: Table, memo: dict[int, Any]) -> Table:
    """A copy of what a transaction may change: its updates change rows, all else puts others in their place."""
    made = Table.__new__(Table)
    changed = _transacted.get(None)
    if changed is None:
        made.__dict__ = copy.deepcopy(self.__dict__, memo)
        return made
    made.__dict__ = {**self.__dict__, "items": self.items.copy()}
    if not self.range_key_attr:
        made.items = copy.deepcopy(self.items)
        return made
    for item in changed:
        operation, asked = next(iter(item.items()))
        row = asked.get("Key") or asked.get("Item") or {}
        if self.hash_key_attr not in row or self.range_key_attr not in row:
            continue
        pk, sk = DynamoType(row[self.hash_key_attr]), DynamoType(row[self.range_key_attr])
        if pk not in self.items:
            continue
        if made.items[pk] is self.items[pk]:
            made.items[pk] = self.items[pk].copy()
        if operation == "Update" and sk in made.items[pk]:
            made.items[pk][sk] = copy.deepcopy(made.items[pk][sk])
    return made


def copy_of_value(self: DynamoType, memo: dict[int, Any]) -> DynamoType:
    """A scalar is never changed, only put in the place of another."""
    return self if self.type in _SCALARS else _own_copy_of_value(self, memo)


def size(self: DynamoType) -> int:
    """A text's bytes, else what moto counts."""
    return len(self.value.encode()) if self.type == "S" else _own_size(self)


def cast_value(self: DynamoType) -> Any:
    """A text as it is, else what moto makes of it."""
    return self.value if self.type == "S" else _own_cast_value(self)


def hash_of_value(self: DynamoType) -> int:
    """By its text, else as moto does it. A text never equals a value of another type."""
    return hash(self.value) if self.type == "S" else _own_hash(self)


def equals(self: DynamoType, other: DynamoType) -> bool:
    return self.value == other.value if self.type == "S" == other.type else _own_equals(self, other)


def make_item(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    """A row whose size is counted once, not for each of its fields."""
    self.hash_key, self.range_key, self.attrs = hash_key, range_key, LimitedSizeDict()
    for name, value in attrs.items():
        dict.__setitem__(self.attrs, name, DynamoType(value))
    if sum(bytesize(name) + value.size() for name, value in self.attrs.items()) > _LARGEST_ITEM:
        raise ItemSizeTooLarge


def books(self: BackendDict[Any], account: str) -> Any:
    """What moto keeps of a service for an account. It is listed among those to be emptied since it was made."""
    found = self.get(account)
    return _own_books(self, account) if found is None else found


def book(self: AccountSpecificBackend[Any], region: str) -> Any:
    found = dict.get(self, region)
    return _own_book(self, region) if found is None else found


@cache
def _regions(service: str) -> tuple[str, ...]:
    return tuple(_own_regions(None, service))


def regions(_: AccountSpecificBackend[Any], service: str) -> list[str]:
    """Where a service is; moto asks for each account's books of it."""
    return [*_regions(service)]


def copy_of_message(self: Message, memo: dict[int, Any]) -> Message:
    """A copy of a message, of whose fields its attributes and its receipts are changed in their place."""
    made = Message.__new__(Message)
    made.__dict__ = {
        **self.__dict__,
        "message_attributes": copy.deepcopy(self.message_attributes, memo),
        "system_attributes": copy.deepcopy(self.system_attributes, memo),
        "_old_receipt_handles": [*self._old_receipt_handles],
    }
    return made


def waiting(self: Queue) -> list[Message]:
    """The messages that can be received, by one look at the clock and not by two for each."""
    now = moto.sqs.models.unix_time_millis()
    return [message for message in self._messages if message.visible_at < now >= message.delayed_until]


def count_received(self: Queue) -> int:
    now = moto.sqs.models.unix_time_millis()
    return sum(message.visible_at >= now for message in self._messages)


def count_delayed(self: Queue) -> int:
    now = moto.sqs.models.unix_time_millis()
    return sum(message.delayed_until > now for message in self._messages)


def is_still_kept(self: SQSBackend, queue_name: str, message: Message) -> bool:
    """Whether a queue still keeps a message, by the one attribute that says so."""
    period: float = self.get_queue(queue_name).message_retention_period  # type: ignore[attr-defined]
    return period + message.sent_timestamp / 1000 > unix_time()  # type: ignore[operator]


_frames: dict[Any, str] = {}


def frame(self: traceback.StackSummary, one: traceback.FrameSummary, **options: Any) -> str:
    """The lines of a frame in a traceback. What has locals to show, or is of no file, is formatted anew."""
    if one.locals or not one.filename.endswith(".py"):
        return _own_frame(self, one, **options)
    place = (one.filename, one.name, one.lineno, one.end_lineno, one.colno, one.end_colno, one.line, *options.items())
    if place not in _frames:
        _frames[place] = _own_frame(self, one, **options)
    return _frames[place]


class _Written:
    """A formatter whose traceback is written already."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def formatException(self, _: Any) -> str | None:  # noqa: N802 - the library's name
        return self._text


def exception(self: LambdaPowertoolsFormatter, log_record: logging.LogRecord) -> Any:
    """What failed, in words that the record keeps for its other handlers."""
    if isinstance(log_record.exc_info, tuple) and not log_record.exc_text:
        log_record.exc_text = self.formatException(log_record.exc_info)
    return _own_exception(_Written(log_record.exc_text), log_record)  # type: ignore[arg-type]


QUICK: dict[tuple[Any, str], Any] = {
    (Table, "query"): query,
    (Table, "all_items"): all_items,
    (Table, "__deepcopy__"): copy_of_table,
    (DynamoDBBackend, "transact_write_items"): transact,
    (DynamoType, "__deepcopy__"): copy_of_value,
    (DynamoType, "__eq__"): equals,
    (DynamoType, "__hash__"): hash_of_value,
    (DynamoType, "size"): size,
    (DynamoType, "cast_value"): property(cast_value),
    (Item, "__init__"): make_item,
    (UpdateExpressionParser, "make"): cache(_own_make),
    (AttributePicker, "__call__"): pick,
    (BackendDict, "__getitem__"): books,
    (BaseModel, "__new__"): staticmethod(lambda cls, *_, **__: object.__new__(cls)),
    (moto.core.models, "reset_model_data"): lambda: None,
    (AccountSpecificBackend, "__getitem__"): book,
    (AccountSpecificBackend, "_generate_regions"): regions,
    (Message, "__deepcopy__"): copy_of_message,
    (Queue, "messages"): property(waiting),
    (Queue, "approximate_number_of_messages_not_visible"): property(count_received),
    (Queue, "approximate_number_of_messages_delayed"): property(count_delayed),
    (SQSBackend, "is_message_valid_based_on_retention_period"): is_still_kept,
    (moto.sqs.models, "generate_receipt_handle"): lambda: quick_calls.named(185),
    (traceback.StackSummary, "format_frame_summary"): frame,
    (LambdaPowertoolsFormatter, "_extract_log_exception"): exception,
    (moto.core.models, "RESPONSES_METHODS"): (),
    (moto.core.responses, "method_names_from_class"): cache(_own_method_names),
    (moto.core.responses, "camelcase_to_underscores"): cache(camelcase_to_underscores),
    (moto.sqs.models, "camelcase_to_underscores"): cache(camelcase_to_underscores),
    (UserAgentString, "to_string"): lambda _: "boto3 in tests",
    (ssl, "create_default_context"): cache(ssl.create_default_context),
    (httpcore2, "default_ssl_context"): cache(httpcore2.default_ssl_context),
    (typer.testing, "_get_command"): cache(typer.testing._get_command),
    **quick_calls.QUICK,
    **quick_client.QUICK,
    **quick_expressions.QUICK,
}
"""What stands in for what moto or botocore has."""

OWN = {(owner, name): vars(owner).get(name) for owner, name in QUICK}


def quicken() -> None:
    """Put the quick ways in, for this process."""
    for (owner, name), quick in QUICK.items():
        setattr(owner, name, quick)
