"""The package resolved and installed from the package index, as users do it. Needs the network: with `--soak` only."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools" / "bin" / "uv"
CLIENTS = ["instructor", "crewai", "langchain-openai", "llama-index", "litellm[proxy]", "openai-agents", "pydantic-ai"]
OLDEST_SDK = "openai==2.54.0"

pytestmark = pytest.mark.soak


@pytest.fixture(autouse=True)
def no_certificates():
    """The package index has one, and it is read: this takes the place of the folder's fixture."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "-q", "--wheel", "--out-dir", folder], cwd=ROOT, check=True)
    [built] = folder.glob("stillhouse-*.whl")
    return built


def resolved(*wanted):
    """The lines that these requirements resolve to. The index may have half of a release: then it is an earlier one."""
    command = [UV, "pip", "compile", "-q", "--no-header", "--no-annotate", "--python-version", "3.13", "-"]
    ended = subprocess.run(command, input="\n".join(wanted).encode(), capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode().splitlines()


@pytest.mark.parametrize("client", CLIENTS)
def test_it_resolves_together_with_the_newest_release_of_a_client(wheel, client):
    name = client.partition("[")[0]
    [newest] = [line for line in resolved(client) if line.startswith(f"{name}==")]
    assert newest in resolved(client, f"stillhouse[cli] @ {wheel.as_uri()}")


def test_the_oldest_sdk_that_is_declared_carries_the_wrapper(wheel, tmp_path):
    subprocess.run([UV, "venv", "-q", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([UV, "pip", "install", "-q", "--python", python, OLDEST_SDK, wheel], check=True)
    wrapped = (
        "from openai import OpenAI; from stillhouse import capture;"
        "client = capture(OpenAI(api_key='x'), base_url='http://localhost:9/v1', api_key='sk-sh-x');"
        "print(type(client).__name__)"
    )
    assert subprocess.run([python, "-c", wrapped], check=True, capture_output=True).stdout == b"OpenAI\n"
    command = subprocess.run([tmp_path / "venv" / "bin" / "stillhouse"], capture_output=True, check=False)
    assert (command.returncode, command.stdout) == (1, b"")
    assert b"pip install 'stillhouse[cli]'" in command.stderr
