"""What is deployed stays small: Lambda's limit is 250 MB, ours is 80, since a cold start reads it."""

from __future__ import annotations

import pytest

from tests.stack.conftest import REPOSITORY

LIMIT = 80_000_000


@pytest.mark.usefixtures("stack")
def test_the_common_bundle_is_under_80_mb_unzipped() -> None:
    built = [folder for folder in (REPOSITORY / ".local/sam/build").iterdir() if folder.is_dir()]
    assert built
    for bundle in built:
        # Byte code is ours to add or leave; what the lock brings is what has to stay small.
        files = [path for path in bundle.rglob("*") if path.is_file() and path.suffix != ".pyc"]
        assert sum(path.stat().st_size for path in files) < LIMIT, bundle.name
        assert not any("numpy" in path.parts for path in files)
