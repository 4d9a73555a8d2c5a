"""The loop with other trainers than the lab's own API, on the deployed stack, whose policies are enforced.

A person trains, as the demo plays them. Complaints of consumers go through each trainer, which gets the same training
set to the byte, and comes to a verdict of its own. `tests/flow/test_every_trainer.py` is a part of it, in process.
"""

from __future__ import annotations

import io
import json
import time
import uuid
from typing import Any

import pytest
from rich.console import Console

from local.demo import loop, traffic
from local.demo.screen import Screen
from local.demo.trainer import Surroundings
from local.demo.trainers import TRAINERS
from local.stack import aws
from local.stack.info import StackInfo
from tests.data import cfpb
from tests.stack import api

TEACHER = "gpt-4o"

pytestmark = [
    pytest.mark.soak(alone=True),
    pytest.mark.data,
    pytest.mark.skipif(not cfpb.FOLDER.is_dir(), reason="needs ../shared/data/cfpb_complaints_14llm"),
]


def capture(stack: StackInfo, tag: str, rows: list[dict[str, Any]]) -> None:
    records = []
    for number, row in enumerate(rows):
        message = {"role": "assistant", "content": row["answers"][TEACHER], "refusal": None}
        response = {
            "id": f"chatcmpl-{tag}-{number}",
            "object": "chat.completion",
            "created": 1_790_000_000 + number,
            "model": TEACHER,
            "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}],
            "usage": {"prompt_tokens": 200, "completion_tokens": 9, "total_tokens": 209},
        }
        metadata = {"split": row["metadata"]["split"], "demo": tag}
        request = {"model": TEACHER, "messages": row["messages"], "temperature": 0}
        records.append({"request": request, "response": response, "metadata": metadata, "reference": row["reference"]})
    batches = [
        api.client(stack).post("/captures", body=records[at : at + 300], cast_to=object)
        for at in range(0, len(records), 300)
    ]
    traffic.wait_recorded(api.client(stack), [batch["batch_id"] for batch in batches], lambda _: None)  # type: ignore[index]


def training_set(stack: StackInfo, dataset_id: str) -> dict[str, bytes]:
    """The files that the trainer got, as they lie in the bucket."""
    s3, bucket = aws.client("s3", stack.endpoint_url), stack.resources["Bucket"]
    return {
        split: s3.get_object(Bucket=bucket, Key=f"datasets/{dataset_id}/{split}.jsonl")["Body"].read()
        for split in ("train", "validation")
    }


def test_each_trainer_gets_the_same_bytes_and_its_own_verdict(stack: StackInfo) -> None:
    rows, tag = list(cfpb.rows(cfpb.FOLDER)), uuid.uuid4().hex
    capture(stack, tag, rows)
    client = api.client(stack)
    around = Surroundings(
        client=client,
        lab_url=stack.lab_url,
        fakes_url=stack.fakes_url,
        endpoint_url=stack.endpoint_url,
        student="lab-small",
        say=lambda _: None,
    )
    trainers = {name: made(around) for name, made in TRAINERS.items()}
    known_at = max(trainer.prepare() for trainer in trainers.values())
    time.sleep(max(known_at - time.monotonic(), 0))
    eval_id = loop.create_eval(client, tag)
    verdicts, sets = {}, {}
    for name, trainer in trainers.items():
        with Screen(Console(file=io.StringIO())) as screen:
            asked = loop.start(
                client, tag=tag, eval_id=eval_id, teacher=TEACHER, student=trainer.student, trainer=name, seed=7
            )
            ended = loop.follow(client, asked, screen, approve=True, help_along=trainer.help)
        assert ended["status"] == "completed", json.dumps(ended["error"])
        verdicts[name] = ended["verdict"]
        sets[name] = training_set(stack, ended["dataset_id"])
        assert ended["verdict"]["scores"]["distilled"]["model"] == ended["model"]
    assert sets["file"]["train"].count(b"\n") > len(rows) / 3
    assert all(files == sets["file"] for files in sets.values())
    assert len({verdict["id"] for verdict in verdicts.values()}) == len(trainers)
    for role in ("teacher", "baseline"):
        assert len({verdict["scores"][role]["passed"] for verdict in verdicts.values()}) == 1, role
