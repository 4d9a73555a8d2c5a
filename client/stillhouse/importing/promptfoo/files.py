"""Read the files that a config names, by `file://` or by their path, relative to the config.

Out: text, or the parsed content of YAML, JSON, JSON lines and CSV. Nothing is executed: scripts raise Unmapped. Raises
Stopped if a YAML file is not well formed or PyYAML is not installed.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from stillhouse.importing.source import Unmapped
from stillhouse.importing.stopped import Stopped

_SCHEME = "file://"
_TEXT = frozenset({".txt", ".md", ".j2", ".html", ".xml", ""})


class Beside:
    """The files in a config's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, value: Any) -> Any:
        """Return the content of the file that a value names with `file://`; any other value is returned as it is."""
        return self.value(value) if isinstance(value, str) and value.startswith(_SCHEME) else value

    def paths(self, reference: str) -> list[Path]:
        """Return the files of a reference, which may be a glob pattern. Raises Unmapped if there is none."""
        name = reference.removeprefix(_SCHEME)
        pattern = any(sign in name for sign in "*?[")
        paths = sorted(self._folder.glob(name)) if pattern else [self._folder / name]
        if not paths or not all(path.is_file() for path in paths):
            raise Unmapped(f"{name} is not there")
        return paths

    def text(self, reference: str) -> str:
        (path, *_) = self.paths(reference)
        return _read(path)

    def value(self, reference: str) -> Any:
        (path, *_) = self.paths(reference)
        return loaded(path)


def loaded(path: Path) -> Any:
    """Parse a file by its suffix; a text file gives its text. Raises Unmapped for any other suffix."""
    match path.suffix.lower():
        case ".yaml" | ".yml":
            return yaml_of(_read(path), path.name)
        case ".json":
            return json.loads(_read(path))
        case ".jsonl":
            return [json.loads(line) for line in _read(path).splitlines() if line.strip()]
        case ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                return list(csv.DictReader(file))
        case suffix if suffix in _TEXT:
            return _read(path)
        case suffix:
            raise Unmapped(f"a file of kind {suffix}")


def yaml_of(text: str, name: str) -> Any:
    # Imported here: PyYAML is an optional dependency of the client.
    try:
        import yaml
    except ModuleNotFoundError:
        raise Stopped("reading YAML needs PyYAML: pip install 'stillhouse[promptfoo]'") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Stopped(f"{name} is no YAML ({type(error).__name__})") from None


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")
