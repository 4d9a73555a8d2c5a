"""Parts of the openai package's own tests, from its source distribution, against the deployed stack.

Without `--soak` each method is asked once, of the same handlers in this process.
"""

from __future__ import annotations

import sys
import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import openai
import pytest

from tests.conformance.conftest import REPOSITORY, Run

PARTS = {
    "chat": {"chat": 145},
    "evals": {"test_evals.py": 105, "evals": 155},
    "files": {"test_files.py": 120},
    "fine_tuning": {"fine_tuning": 300},
    "models": {"test_models.py": 55},
    "responses": {"test_responses.py": 150, "responses": 45},
}
"""How many tests each path of the suite has, by the part of the API."""
METHODS = 77
_FOLLOWED = "test_method_retrieve_content"
"""It is answered by a redirection to S3, which no process but this one finds: the soak follows it on the stack."""
_CACHE = REPOSITORY / ".local" / "conformance"


@pytest.fixture
def unpacked(run: Run, tmp_path: Path) -> Path:
    """The unpacked source distribution of the locked version, fetched once and held against the hash in uv.lock."""
    name = f"openai-{openai.__version__}"
    unpacked = _CACHE / name
    if not unpacked.exists():
        packages = tomllib.loads((REPOSITORY / "uv.lock").read_text(encoding="utf-8"))["package"]
        (locked,) = (
            package
            for package in packages
            if (package["name"], package.get("version")) == ("openai", openai.__version__)
        )
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


@pytest.fixture
def suite(unpacked: Path, front: str, run: Run, tmp_path: Path) -> Callable[..., list[ET.Element]]:
    """Run these paths of the suite, or `only` some tests there; the test cases, as JUnit's XML has them."""

    def suite(*paths: str, only: str = "") -> list[ET.Element]:
        report = tmp_path / "report.xml"
        settings = ("-p", "no:cacheprovider", "-q", "-o", "addopts=", "-k", only, f"--junitxml={report}")
        ended = run(
            "pytest",
            *settings,
            *(f"tests/api_resources/{path}" for path in paths),
            cwd=unpacked,
            TEST_API_BASE_URL=front,
        )
        assert report.exists(), ended.stdout + ended.stderr
        sys.stdout.write(ended.stdout)
        return list(ET.parse(report).iter("testcase"))  # noqa: S314 - pytest wrote it

    return suite


def _differing(cases: list[ET.Element]) -> set[str]:
    return {
        f"{case.get('classname')}::{case.get('name')}"
        for case in cases
        if any(outcome.tag in {"failure", "error"} for outcome in case)
    }


@pytest.mark.soak(alone=True)
@pytest.mark.parametrize("part", PARTS)
def test_exactly_the_listed_tests_differ(
    suite: Callable[..., list[ET.Element]], listed: Callable[[str], set[str]], part: str
) -> None:
    cases = suite(*PARTS[part])
    assert _differing(cases) == listed(f"openai_{part}_differences.txt")
    assert len(cases) == sum(PARTS[part].values())


def test_exactly_the_listed_methods_differ_for_the_strict_client(
    suite: Callable[..., list[ET.Element]], listed: Callable[[str], set[str]]
) -> None:
    """Each method once. The suite asks the same by four other clients, and reads each answer in two more ways."""
    cases = suite(
        *(path for part in PARTS.values() for path in part),
        only=f"strict and test_method and not Async and not {_FOLLOWED}",
    )
    differences = {test for part in PARTS for test in listed(f"openai_{part}_differences.txt")}
    sample = {
        test for test in differences if "::test_method" in test and "[strict]" in test and ".TestAsync" not in test
    }
    assert _differing(cases) == sample
    assert len(cases) == METHODS
