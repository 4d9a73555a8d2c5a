"""Tries a deployed stack, step by step: `make smoke STACK=stillhouse-dev MODEL=gpt-4.1-nano`.

In: the stack's name, and a model of the provider, which is asked twice; without one the gateway is left out. Out: a
line for each step; exit 1 at the first that fails. It leaves completions and an eval behind, all tagged `smoke`, and
people get one message. With `--local` it tries the local stack.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
from openai import OpenAI

from infra.operate.stack import resources_or_exit

_PATIENCE_S = 180
_SOURCE = "def grade(sample, item):\n    return 1.0 if sample['output_text'] == item['wanted'] else 0.0\n"


class Failed(Exception):
    """A step of the smoke test did not end as it should."""


@dataclass(frozen=True)
class Target:
    """What is tried: URLs by name, the first API key, and what is called directly."""

    urls: dict[str, str]
    key: str
    functions: Any
    sandbox: str
    topics: Any
    topic: str

    def client(self, url: str) -> OpenAI:
        return OpenAI(base_url=url, api_key=self.key, max_retries=2, timeout=120)

    @property
    def api(self) -> OpenAI:
        return self.client(self.urls["ApiUrl"])


def steps(target: Target, model: str | None) -> Iterator[str]:
    """Each step as it is done. Raises Failed, or what the SDKs raise."""
    for name in ("ApiUrl", "CaptureUrl"):
        if name in target.urls:
            yield f"pushed by {name} and recorded after {_pushed(target, name):.0f} s"
    for name in ("ApiUrl", "GatewayUrl"):
        if model and name in target.urls:
            answer = target.client(target.urls[name]).chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": "Say yes."}],
                store=True,
                metadata={"smoke": "yes"},
            )
            yield f"{model} answered by {name}: {(answer.choices[0].message.content or '')[:40]!r}"
    if not model:
        yield "the gateway was left out: say MODEL=…"
    yield f"a run with a python criterion: {_graded(target)}"
    yield f"walls of the sandbox that stand here: {', '.join(_walls(target)) or 'none but its network and role'}"
    target.topics.publish(TopicArn=target.topic, Subject="Stillhouse: smoke test", Message="The stack can tell you.")
    yield "told the stack's topic: its subscribers have a message"


def _pushed(target: Target, name: str) -> float:
    started = time.monotonic()
    record = {
        "request": {"model": "smoke", "messages": [{"role": "user", "content": "smoke"}], "metadata": {"smoke": "yes"}},
        "response": {
            "id": f"chatcmpl-smoke-{uuid4().hex}",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
        },
    }
    answer: Any = target.client(target.urls[name]).post("/captures", cast_to=object, body=record)
    if answer["accepted"] != 1:
        raise Failed(f"the push by {name} was refused: {answer}")
    while True:
        batch: Any = target.api.get(f"/captures/{answer['batch_id']}", cast_to=object)
        if batch["status"] == "recorded":
            return time.monotonic() - started
        _wait(started, f"the push by {name} was not recorded")


def _graded(target: Target) -> str:
    started, client = time.monotonic(), target.api
    criterion: Any = {"type": "python", "name": "same", "source": _SOURCE, "pass_threshold": 1.0}
    schema: Any = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    made = client.evals.create(
        name="smoke", data_source_config=schema, testing_criteria=[criterion], metadata={"smoke": "yes"}
    )
    rows = [{"item": {"wanted": "yes"}, "sample": {"output_text": answer}} for answer in ("yes", "no")]
    source: Any = {"type": "jsonl", "source": {"type": "file_content", "content": rows}}
    run: Any = client.evals.runs.create(made.id, name="smoke", data_source=source)
    while run.status in {"queued", "in_progress"}:
        _wait(started, f"the run {run.id} did not end")
        run = client.evals.runs.retrieve(run.id, eval_id=made.id)
    counts = run.result_counts
    if (run.status, counts.passed, counts.failed, counts.errored) != ("completed", 1, 1, 0):
        raise Failed(f"the run {run.id} is {run.status} with {counts}")
    return "one row passed, one failed"


def _walls(target: Target) -> list[str]:
    asked = {"source": "def grade(sample, item):\n    return 1.0\n", "sample": {}, "item": {}, "limits": {"wall_s": 20}}
    answer = json.loads(
        target.functions.invoke(FunctionName=target.sandbox, Payload=json.dumps(asked))["Payload"].read()
    )
    if answer.get("score") != 1:
        raise Failed(f"the sandbox answered {answer}")
    walls: list[str] = answer["walls"]
    return walls


def _wait(started: float, otherwise: str) -> None:
    if time.monotonic() - started > _PATIENCE_S:
        raise Failed(f"{otherwise} within {_PATIENCE_S} s: look at the alarms and the log")
    time.sleep(1)


def deployed(stack: str, region: str | None) -> Target:
    """A stack in the account of the environment's credentials."""
    make: Any = boto3.Session(region_name=region).client
    cloudformation = make("cloudformation")
    known = resources_or_exit(cloudformation, stack)
    [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in described["Outputs"]}
    secret = make("secretsmanager").get_secret_value(SecretId=outputs["FirstKeySecretArn"])["SecretString"]
    return Target(
        urls={name: url for name, url in outputs.items() if name in {"ApiUrl", "CaptureUrl", "GatewayUrl"}},
        key=f"sk-sh-first-{secret}",
        functions=make("lambda"),
        sandbox=known["SandboxFunction"],
        topics=make("sns"),
        topic=outputs["TopicArn"],
    )


def local() -> Target:
    """The local stack, which must be up. It has no public URL for captures."""
    # Imported here: a deployed stack is tried without the local one.
    from local.stack import aws
    from local.stack.info import read_info
    from local.stack.layout import Layout

    info = read_info(Layout.of_checkout().info)
    if info is None:
        raise Failed("the local stack is not up: 'make local-up'")
    return Target(
        urls={"ApiUrl": info.api_url, "GatewayUrl": info.gateway_url},
        key=info.api_key,
        functions=aws.client("lambda", info.endpoint_url),
        sandbox=info.resources["SandboxFunction"],
        topics=aws.client("sns", info.endpoint_url),
        topic=info.resources["TopicArn"],
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stack")
    arguments.add_argument("--region")
    arguments.add_argument("--model")
    arguments.add_argument("--local", action="store_true")
    asked = arguments.parse_args()
    try:
        target = local() if asked.local else deployed(asked.stack, asked.region)
        for step in steps(target, asked.model):
            sys.stdout.write(f"smoke: {step}\n")
    except Failed as failure:
        sys.exit(f"smoke: FAILED: {failure}")


if __name__ == "__main__":
    main()
