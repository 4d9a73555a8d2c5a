"""Looking into the deployed stack with the official SDK."""

from __future__ import annotations

from typing import Any

from openai import OpenAI

from local.stack.info import StackInfo


def client(stack: StackInfo) -> OpenAI:
    return OpenAI(base_url=stack.api_url, api_key=stack.api_key)


def aws(stack: StackInfo) -> dict[str, Any]:
    """What a client of boto3 is made with, to ask the emulator."""
    return {
        "endpoint_url": stack.endpoint_url,
        "region_name": stack.region,
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }


def fetch(stack: StackInfo, path: str) -> dict[str, Any]:
    document: dict[str, Any] = client(stack).get(path, cast_to=object)  # type: ignore[assignment]
    return document


def paired_outcomes(stack: StackInfo, *, verdict_of: dict[str, Any]) -> list[tuple[bool, bool]]:
    """(baseline passed, distilled passed) of every test row, read item by item and paired by completion."""
    distillation = fetch(stack, f"/distillations/{verdict_of['notification']['distillation_id']}")
    passed: dict[str, dict[str, bool]] = {}
    for role in ("baseline", "distilled"):
        items = client(stack).evals.runs.output_items.list(
            distillation["runs"][role], eval_id=distillation["eval_id"], limit=100
        )
        passed[role] = {str(item.datasource_item["completion_id"]): item.status == "pass" for item in items}
    assert passed["baseline"].keys() == passed["distilled"].keys()
    return [(passed["baseline"][row], passed["distilled"][row]) for row in passed["baseline"]]
