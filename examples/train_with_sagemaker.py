"""A distillation that Amazon SageMaker trains in your account: start it and wait for the verdict.

docs/how-to/train-with-sagemaker.md explains it. The stack has SageMakerTraining, and the student answers at a provider:
`examples/serve_on_sagemaker.py qwen …` serves it and prints the command that adds the provider. Set
STILLHOUSE_BASE_URL, STILLHOUSE_API_KEY and EVAL_ID, the eval that measures the answers.
"""

from __future__ import annotations

import os
import time
from typing import Any, cast

from openai import OpenAI

TEACHER = "gpt-6"
STUDENT = "qwen/huggingface-reasoning-qwen3-4b"
ENDS = {"completed", "failed", "cancelled", "blocked"}

stillhouse = OpenAI(base_url=os.environ["STILLHOUSE_BASE_URL"], api_key=os.environ["STILLHOUSE_API_KEY"])


def main() -> None:
    asked = {
        "name": "mail triage at SageMaker",
        "eval_id": os.environ["EVAL_ID"],
        "teacher": TEACHER,
        "student": STUDENT,
        "trainer": "sagemaker",
        "hyperparameters": {"n_epochs": 2},
        "train": {"type": "stored_completions", "metadata": {"part": "earlier"}},
        "test": {"type": "stored_completions", "metadata": {"part": "recent"}},
    }
    distillation = call("post", "/distillations", body=asked)
    while distillation["status"] not in ENDS:
        time.sleep(30)
        distillation = call("get", f"/distillations/{distillation['id']}")
        print(distillation["status"], distillation["paused"] or "")
    print(distillation["verdict"] or distillation["plan"] or distillation["error"])
    print("asked as", distillation["model"], "- an endpoint of its own costs by the hour: stillhouse model retire NAME")


def call(method: str, path: str, **content: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", getattr(stillhouse, method)(path, cast_to=object, **content))


if __name__ == "__main__":
    main()
