"""Other people's libraries on the deployed stack, run by the scripts that docs/how-to/frameworks.md shows.

Only those whose packages are light; the others were tried when the page was written, each in an environment of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from local.stack.info import StackInfo
from tests.client import node
from tests.examples import of_the_soak
from tests.stack.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
FOLDER = EXAMPLES / "frameworks"
PYTHON = ["openai_python.py", *of_the_soak("openai_agents.py", "pydantic_ai_agent.py")]
WRAPPED = ["wrapped/openai_agents.py"]
JAVASCRIPT = ["openai_node.mjs", *of_the_soak("vercel_ai.mjs")]
TAGS = {"feature": "triage"}
MAIL = "My parcel has not arrived."
_PATIENCE_S = 20


@pytest.fixture
def stillhouse(stack: StackInfo) -> OpenAI:
    return OpenAI(base_url=stack.api_url, api_key=stack.api_key)


@pytest.fixture
def where(stack: StackInfo, tmp_path: Path) -> dict[str, str]:
    """What the page says to export, and the lab as the wrapped client's provider."""
    return {
        "STILLHOUSE_BASE_URL": stack.api_url,
        "STILLHOUSE_GATEWAY_URL": stack.gateway_url,
        "STILLHOUSE_API_KEY": stack.api_key,
        "OPENAI_BASE_URL": stack.lab_url,
        "OPENAI_API_KEY": "any",
        "XDG_STATE_HOME": str(tmp_path),
    }


def captured(stillhouse: OpenAI) -> dict[str, Any]:
    newest = stillhouse.chat.completions.list(metadata=TAGS, limit=100, order="desc").data
    return {completion.id: completion for completion in newest}


def captured_since(stillhouse: OpenAI, before: dict[str, Any]) -> Any:
    """The one completion that is new."""
    deadline = time.monotonic() + _PATIENCE_S
    while not (new := captured(stillhouse).keys() - before.keys()):
        assert time.monotonic() < deadline, "nothing was captured"
        time.sleep(0.2)
    [completion_id] = new
    return captured(stillhouse)[completion_id]


def shows_the_call(stillhouse: OpenAI, completion: Any) -> None:
    assert completion.metadata == TAGS
    assert completion.choices[0].message.content == "shipping_delay"
    assert completion.usage.prompt_tokens > 0
    assert completion.usage.completion_tokens > 0
    messages = stillhouse.chat.completions.messages.list(completion.id).data
    assert (messages[-1].role, messages[-1].content) == ("user", MAIL)


@pytest.mark.parametrize("script", [*PYTHON, *WRAPPED])
def test_a_python_library_is_answered_and_captured(script: str, stillhouse: OpenAI, where: dict[str, str]) -> None:
    before = captured(stillhouse)
    assert ran(FOLDER / script, where) == "shipping_delay\n"
    shows_the_call(stillhouse, captured_since(stillhouse, before))


@pytest.mark.parametrize("script", JAVASCRIPT)
def test_a_javascript_library_is_answered_and_captured(
    script: str, stillhouse: OpenAI, where: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(node.JS / "node_modules")
    (tmp_path / script).write_text((FOLDER / script).read_text(encoding="utf-8"), encoding="utf-8")
    before = captured(stillhouse)
    assert node.ran(script, cwd=tmp_path, **where) == "shipping_delay\n"
    shows_the_call(stillhouse, captured_since(stillhouse, before))


def test_what_was_captured_is_evaluated(stack: StackInfo, stillhouse: OpenAI, where: dict[str, str]) -> None:
    before = captured(stillhouse)
    gateway = OpenAI(base_url=stack.gateway_url, api_key=stack.api_key)
    gateway.chat.completions.create(
        model="lab-large", messages=[{"role": "user", "content": MAIL}], store=True, metadata=TAGS
    )
    captured_since(stillhouse, before)
    said = ran(EXAMPLES / "first_eval.py", where)
    assert "completed: " in said
    assert "\npass shipping_delay\n" in said


def ran(script: Path, environment: dict[str, str]) -> str:
    """What the script printed, run as a user does."""
    command, inherited = [sys.executable, str(script)], {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    ended = subprocess.run(
        command, env={**inherited, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
    return ended.stdout
