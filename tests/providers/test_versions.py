"""Versions are read once in a while: what was trained or retired is seen soon, and names of callers fill no memory."""

from __future__ import annotations

from typing import Any

import pytest

from foundation import aws
from providers import versions
from providers.model_version import ModelVersion
from providers.versions import Versions
from tests.cloud import Cloud


@pytest.fixture
def reads(cloud: Cloud) -> list[str]:
    seen: list[str] = []

    def count(params: Any, **_: Any) -> None:
        seen.append(str(params["body"]))

    cloud.on(aws.dynamodb(), "before-call.dynamodb.GetItem", count)
    return seen


def trained(name: str) -> ModelVersion:
    version = ModelVersion(id=name, created_at=1, base="small", trainer="")
    version.create()
    return version


def test_a_version_is_kept_for_less_than_a_minute(reads: list[str]) -> None:
    seconds = [0.0]
    known = Versions(lambda: seconds[0])
    version = trained("ft:a")
    assert [known.find("ft:a"), known.find("ft:a")] == [version, version]
    version.change({"retired_at": 5})
    seconds[0] += 50
    again = known.find("ft:a")
    assert again
    assert again.retired_at == 5
    assert sum("ft:a" in read for read in reads) == 2


def test_a_name_that_is_none_yet_is_looked_up_again_soon(reads: list[str]) -> None:
    seconds = [0.0]
    known = Versions(lambda: seconds[0])
    assert [known.find("ft:new"), known.find("ft:new")] == [None, None]
    assert len(reads) == 1
    version = trained("ft:new")
    seconds[0] += 10
    assert known.find("ft:new") == version


def test_names_that_are_no_keys_of_the_table_are_nobody_s(reads: list[str]) -> None:
    known = Versions()
    assert [known.find(name) for name in ("", "x" * 1025, "ö" * 513)] == [None] * 3
    assert not reads
    assert known.find("ö" * 512) is None
    assert len(reads) == 1


def test_many_names_fill_no_memory(reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_MOST_HELD", 3)
    known = Versions()
    for number in range(10):
        known.find(f"name-{number}")
        assert len(known._held) <= 3
    assert len(reads) == 10
