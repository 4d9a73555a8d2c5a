"""The lab's documents on disk, from which its models are made again after a restart.

In: documents by kind and name. Out: the same, oldest first. Models themselves are not kept, but their training
examples: the same examples with the same seed give the same model. Without a folder nothing is kept.
"""

import threading
from pathlib import Path
from urllib.parse import quote, unquote

_SUFFIX = ".kept"


class Store:
    """A folder with a file per document, `<kind>/<name>`."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._writing = threading.Lock()

    def keep(self, kind: str, name: str, content: bytes) -> None:
        """Write a document over the one of the same name, atomically."""
        if self._folder is None:
            return
        path = _path(self._folder, kind, name)
        with self._writing:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            draft.write_bytes(content)
            draft.replace(path)

    def drop(self, kind: str, name: str) -> None:
        if self._folder is not None:
            _path(self._folder, kind, name).unlink(missing_ok=True)

    def kept(self, kind: str) -> dict[str, bytes]:
        """Name and content of every document of a kind, in the order in which they were last kept."""
        if self._folder is None:
            return {}
        paths = sorted((self._folder / kind).glob(f"*{_SUFFIX}"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        return {unquote(path.name.removesuffix(_SUFFIX)): path.read_bytes() for path in paths}


def _path(folder: Path, kind: str, name: str) -> Path:
    return folder / kind / f"{quote(name, safe='')}{_SUFFIX}"
