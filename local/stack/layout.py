"""Where the local stack keeps its files: everything under `.local/`, nothing elsewhere.

What survives a stop lies in `.local/state`, or in the folder that the environment variable `STILLHOUSE_STATE` names.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Paths derived from the checkout's root."""

    root: Path

    @classmethod
    def of_checkout(cls) -> Layout:
        return cls(Path(__file__).absolute().parents[2])

    @property
    def local(self) -> Path:
        return self.root / ".local"

    @property
    def logs(self) -> Path:
        return self.local / "logs"

    @property
    def info(self) -> Path:
        return self.local / "stack.json"

    @property
    def supervisor(self) -> Path:
        """Locked by the running stack's process, for as long as it lives."""
        return self.local / "supervisor.lock"

    @property
    def notifications(self) -> Path:
        return self.local / "notifications.jsonl"

    @property
    def scratch(self) -> Path:
        """The emulator's and its functions' temporary directory, emptied with every start and stop."""
        return self.local / "tmp"

    @property
    def state(self) -> Path:
        """What survives a stop: table, bucket and resources of the emulator, models of the lab, the chosen ports."""
        return Path(os.environ.get("STILLHOUSE_STATE") or self.local / "state")

    @property
    def ports(self) -> Path:
        return self.state / "ports.json"

    @property
    def lab_state(self) -> Path:
        return self.state / "lab"

    @property
    def fakes_state(self) -> Path:
        return self.state / "fakes"

    @property
    def code(self) -> Path:
        """Unpacked archives of functions, by their hash; the latest outlives the emulator."""
        return self.local / "code"

    @property
    def built(self) -> Path:
        """Apart from `.aws-sam`, whose build is for AWS's machines."""
        return self.local / "sam" / "build"

    def environment(self, name: str) -> Path:
        """The `bin` directory of `.venv`, `.venv-emulator` or `.venv-sam`."""
        return self.root / name / "bin"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"
