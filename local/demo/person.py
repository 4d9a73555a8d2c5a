"""The person for whom the trainer `file` waits, played by the demo, with the lab for a machine of their own.

In: a job that is `waiting_for_model`. What the job asks for is done: the training set is fetched from the bucket, a
student of the lab is trained on it, and `stillhouse model add` names the model. Fails with `DemoFailed` where the
training or the command fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from openai import OpenAI

from local.demo.trainer import Surroundings, Trainer
from local.demo.waiting import DemoFailed, until
from local.stack import aws

_WAITING = "waiting_for_model"
_ENDED = frozenset({"succeeded", "failed", "cancelled"})


class Person(Trainer):
    """Somebody who trains by hand, once."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._helped: set[str] = set()

    def help(self, job_id: str) -> None:
        if job_id in self._helped:
            return
        job = cast("dict[str, Any]", self.around.client.get(f"/fine_tuning/jobs/{job_id}", cast_to=object))
        if job["state"] != _WAITING:
            return
        self._helped.add(job_id)
        for line in job["to_do"].splitlines():
            self.around.say(f"  to do: {line}")
        model = self._trained(self._training_set(job["to_do"]))
        self._name(model, job_id)
        self.around.say(f"  done by the demo, with the lab for a machine: {model}")

    def _training_set(self, to_do: str) -> bytes:
        """The file that the first of the commands copies."""
        bucket, _, folder = next(word for word in to_do.split() if word.startswith("s3://"))[5:].partition("/")
        s3 = aws.client("s3", self.around.endpoint_url)
        lines: bytes = s3.get_object(Bucket=bucket, Key=f"{folder}train.jsonl")["Body"].read()
        return lines

    def _trained(self, lines: bytes) -> str:
        with OpenAI(base_url=self.around.lab_url, api_key="any") as lab:
            file = lab.files.create(file=("train.jsonl", lines), purpose="fine-tune")
            started = lab.fine_tuning.jobs.create(model=self.around.student, training_file=file.id, suffix="by-hand")

            def ended() -> Any:
                job = lab.fine_tuning.jobs.retrieve(started.id)
                return job if job.status in _ENDED else None

            job = until("the training by hand", ended)
        if not job.fine_tuned_model:
            raise DemoFailed(f"the training by hand {job.status}: {job.error and job.error.message}")
        model: str = job.fine_tuned_model
        return model

    def _name(self, model: str, job_id: str) -> None:
        client = self.around.client
        command = [str(Path(sys.executable).parent / "stillhouse"), "model", "add", model]
        command += ["--base", self.around.student, "--job", job_id, "--to", str(client.base_url).rstrip("/")]
        environment = {**os.environ, "STILLHOUSE_API_KEY": client.api_key}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise DemoFailed(f"stillhouse model add failed: {(ran.stderr or ran.stdout).strip()[-300:]}")
