"""What is deployed stays small, since a cold start reads it, and carries its byte code, since Lambda cannot keep any.

Lambda's limit is 250 MB, ours for the services is 88 MB without byte code. The sandbox is one of its own.
"""

from __future__ import annotations

import importlib.util
import tomllib
import zipfile
from pathlib import PurePosixPath

import pytest

from tests.sandbox.build import event
from tests.sandbox.function import Machine, called
from tests.stack.conftest import REPOSITORY

LIMIT = 88_000_000
LAMBDA_LIMIT = 250_000_000
BUILT = REPOSITORY / ".local/sam/build"
SANDBOX = "SandboxFunction"


@pytest.mark.usefixtures("stack")
def test_the_common_bundle_is_under_88_mb_unzipped() -> None:
    built = [folder for folder in BUILT.iterdir() if folder.is_dir() and folder.name != SANDBOX]
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
            assert ("handler.py" if archive.stem == SANDBOX else "capture/handler.py") in modules
            for module in modules:
                compiled = importlib.util.cache_from_source(str(PurePosixPath(module)))
                assert compiled in names, module
                assert bundle.read(compiled)[:8] == unchecked, module


@pytest.mark.usefixtures("stack")
def test_the_sandbox_has_what_a_source_may_import_and_is_under_lambda_s_limit() -> None:
    bundle = BUILT / SANDBOX
    assert sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()) < LAMBDA_LIMIT
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    versions = "\n".join(
        f"    assert version({name!r}) == {pinned!r}"
        for name, pinned in (requirement.split("==") for requirement in project["dependency-groups"]["sandbox"])
    )
    imports = (
        "import deepdiff, jsonschema, nltk, numpy, pydantic, rapidfuzz.fuzz, rouge_score.rouge_scorer, sqlparse, yaml"
    )
    source = (
        f"{imports}\nfrom importlib.metadata import version\n\ndef grade(sample, item):\n{versions}\n    return 1.0\n"
    )
    [answer] = called(event(source, wall_s=60.0), machine=Machine(root=bundle))
    assert answer.get("score") == 1, answer


@pytest.mark.usefixtures("stack")
def test_the_services_carry_nothing_of_the_sandbox() -> None:
    assert not list((BUILT / "CaptureFunction-Shared").glob("isolation"))
