"""A training file at Together: asked for, put into storage whose address Together gives, and read there.

Together knows files by their checksum, so two jobs on the same lines would share one, which the first that ends would
delete. Whitespace behind the last line, which no reader of JSON sees, tells two files apart. A file that
is there already is thus one that an earlier call has put there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import urljoin

from tuning.trainers.hosted import Api, Refused
from tuning.trainers.trainer import TrainerAway
from tuning.trainers.training_file import TrainingFile

_FILES = "/v1/files"
_TAKEN = 409


def uploaded(api: Api, intent: str, split: str, file: TrainingFile) -> str:
    """Upload the file of a split; its id there."""
    with TemporaryFile() as copy:
        copy.writelines(_marked(file.read(), f"{intent}-{split}"))
        return _put(api, copy, f"{intent}-{split}.jsonl")


def forget(api: Api, intent: str) -> None:
    """Delete the files that were uploaded for the intent, also those of a start that broke off."""
    for file in api.get(_FILES).get("data") or []:
        if str(file.get("filename", "")).startswith(f"{intent}-"):
            api.delete(f"{_FILES}/{file['id']}")


def _marked(lines: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The lines, with whitespace behind the last one that spells a hash of the file's name."""
    last = b""
    for line in lines:
        if last:
            yield last
        last = line
    bits = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    yield last.rstrip(b"\r\n") + bytes(b" \t"[bits >> place & 1] for place in range(64)) + b"\n"


def _put(api: Api, copy: Any, filename: str) -> str:
    size = copy.tell()
    copy.seek(0)
    checksum = hashlib.file_digest(copy, "sha256").hexdigest()
    about = {"purpose": "fine-tune", "file_name": filename, "file_type": "jsonl", "checksum": checksum}
    try:
        answer = api.send("POST", _FILES, files={name: (None, value) for name, value in about.items()})
    except Refused as refusal:
        if refusal.status != _TAKEN or not refusal.body.get("file_id"):
            raise
        return str(refusal.body["file_id"])
    place, file_id = answer.headers.get("location"), answer.headers.get("x-together-file-id")
    if not place or not file_id:
        raise TrainerAway("Together does not say where to put the file.")
    copy.seek(0)
    api.put_file(urljoin(str(answer.request.url), place), copy, size)
    api.post(f"{_FILES}/{file_id}/preprocess", {})
    return str(file_id)
