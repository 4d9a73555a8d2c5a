"""The script that serves a student on SageMaker, `examples/serve_on_sagemaker.py`, at the fakes."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from local.stack.fakes import fakes_environment
from tests.fakes import QWEN, Stand

SCRIPT = Path(__file__).resolve().parents[3] / "examples" / "serve_on_sagemaker.py"
ORDER = ("--model", QWEN, "--role", "arn:aws:iam::123456789012:role/TrainingRole")

type Ran = Callable[..., str]


@pytest.fixture
def ran(stand: Stand, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ran:
    """Run the script with these arguments; what it has printed."""
    stand.order("timing", {"deployment": 0})
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    for name, value in (keys | fakes_environment(stand.url)).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> str:
        options = ["student", "--region", "us-east-1", "--poll-seconds", "0"]
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *options, *arguments])
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_it_serves_a_model_says_how_the_stack_is_told_and_takes_it_away(stand: Stand, ran: Ran) -> None:
    said = ran(*ORDER)
    url = f"{stand.url}/sagemaker-runtime/endpoints/student/inference-components/student/openai/v1"
    assert f"--kind sagemaker --region us-east-1 --base-url {url} --model {QWEN}" in said
    assert ":endpoint/student,arn:aws:sagemaker:us-east-1:123456789012:inference-component/student" in said
    [component] = stand.context.records.all("inference-component")
    assert component.document["InferenceComponentStatus"] == "InService"
    assert stand.context.records.all("model")[0].document["PrimaryContainer"]["Environment"]
    ran("--delete")
    for kind in ("inference-component", "endpoint", "endpoint-config", "model"):
        assert stand.context.records.all(kind) == []
    assert "model student is deleted" in ran("--delete")


def test_it_wants_to_know_the_model_and_the_role(ran: Ran) -> None:
    with pytest.raises(SystemExit):
        ran("--model", QWEN)
