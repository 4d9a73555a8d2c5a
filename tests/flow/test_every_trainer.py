"""Complaints of consumers, answered by gpt-4o, through each trainer: one training set, to the byte, and a verdict each.

The lab trains behind the fakes of AWS, and is the machine of the person who trains by hand. Policies are not enforced
here; `tests/stack/test_trainers.py` is the same on the deployed stack.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from distillations.dataset import Dataset
from foundation import aws, blobs
from foundation.refreshed import Refreshed
from providers import registry
from tests.data import cfpb
from tests.fakes import QWEN, Stand, aws_trainers, fakes_server  # noqa: F401 - fixtures
from tests.flow import loop
from tests.flow.system import CONSUMERS, System
from tests.tuning.conftest import tick

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not cfpb.FOLDER.is_dir(), reason="needs ../shared/data/cfpb_complaints_14llm"),
]
TEACHER, ROWS = "gpt-4o", 60
NOVA = "amazon.nova-micro-v1:0"
STUDENTS = {
    "default": loop.STUDENT,
    "bedrock": f"bedrock/{NOVA}",
    "sagemaker": f"qwen/{QWEN}",
    "file": loop.STUDENT,
}
SERVE = Path(__file__).resolve().parents[2] / "examples" / "serve_on_sagemaker.py"


def capture(system: System) -> None:
    records = []
    for number, row in zip(range(ROWS), cfpb.rows(cfpb.FOLDER), strict=False):
        message = {"role": "assistant", "content": row["answers"][TEACHER], "refusal": None}
        response = {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": 1_790_000_000 + number,
            "model": TEACHER,
            "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}],
            "usage": {"prompt_tokens": 200, "completion_tokens": 9, "total_tokens": 209},
        }
        metadata = {"split": row["metadata"]["split"], "tag": "cfpb"}
        request = {"model": TEACHER, "messages": row["messages"], "temperature": 0}
        records.append({"request": request, "response": response, "metadata": metadata, "reference": row["reference"]})
    assert system.ok("POST", "/v1/captures", records)["accepted"] == ROWS
    system.settle()


def serve_students(system: System, stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the lab's student stand for the bases of AWS, and providers serve them, as their owner would."""
    stand.order("bases", {NOVA: loop.STUDENT, QWEN: loop.STUDENT})
    role = "arn:aws:iam::123456789012:role/student"
    runpy.run_path(str(SERVE))["serve"](aws.sagemaker(), "student", QWEN, role, 0)
    monkeypatch.setattr(registry, "_CONFIGURED", Refreshed(registry.read_now))
    component = "sagemaker-runtime/endpoints/student/inference-components/student"
    for body in (
        {"name": "bedrock", "kind": "bedrock", "models": [NOVA]},
        {"name": "qwen", "kind": "sagemaker", "models": [QWEN], "base_url": f"{stand.url}/{component}/openai/v1"},
    ):
        system.ok("POST", "/v1/providers", body)
    registry.forget()


def train_by_hand(system: System, job_id: str) -> None:
    """The person fetches the set, trains at the lab, and names the model."""
    with OpenAI(base_url=f"{system.lab}/v1", api_key="any") as lab:
        file = lab.files.create(file=("t.jsonl", blobs.get(f"tuning/{job_id}/train.jsonl")), purpose="fine-tune")
        job = lab.fine_tuning.jobs.create(model=loop.STUDENT, training_file=file.id)
        while not job.fine_tuned_model:
            job = lab.fine_tuning.jobs.retrieve(job.id)
            assert job.status not in {"failed", "cancelled"}
    system.ok("POST", "/v1/models", {"id": job.fine_tuned_model, "base": loop.STUDENT, "job_id": job_id})


def until_it_trains(system: System, distillation_id: str) -> dict[str, Any]:
    """Deliver until nothing moves; a person's job waits, whatever the clock does."""
    for _ in range(3):
        while sum(system.deliver(name) for name in CONSUMERS):
            pass
        if loop.fetched(system, distillation_id)["status"] == "blocked":
            system.ok("POST", f"/v1/distillations/{distillation_id}/approve")
    tick()
    return loop.fetched(system, distillation_id)


def test_each_trainer_gets_the_same_bytes_and_its_own_verdict(
    system: System,
    aws_trainers: Stand,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve_students(system, aws_trainers, monkeypatch)
    capture(system)
    ended, sets = {}, {}
    for trainer, student in STUDENTS.items():
        asked = loop.distill(system, "cfpb", teacher=TEACHER, trainer=trainer, student=student)
        if trainer == "file":
            train_by_hand(system, until_it_trains(system, asked["id"])["job_id"])
        ended[trainer] = loop.completed(system, asked["id"])
        dataset = Dataset.load(ended[trainer]["dataset_id"])
        sets[trainer] = [blobs.get(dataset.key(f"{split}.jsonl")) for split in ("train", "validation")]
    assert sets["default"][0].count(b"\n") > ROWS / 3
    assert all(files == sets["default"] for files in sets.values())
    verdicts = {trainer: distillation["verdict"] for trainer, distillation in ended.items()}
    assert len({verdict["id"] for verdict in verdicts.values()}) == len(STUDENTS)
    assert {verdict["rows"] for verdict in verdicts.values()} == {verdicts["default"]["rows"]}
    for trainer, verdict in verdicts.items():
        assert verdict["scores"]["distilled"]["model"] == ended[trainer]["model"]
        assert verdict["scores"]["teacher"]["passed"] == verdicts["default"]["scores"]["teacher"]["passed"]
        assert verdict["scores"]["baseline"]["passed"] == verdicts["default"]["scores"]["baseline"]["passed"]
