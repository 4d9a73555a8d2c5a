"""The other side of the trainer `file`: the bucket, and a person who trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ConnectionClosedError

from distillations import by_hand
from foundation import blobs, table
from tests.tuning.trainers.far_side import FarSide
from tuning.trainers.file import FileTrainer


@dataclass
class FarFile(FarSide):
    lost: Exception = field(default_factory=lambda: ConnectionClosedError(endpoint_url="lost"))
    fails: bool = False

    def patch(self, monkeypatch: Any) -> None:
        """Have what the trainer does to the bucket and to its row pass through `call`."""
        for owner, names in ((blobs, ("put_lines", "put", "delete")), (by_hand, ("begin", "look", "cancel"))):
            for name in names:
                monkeypatch.setattr(owner, name, self._passing(getattr(owner, name)))

    def _passing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def passing(*arguments: Any, **more: Any) -> Any:
            return self.call(lambda: real(*arguments, **more))

        return passing

    def trainer(self) -> FileTrainer:
        return FileTrainer()

    def becomes(self, intent: str, state: str) -> None:
        match state:
            case "running":
                pass
            case "succeeded":
                assert by_hand.name_model(intent, f"by-hand-{intent}")
            case _:
                table.update(intent, "BYHAND", {"state": state})

    def vanishes(self, intent: str) -> None:
        table.delete(intent, "BYHAND")

    def state(self, intent: str) -> str:
        known = by_hand.look(intent)
        assert known
        return known.state

    def files(self, intent: str) -> list[str]:
        return [key for key in blobs.keys(f"tuning/{intent}/") if key.endswith(".jsonl")]


def make_far_side(monkeypatch: Any) -> FarFile:
    far = FarFile()
    begin = by_hand.begin

    def counted(job_id: str) -> None:
        fresh = table.get(job_id, "BYHAND") is None
        begin(job_id)
        if fresh:
            far.made.append(job_id)

    monkeypatch.setattr(by_hand, "begin", counted)
    far.patch(monkeypatch)
    return far
