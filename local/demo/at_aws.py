"""The trainers of AWS in the demo: the fakes, behind which the lab trains and answers.

Before the loop starts the fakes are told which model of the lab stands for the base, and a provider that serves the
base is added. For SageMaker the base is served first, as its owner would do it: by `examples/serve_on_sagemaker.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import openai

from local.demo.trainer import Trainer
from local.demo.waiting import DemoFailed
from local.stack import aws
from local.stack.fakes import fakes_environment

# Warm functions see a new provider within a minute.
_SEEN_AFTER_S = 61
_SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "serve_on_sagemaker.py"
_ROLE = "arn:aws:iam::000000000000:role/student"
_ENDPOINT = "student"


class AtAws(Trainer):
    """A base model at a provider of AWS."""

    provider: str
    kind: str
    base: str

    @property
    def student(self) -> str:
        return f"{self.provider}/{self.base}"

    def prepare(self) -> float:
        self.around.say(f"{self.base} is {self.around.student} of the lab here.")
        url = f"{self.around.fakes_url}/fakes/bases"
        httpx2.post(url, json={self.base: self.around.student}, trust_env=False).raise_for_status()
        try:
            self.around.client.get(f"/providers/{self.provider}", cast_to=object)
        except openai.NotFoundError:
            body = {"name": self.provider, "kind": self.kind, "models": [self.base], **self.place()}
            self.around.client.post("/providers", body=body, cast_to=object)
            return time.monotonic() + _SEEN_AFTER_S
        return 0.0

    def place(self) -> dict[str, Any]:
        """Where the provider answers, as its entry says it."""
        return {}


class Bedrock(AtAws):
    """Nova, at Bedrock's fake."""

    provider, kind, base = "bedrock", "bedrock", "amazon.nova-micro-v1:0"


class SageMaker(AtAws):
    """Qwen, at SageMaker's fake."""

    provider, kind, base = "qwen", "sagemaker", "huggingface-reasoning-qwen3-06b"

    def place(self) -> dict[str, Any]:
        self._script("--delete")
        self._script("--model", self.base, "--role", _ROLE)
        component = f"endpoints/{_ENDPOINT}/inference-components/{_ENDPOINT}"
        return {"base_url": f"{self.around.fakes_url}/sagemaker-runtime/{component}/openai/v1"}

    def _script(self, *arguments: str) -> None:
        addresses = {**aws.tool_environment(self.around.endpoint_url), **fakes_environment(self.around.fakes_url)}
        command = [sys.executable, str(_SCRIPT), _ENDPOINT, "--region", aws.REGION, "--poll-seconds", "0.2"]
        ran = subprocess.run(
            [*command, *arguments], env={**os.environ, **addresses}, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise DemoFailed(f"{_SCRIPT.name} failed: {ran.stderr.strip()[-300:]}")
