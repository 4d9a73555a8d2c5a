"""A distillation whose student a person trains: start it, show what is to be done, and wait for the verdict.

docs/how-to/train-with-your-own-gpu.md explains it. The student answers untrained at a provider. Set
STILLHOUSE_BASE_URL, STILLHOUSE_API_KEY and EVAL_ID, the eval that measures the answers.
"""

from __future__ import annotations

import os
import time
from typing import Any, cast

from openai import OpenAI

TEACHER = "gpt-6"
STUDENT = "Qwen/Qwen3-0.6B"
ENDS = {"completed", "failed", "cancelled", "blocked"}

stillhouse = OpenAI(base_url=os.environ["STILLHOUSE_BASE_URL"], api_key=os.environ["STILLHOUSE_API_KEY"])


def main() -> None:
    asked = {
        "name": "mail triage at home",
        "eval_id": os.environ["EVAL_ID"],
        "teacher": TEACHER,
        "student": STUDENT,
        "trainer": "file",
        "hyperparameters": {"n_epochs": 3, "lora_rank": 16},
        "train": {"type": "stored_completions", "metadata": {"part": "earlier"}},
        "test": {"type": "stored_completions", "metadata": {"part": "recent"}},
    }
    distillation = call("post", "/distillations", body=asked)
    to_do = None
    while distillation["status"] not in ENDS:
        time.sleep(30)
        distillation = call("get", f"/distillations/{distillation['id']}")
        job = call("get", f"/fine_tuning/jobs/{distillation['job_id']}") if distillation["job_id"] else {}
        if job.get("to_do") != to_do:
            to_do = job.get("to_do")
            print(to_do or "The model is named.")
    print(distillation["verdict"] or distillation["plan"] or distillation["error"])


def call(method: str, path: str, **content: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", getattr(stillhouse, method)(path, cast_to=object, **content))


if __name__ == "__main__":
    main()
