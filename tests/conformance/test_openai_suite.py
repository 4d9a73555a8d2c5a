"""The `chat` part of the openai package's own tests, from its source distribution, against the deployed stack."""

from __future__ import annotations

import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import openai
import pytest

from tests.conformance.conftest import REPOSITORY, Run

_CACHE = REPOSITORY / ".local" / "conformance"


@pytest.fixture
def suite(run: Run, tmp_path: Path) -> Path:
    """The unpacked source distribution of the locked version, fetched once and held against the hash in uv.lock."""
    name = f"openai-{openai.__version__}"
    unpacked = _CACHE / name
    if not unpacked.exists():
        packages = tomllib.loads((REPOSITORY / "uv.lock").read_text(encoding="utf-8"))["package"]
        (locked,) = (one for one in packages if (one["name"], one.get("version")) == ("openai", openai.__version__))
        wanted = tmp_path / "requirements.txt"
        wanted.write_text(f"openai=={openai.__version__} --hash={locked['sdist']['hash']}\n", encoding="utf-8")
        to = ("--no-deps", "--no-binary", ":all:", "--requirement", str(wanted), "--dest", str(tmp_path))
        fetched = run("python", "-m", "pip", "download", "--quiet", *to, cwd=tmp_path)
        assert fetched.returncode == 0, fetched.stderr
        with tarfile.open(tmp_path / f"{name}.tar.gz") as archive:
            archive.extractall(tmp_path, filter="data")
        _CACHE.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).replace(unpacked)
    return unpacked


def test_exactly_the_listed_tests_differ(
    suite: Path, front: str, run: Run, listed: Callable[[str], set[str]], tmp_path: Path
) -> None:
    report = tmp_path / "report.xml"
    settings = ("-p", "no:cacheprovider", "-q", "-o", "addopts=", f"--junitxml={report}")

    ended = run("pytest", *settings, "tests/api_resources/chat", cwd=suite, TEST_API_BASE_URL=front)

    assert report.exists(), ended.stdout + ended.stderr
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 - pytest wrote it
    differing = {f"{case.get('classname')}::{case.get('name')}" for case in cases if len(case)}
    assert differing == listed("openai_chat_differences.txt"), ended.stdout[-20_000:]
    assert len(cases) == 145
