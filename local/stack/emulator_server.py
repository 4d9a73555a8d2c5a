"""MiniStack 1.5.33, run by the interpreter of `.venv-emulator`, with three changes.

- It unpacks a function's archive anew for every process, with us some forty times a hundred megabytes: here each
  process links to one copy per distinct archive, under `STILLHOUSE_CODE`, beside which `TMPDIR` must be.
- It takes a `MaximumConcurrency` that comes from a parameter for text, at which its poller fails.
- Where it enforces policies, it asks for an action and an ARN that AWS does not have: `sqs:SendMessageBatch` and
  `rule/default/<name>`. Of a call of SQS that names its queue by `SourceArn`, it does not see which queue that is.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any, override

from ministack import app
from ministack.core import iam_actions, lambda_runtime
from ministack.services import lambda_svc

_unpacking = threading.Lock()
_SOURCE = re.compile(rb'"SourceArn":\s*"(arn:aws:sqs:[^"]+)"')


class _SharedArchive(zipfile.ZipFile):
    @override
    def extractall(self, path: str | os.PathLike[str] | None = None, *_: object, **__: object) -> None:
        """Replaces the empty directory by a link to the one copy, and the archive's file by nothing."""
        target, archive = Path(path or "."), Path(str(self.filename))
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        shared = Path(os.environ["STILLHOUSE_CODE"]) / digest[:16]
        with _unpacking:
            if not shared.exists():
                draft = Path(tempfile.mkdtemp(prefix="unpacking-"))
                super().extractall(draft)
                draft.rename(shared)
        target.rmdir()
        target.symlink_to(shared, target_is_directory=True)
        archive.unlink()


def _numeric(limit: Callable[..., Any]) -> Callable[..., int]:
    @wraps(limit)
    def number(*arguments: Any) -> int:
        return int(limit(*arguments))

    return number


def _single(action: Callable[..., str | None]) -> Callable[..., str | None]:
    @wraps(action)
    def named(*arguments: Any) -> str | None:
        name = action(*arguments)
        return name.removesuffix("Batch") if name and name.startswith("sqs:") else name

    return named


def _on_default_bus(resource: Callable[..., str]) -> Callable[..., str]:
    @wraps(resource)
    def arn(*arguments: Any) -> str:
        return resource(*arguments).replace(":rule/default/", ":rule/")

    return arn


def _by_source(resource: Callable[..., str]) -> Callable[..., str]:
    @wraps(resource)
    def arn(service: str, *arguments: Any, **named: Any) -> str:
        found = resource(service, *arguments, **named)
        if service != "sqs" or found != "*":
            return found
        bodies = [value for value in (*arguments, *named.values()) if isinstance(value, bytes)]
        queues = [match[1].decode() for body in bodies if (match := _SOURCE.search(body))]
        return queues[0] if queues else found

    return arn


def main() -> None:
    iam_actions.extract_iam_action = _single(iam_actions.extract_iam_action)
    iam_actions.extract_resource_arn = _by_source(_on_default_bus(iam_actions.extract_resource_arn))
    lambda_svc._sqs_esm_concurrency = _numeric(lambda_svc._sqs_esm_concurrency)  # noqa: SLF001, no public way
    lambda_runtime.zipfile = SimpleNamespace(**(vars(zipfile) | {"ZipFile": _SharedArchive}))
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
