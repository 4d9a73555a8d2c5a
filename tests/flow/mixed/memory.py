"""What the process holds, measured when the stack is empty: moto's stores and the lab's are emptied before.

In: a moment at which nothing is at work. Out: resident bytes, given back to the system first, and how many objects
Python's collector knows of. What moto or the lab would keep is not in it; the services' clients, caches and threads
are.
"""

from __future__ import annotations

import ctypes
import gc
import resource
from pathlib import Path
from typing import Any, NamedTuple

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.model_instances import model_data
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from tests.flow.system import System

_REGION = "us-east-1"
_FEWEST = 8
"""Rounds. In the first ones the process still imports and fills its caches."""


class Memory(NamedTuple):
    """Resident bytes, and objects of the collector."""

    bytes: int
    objects: int


def measured() -> Memory:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Memory(pages * resource.getpagesize(), len(gc.get_objects()))


def check_flat(memories: list[Memory]) -> None:
    """From the end of the first quarter to the end of the last, neither grows by more than what varies by itself."""
    if len(memories) >= _FEWEST:
        first, last = memories[len(memories) // 4], memories[-1]
        assert last.objects < 1.02 * first.objects, (first, last)
        assert last.bytes < 1.1 * first.bytes, (first, last)


def empty(system: System) -> None:
    """Take every row, object and message out of moto: what a deletion leaves for good would make each query slower.

    moto also keeps every model that it ever made, every notification, and the handles of deleted messages.
    """
    account: Any = dynamodb_backends[DEFAULT_ACCOUNT_ID][_REGION]
    account.tables[system.table].items.clear()
    keys: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[system.bucket].keys
    for key in list(keys):
        keys.pop(key)
    for queue in sqs_backends[DEFAULT_ACCOUNT_ID][_REGION].queues.values():
        queue._pending_messages.clear()
        queue.deleted_messages.clear()
    for topic in sns_backends[DEFAULT_ACCOUNT_ID][_REGION].topics.values():
        topic.sent_notifications.clear()
    for models in model_data.values():
        for model in models.values():
            model.instances_tracked.clear()
