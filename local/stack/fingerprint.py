"""Hashes of sources, by which a build, a deploy or a restart is skipped when nothing changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from local.stack import iam

_LEFT_OUT = {"__pycache__", ".mypy_cache", ".ruff_cache", "operate"}
"""`infra/operate` acts on what is deployed and is no part of it."""


def sources(root: Path) -> str:
    """Of all that ends in AWS: the template, what it includes, the functions and their requirements."""
    return _digest(root, ("template.yaml", "samconfig.toml", "infra", "services", "sandbox"))


def processes(root: Path) -> str:
    """Of what runs beside the functions: lab, fakes and this package, at the versions of the lock."""
    return _digest(root, ("uv.lock", "local/fakes", "local/lab", "local/samples", "local/stack")) + (
        "+iam" if iam.enforced() else ""
    )


def _digest(root: Path, names: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        for file in _files(root / name):
            digest.update(f"{file.relative_to(root)}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir() and path.name not in _LEFT_OUT:
        for entry in sorted(path.iterdir()):
            yield from _files(entry)
