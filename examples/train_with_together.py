"""A distillation that Together trains: add the provider once, start, and wait for the verdict.

docs/how-to/train-with-together.md explains it. Set STILLHOUSE_BASE_URL, STILLHOUSE_API_KEY (with the scope admin),
TOGETHER_API_KEY and EVAL_ID, the eval that measures the answers.
"""

from __future__ import annotations

import os
import time
from typing import Any, cast

from openai import OpenAI

TEACHER = "gpt-6"
STUDENT = "Qwen/Qwen3-8B"
ENDS = {"completed", "failed", "cancelled", "blocked"}

stillhouse = OpenAI(base_url=os.environ["STILLHOUSE_BASE_URL"], api_key=os.environ["STILLHOUSE_API_KEY"])


def main() -> None:
    add_provider()
    asked = {
        "name": "mail triage at Together",
        "eval_id": os.environ["EVAL_ID"],
        "teacher": TEACHER,
        "student": f"together/{STUDENT}",
        "trainer": "together",
        "hyperparameters": {"n_epochs": 2},
        "train": {"type": "stored_completions", "metadata": {"part": "earlier"}},
        "test": {"type": "stored_completions", "metadata": {"part": "recent"}},
        "gate": {"max_cost_usd": 20},
    }
    distillation = call("post", "/distillations", body=asked)
    while distillation["status"] not in ENDS:
        time.sleep(30)
        distillation = call("get", f"/distillations/{distillation['id']}")
        print(distillation["status"], distillation["paused"] or "")
    print(distillation["verdict"] or distillation["plan"] or distillation["error"])
    print("asked as", distillation["model"], "- retire it when it is not needed: stillhouse model retire NAME")


def add_provider() -> None:
    """Together is asked, and trains, with one key, which lies in Secrets Manager."""
    known = call("get", "/providers")["data"]
    if all(provider["name"] != "together" for provider in known):
        base_url = "https://api.together.ai/v1"
        key = os.environ["TOGETHER_API_KEY"]
        call("post", "/providers", body={"name": "together", "base_url": base_url, "api_key": key})


def call(method: str, path: str, **content: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", getattr(stillhouse, method)(path, cast_to=object, **content))


if __name__ == "__main__":
    main()
