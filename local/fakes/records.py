"""What the fakes know: documents by kind and ARN, kept over a restart, found by name or ARN.

A record has AWS's own document, as its Get or Describe answers it, and what only the fake knows of it.
"""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from local.fakes.wire import AwsError
from local.lab.store import Store

_ALPHABET = string.ascii_lowercase + string.digits
_SHORT_ID = 12


@dataclass
class Record:
    """One resource: its document as AWS shows it, and what the fake keeps beside it."""

    kind: str
    arn: str
    name: str
    document: dict[str, Any]
    own: dict[str, Any] = field(default_factory=dict)


class Records:
    """All resources of one kind of AWS's services."""

    def __init__(self, store: Store, *, region: str, account: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._kept: dict[str, Record] = {}
        self.region = region
        self.account = account
        self.now = clock
        for document in store.kept("resources").values():
            record = Record(**orjson.loads(document))
            self._kept[record.arn] = record

    def add(self, record: Record) -> Record:
        self._kept[record.arn] = record
        self.keep(record)
        return record

    def keep(self, record: Record) -> None:
        """Write a record that has changed."""
        self._store.keep("resources", record.arn, orjson.dumps(record))

    def drop(self, record: Record) -> None:
        del self._kept[record.arn]
        self._store.drop("resources", record.arn)

    def all(self, kind: str) -> list[Record]:
        """Those of a kind, oldest first."""
        return [record for record in list(self._kept.values()) if record.kind == kind]

    def find(self, kind: str, identifier: str) -> Record | None:
        """The one of a kind with this ARN or, if none has it, with this name."""
        of_arn = self._kept.get(identifier)
        if of_arn and of_arn.kind == kind:
            return of_arn
        return next((record for record in self.all(kind) if record.name == identifier), None)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def once(
    records: Records, operation: str, parameters: dict[str, Any], make: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Answer a call that carries a client token: the same call again gets the first answer, another one an error."""
    token = parameters.get("clientRequestToken")
    if token is None:
        return make()
    asked = sha256(orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS)).hexdigest()
    known = records.find("token", f"{operation}/{token}")
    if known is None:
        answer = make()
        records.add(Record("token", f"{operation}/{token}", token, answer, {"asked": asked}))
        return answer
    if known.own["asked"] != asked:
        raise AwsError("ConflictException", f"The token {token} was used for a call with other parameters.")
    return known.document


def short_id() -> str:
    """Twelve lower-case letters and digits, as Bedrock's ARNs end."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_SHORT_ID))
