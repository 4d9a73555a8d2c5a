"""What is deployed stays small, since a cold start reads it, and carries its byte code, since Lambda cannot keep any.

Lambda's limit is 250 MB, ours is 80 MB without byte code.
"""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import PurePosixPath

import pytest

from tests.stack.conftest import REPOSITORY

LIMIT = 80_000_000
LAMBDA_LIMIT = 250_000_000
BUILT = REPOSITORY / ".local/sam/build"


@pytest.mark.usefixtures("stack")
def test_the_common_bundle_is_under_80_mb_unzipped() -> None:
    built = [folder for folder in BUILT.iterdir() if folder.is_dir()]
    assert built
    for bundle in built:
        # Byte code is ours to add or leave; what the lock brings is what has to stay small.
        files = [path for path in bundle.rglob("*") if path.is_file() and path.suffix != ".pyc"]
        assert sum(path.stat().st_size for path in files) < LIMIT, bundle.name
        assert not any("numpy" in path.parts for path in files)


@pytest.mark.usefixtures("stack")
def test_every_module_is_deployed_with_byte_code_that_needs_no_look_at_its_source() -> None:
    archives = list(BUILT.glob("*.zip"))
    assert archives
    unchecked = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
    for archive in archives:
        with zipfile.ZipFile(archive) as bundle:
            assert sum(entry.file_size for entry in bundle.infolist()) < LAMBDA_LIMIT
            names = set(bundle.namelist())
            modules = [name for name in names if name.endswith(".py")]
            assert "capture/handler.py" in modules
            for module in modules:
                compiled = importlib.util.cache_from_source(str(PurePosixPath(module)))
                assert compiled in names, module
                assert bundle.read(compiled)[:8] == unchecked, module
