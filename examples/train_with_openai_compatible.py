"""A distillation that a provider with OpenAI's fine-tuning API trains: OpenAI, Azure, Nebius, or a server of your own.

docs/how-to/train-with-openai-compatible.md explains it. Set STILLHOUSE_BASE_URL, STILLHOUSE_API_KEY (with the scope
admin), EVAL_ID, PROVIDER (a name of your choice), PROVIDER_BASE_URL, PROVIDER_KEY and STUDENT, the base as it is named
there. Azure needs its secret for deployments, too.
"""

from __future__ import annotations

import os
import time
from typing import Any, cast

from openai import OpenAI

ENDS = {"completed", "failed", "cancelled", "blocked"}

stillhouse = OpenAI(base_url=os.environ["STILLHOUSE_BASE_URL"], api_key=os.environ["STILLHOUSE_API_KEY"])
provider = os.environ["PROVIDER"]


def main() -> None:
    add_provider()
    asked = {
        "name": f"mail triage at {provider}",
        "eval_id": os.environ["EVAL_ID"],
        "teacher": "gpt-6",
        "student": f"{provider}/{os.environ['STUDENT']}",
        "trainer": provider,
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
    print("asked as", distillation["model"])


def add_provider() -> None:
    """The provider is asked, and trains, with one key, which lies in Secrets Manager."""
    known = call("get", "/providers")["data"]
    if all(one["name"] != provider for one in known):
        address, key = os.environ["PROVIDER_BASE_URL"], os.environ["PROVIDER_KEY"]
        call("post", "/providers", body={"name": provider, "base_url": address, "api_key": key})


def call(method: str, path: str, **content: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", getattr(stillhouse, method)(path, cast_to=object, **content))


if __name__ == "__main__":
    main()
