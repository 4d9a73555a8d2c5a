"""An AWS account in a few dictionaries: enough of DynamoDB, S3 and SQS for the grading of a run, at next to no cost.

What is left to measure is our own code with boto3's calls cut away (`cut.py`). Conditions of updates are taken to hold.
"""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, unquote

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from tests.bench.cut import Cut

_SET = re.compile(r"(#\w+) = (:\w+)")
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class Account(Cut):
    """Rows by partition and sort key, messages, and how many calls were made. Objects lie in files and take no memory.

    Rows of partitions that begin with one of `forgotten` are taken, and not kept.
    """

    def __init__(self, *, forgotten: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._forgotten = forgotten
        self.rows: dict[str, dict[str, Any]] = {}
        self.calls = 0

    def answer(self, client: Any, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        known = {
            "PutItem": self._put_item,
            "UpdateItem": self._update,
            "Query": self._query,
            "BatchGetItem": self._batch,
            "BatchWriteItem": self._write_batch,
            "PutObject": self._put_object,
            "CreateMultipartUpload": self._begin,
            "UploadPart": self._append,
            "HeadObject": self._head,
            "GetObject": self._body,
            "ListObjectsV2": self._list,
        }
        if operation == "GetItem" and (row := self._row(asked["Key"])):
            return {"Item": row}
        if operation in known:
            return known[operation](asked) or {}
        return super().answer(client, operation, asked)

    def _put_item(self, asked: dict[str, Any]) -> None:
        self._put(asked["Item"])

    def _write_batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        for request in (request for some in asked["RequestItems"].values() for request in some):
            self._put(request["PutRequest"]["Item"])
        return {"UnprocessedItems": {}}

    def _put_object(self, asked: dict[str, Any]) -> None:
        self._file(asked["Key"]).write_bytes(asked["Body"])

    def _begin(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._file(asked["Key"]).write_bytes(b"")
        return {"UploadId": "1"}

    def _append(self, asked: dict[str, Any]) -> dict[str, Any]:
        with self._file(asked["Key"]).open("ab") as file:
            file.write(asked["Body"])
        return {"ETag": "1"}

    def _head(self, asked: dict[str, Any]) -> None:
        if not self._file(asked["Key"]).exists():
            raise _missing("HeadObject")

    def _put(self, item: dict[str, Any]) -> None:
        if self._forgotten and item["pk"]["S"].startswith(self._forgotten):
            return
        self.rows.setdefault(item["pk"]["S"], {})[item["sk"]["S"]] = item

    def _row(self, key: dict[str, Any]) -> dict[str, Any] | None:
        return self.rows.get(key["pk"]["S"], {}).get(key["sk"]["S"])

    def _update(self, asked: dict[str, Any]) -> None:
        row = self._row(asked["Key"])
        if row is None:
            raise SystemExit(f"an update of a row that is not there: {asked['Key']}")
        for name, value in _SET.findall(asked["UpdateExpression"]):
            row[asked["ExpressionAttributeNames"][name]] = asked["ExpressionAttributeValues"][value]

    def _query(self, asked: dict[str, Any]) -> dict[str, Any]:
        pk, low, high = (asked["ExpressionAttributeValues"][name]["S"] for name in (":pk", ":low", ":high"))
        rows = self.rows.get(pk, {})
        keys = sorted((key for key in rows if low <= key <= high), reverse=not asked["ScanIndexForward"])
        return {"Items": [rows[key] for key in keys[: asked.get("Limit")]]}

    def _batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        ((name, wanted),) = asked["RequestItems"].items()
        return {
            "Responses": {name: [row for key in wanted["Keys"] if (row := self._row(key))]},
            "UnprocessedKeys": {},
        }

    def _file(self, key: str) -> Path:
        return Path(self._folder.name, quote(key, safe=""))

    def _list(self, asked: dict[str, Any]) -> dict[str, Any]:
        paths = Path(self._folder.name).glob(quote(asked["Prefix"], safe="") + "*")
        return {"Contents": [{"Key": unquote(path.name)} for path in paths]}

    def _body(self, asked: dict[str, Any]) -> dict[str, Any]:
        path = self._file(asked["Key"])
        if not path.exists():
            raise _missing("GetObject")
        file = path.open("rb")
        length = path.stat().st_size
        if span := _RANGE.fullmatch(asked.get("Range", "")):
            file.seek(int(span[1]))
            length = min(length, int(span[2]) + 1) - int(span[1])
            with file:
                return {"Body": StreamingBody(BytesIO(file.read(length)), length)}
        return {"Body": StreamingBody(file, length)}


def _missing(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "NoSuchKey"}, "ResponseMetadata": {"HTTPStatusCode": 404}}, operation)
