"""A file that is deleted takes its bytes along, also those that come after it by a link."""

from __future__ import annotations

import pytest

from evals import files
from evals.files import LINK_S, File, discard_late, file_key
from foundation import blobs
from foundation.ids import now

pytestmark = pytest.mark.usefixtures("cloud")


def made(*, age_s: int = 0) -> File:
    file_id = f"file-{age_s}"
    file = File(
        id=file_id, created_at=now() - age_s, bytes=3, filename="a.jsonl", purpose="evals", key=file_key(file_id)
    )
    assert file.create()
    return file


def put(file: File) -> None:
    """What a link does, whatever we know of the file."""
    blobs.put(file.key, b"abc")


def test_what_a_link_brings_after_the_deletion_is_deleted_once_the_link_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = made()
    file.discard()
    put(file)
    assert discard_late(lambda: True) == 0, "the link is open: more may come"
    assert list(blobs.keys("files/")) == [file.key]
    monkeypatch.setattr(files, "now", lambda: now() + LINK_S + 1)
    assert discard_late(lambda: True) == 1
    assert not list(blobs.keys("files/"))
    assert discard_late(lambda: True) == 0, "nothing is left to look at"


def test_a_file_whose_link_is_closed_is_deleted_at_once() -> None:
    file = made(age_s=LINK_S)
    put(file)
    file.discard()
    assert not list(blobs.keys("files/"))
    assert discard_late(lambda: True) == 0


def test_a_sweep_without_time_leaves_them_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    made().discard()
    monkeypatch.setattr(files, "now", lambda: now() + LINK_S + 1)
    assert discard_late(lambda: False) == 0
    assert discard_late(lambda: True) == 1
