"""The progress of an import: a small file, written after every batch that Stillhouse acknowledged.

In: counts, and the cursor behind the last acknowledged item. Out: the same when an interrupted import is started again.
Refusals are written beside it, to `<state>.refused.jsonl`. A finished import deletes its state, so the next one starts
from the beginning. Raises Stopped if the file belongs to another import.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stillhouse.capturing.wrap import state_folder
from stillhouse.importing.stopped import Stopped

_MOST_REASONS = 100


@dataclass
class Counts:
    """Every item of the source ends in accepted, skipped, unmapped, refused or duplicates.

    Of those that are the same completion one is accepted.
    """

    read: int = 0
    accepted: int = 0
    renamed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def duplicates(self) -> int:
        """What Stillhouse took without another mention. Right between two batches: a batch is counted as a whole."""
        ended = self.skipped.total() + self.unmapped.total() + self.refused.total()
        return self.read - self.accepted - ended

    def add(self, kind: str, reason: str) -> None:
        """Count a reason; beyond a hundred kinds of them they are no longer told apart."""
        reasons: Counter[str] = getattr(self, kind)
        reasons[reason if reason in reasons or len(reasons) < _MOST_REASONS else "other reasons"] += 1


def path_for(identity: dict[str, Any]) -> Path:
    """Where the state of an import lies that was given no file."""
    name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    return state_folder() / "imports" / f"{identity['source']}-{name}.json"


class State:
    """The state file of one import."""

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self.path = path
        self.refusals = path.with_name(f"{path.name}.refused.jsonl")
        self.cursor: Any = None
        self.counts = Counts()
        self._identity = identity
        self._refused_bytes = 0
        self._resume()

    def _resume(self) -> None:
        try:
            saved = json.loads(self.path.read_bytes())
            ours = saved["identity"] == self._identity
        except FileNotFoundError:
            self.refusals.unlink(missing_ok=True)
            return
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise Stopped(f"{self.path} is no state of an import ({type(error).__name__})") from None
        if not ours:
            raise Stopped(f"{self.path} belongs to another import: name another file, or delete it to start afresh")
        self.cursor = saved["cursor"]
        reasons = {name: Counter(value) for name, value in saved["counts"].items() if isinstance(value, dict)}
        self.counts = Counts(**{**saved["counts"], **reasons})
        self._refused_bytes = saved["refused_bytes"]
        if self.refusals.exists():
            # What was written after the last save will be refused again.
            os.truncate(self.refusals, self._refused_bytes)

    def refuse(self, refusals: Iterable[dict[str, Any]]) -> None:
        lines = b"".join(json.dumps(refusal).encode() + b"\n" for refusal in refusals)
        if lines:
            with self._opened(self.refusals, os.O_APPEND) as file:
                file.write(lines)
            self._refused_bytes += len(lines)

    def save(self) -> None:
        saved = {
            "identity": self._identity,
            "cursor": self.cursor,
            "counts": vars(self.counts),
            "refused_bytes": self._refused_bytes,
        }
        part = self.path.with_name(f"{self.path.name}.part")
        with self._opened(part, os.O_TRUNC) as file:
            file.write(json.dumps(saved).encode())
        part.replace(self.path)

    def finish(self) -> None:
        self.path.unlink(missing_ok=True)

    def _opened(self, path: Path, flag: int) -> Any:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600), "wb")
