"""A distillation that Amazon Bedrock trains in your account: add the provider once, start, and wait for the verdict.

docs/how-to/train-with-bedrock.md explains it. The stack has BedrockTraining. Set STILLHOUSE_BASE_URL,
STILLHOUSE_API_KEY (with the scope admin) and EVAL_ID, the eval that measures the answers.
"""

from __future__ import annotations

import os
import time
from typing import Any, cast

from openai import OpenAI

TEACHER = "gpt-6"
STUDENT = "amazon.nova-micro-v1:0"
ENDS = {"completed", "failed", "cancelled", "blocked"}

stillhouse = OpenAI(base_url=os.environ["STILLHOUSE_BASE_URL"], api_key=os.environ["STILLHOUSE_API_KEY"])


def main() -> None:
    add_provider()
    asked = {
        "name": "mail triage at Bedrock",
        "eval_id": os.environ["EVAL_ID"],
        "teacher": TEACHER,
        "student": f"bedrock/{STUDENT}",
        "trainer": "bedrock",
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
    print("asked as", distillation["model"], "- retire it when it is not needed: stillhouse model retire NAME")


def add_provider() -> None:
    """The base and what is trained of it are asked in the stack's own region, without a key."""
    known = call("get", "/providers")["data"]
    if all(provider["name"] != "bedrock" for provider in known):
        call("post", "/providers", body={"name": "bedrock", "kind": "bedrock", "models": [STUDENT]})


def call(method: str, path: str, **content: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", getattr(stillhouse, method)(path, cast_to=object, **content))


if __name__ == "__main__":
    main()
