"""MiniStack, run by the interpreter of `.venv-emulator`, with one change: a function's code is unpacked once.

MiniStack unpacks the archive anew for every function process, with us some forty times a hundred megabytes.
Here each process links to one copy per distinct archive. `TMPDIR` must be the emulator's own directory.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import override

from ministack import app
from ministack.core import lambda_runtime

_unpacking = threading.Lock()


class _SharedArchive(zipfile.ZipFile):
    @override
    def extractall(self, path: str | os.PathLike[str] | None = None, *_: object, **__: object) -> None:
        """Replaces the empty directory by a link to the one copy, and the archive's file by nothing."""
        target, archive = Path(path or "."), Path(str(self.filename))
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        shared = Path(tempfile.gettempdir()) / f"code-{digest[:16]}"
        with _unpacking:
            if not shared.exists():
                draft = Path(tempfile.mkdtemp(prefix="unpacking-"))
                super().extractall(draft)
                draft.rename(shared)
        target.rmdir()
        target.symlink_to(shared, target_is_directory=True)
        archive.unlink()


def main() -> None:
    lambda_runtime.zipfile = SimpleNamespace(**(vars(zipfile) | {"ZipFile": _SharedArchive}))
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
