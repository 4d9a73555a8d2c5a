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
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

from tests.flow.system import System

_REGION = "us-east-1"


class Memory(NamedTuple):
    """Resident bytes, and objects of the collector."""

    bytes: int
    objects: int


def measured() -> Memory:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Memory(pages * resource.getpagesize(), len(gc.get_objects()))


def empty(system: System) -> None:
    """Take every row and every object out of moto: what stays of a deletion for good would make each query slower."""
    account: Any = dynamodb_backends[DEFAULT_ACCOUNT_ID][_REGION]
    account.tables[system.table].items.clear()
    keys: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[system.bucket].keys
    for key in list(keys):
        keys.pop(key)
