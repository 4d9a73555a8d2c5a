"""Messages for the recorder, and a look at all that it stored."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from backports import zstd

from capture.odd import completion_of
from completions.completion import Completion
from foundation import blobs
from foundation.events import RecordCompletions
from tests.cloud import aws_client
from tests.flow import loop
from tests.flow.system import System


def message(numbers: range, batch_id: str, *, part: int = 0, parts: int = 1) -> RecordCompletions:
    completions = [completion_of(loop.record(number, split="train", tag="rec")) for number in numbers]
    return packed(completions, batch_id, part=part, parts=parts)


def packed(completions: Iterable[Completion], batch_id: str, *, part: int = 0, parts: int = 1) -> RecordCompletions:
    body = zstd.compress(b"\n".join(completion.line() for completion in completions))
    return RecordCompletions(batch_id=batch_id, part=part, parts=parts, records=body)


def everything(system: System) -> tuple[dict[str, bytes], list[Any]]:
    """All that is stored: objects by key, rows in order."""
    objects = {key: blobs.get(key) for key in blobs.keys("")}
    rows = aws_client("dynamodb").scan(TableName=system.table)["Items"]
    return objects, sorted(rows, key=lambda row: json.dumps([row["pk"], row["sk"]]))
