"""The lab behind the fakes: it trains on the rows that a job reads from S3, and answers for models.

In: training rows in OpenAI's form, chat requests. Out: the lab's jobs and completions. Fails with `LabRefused`, which
carries the lab's own message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

# In seconds. A model from before a restart is trained again at its first request.
_PATIENT = httpx2.Timeout(120)


class LabRefused(Exception):
    """The lab answers with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Training:
    """How a training of the lab stands. `status` is OpenAI's; `loss` falls as the student learns."""

    status: str
    model: str | None
    tokens: int
    error: str | None
    loss: float | None


class Lab:
    """A client of the lab at a URL that ends in `/v1`."""

    def __init__(self, url: str) -> None:
        self._http = httpx2.Client(base_url=url.rstrip("/"), timeout=_PATIENT, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def train(self, base: str, rows: list[dict[str, Any]], *, epochs: int | None, seed: int, suffix: str) -> str:
        """Start a training; the lab's id of the job."""
        lines = b"\n".join(orjson.dumps(row) for row in rows)
        upload = {"file": ("train.jsonl", lines, "application/jsonl")}
        file = self._checked(self._http.post("/files", files=upload, data={"purpose": "fine-tune"}))
        hyperparameters = {} if epochs is None else {"n_epochs": epochs}
        body = {
            "model": base,
            "training_file": file["id"],
            "seed": seed,
            "suffix": suffix,
            "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
        }
        job_id: str = self._checked(self._http.post("/fine_tuning/jobs", json=body))["id"]
        return job_id

    def look(self, job_id: str) -> Training:
        job = self._checked(self._http.get(f"/fine_tuning/jobs/{job_id}"))
        return Training(
            status=job["status"],
            model=job["fine_tuned_model"],
            tokens=job["trained_tokens"] or 0,
            error=(job["error"] or {}).get("message"),
            loss=self._loss(job_id) if job["status"] == "succeeded" else None,
        )

    def cancel(self, job_id: str) -> None:
        self._http.post(f"/fine_tuning/jobs/{job_id}/cancel")

    def chat(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._checked(self._http.post("/chat/completions", json=body))

    def _loss(self, job_id: str) -> float | None:
        """The share of training rows that the student still answers otherwise: the lab has no other loss."""
        events = self._checked(self._http.get(f"/fine_tuning/jobs/{job_id}/events"))["data"]
        metrics = [event["data"] for event in events if event["type"] == "metrics"]
        return round(1 - metrics[0]["train_accuracy"], 4) if metrics else None

    def _checked(self, response: httpx2.Response) -> dict[str, Any]:
        if not response.is_success:
            try:
                message = response.json()["error"]["message"]
            except (ValueError, LookupError, TypeError):
                message = response.text[:300]
            raise LabRefused(response.status_code, message)
        body: dict[str, Any] = response.json()
        return body
