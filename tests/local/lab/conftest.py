"""A lab of its own for each test, with the openai SDK in front of it."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openai import OpenAI
from starlette.testclient import TestClient

from local.lab.app import create_app

QUEUES = {
    "billing": ["invoice shows the wrong amount", "charged two times on my invoice", "refund the amount"],
    "shipping": ["parcel is late", "where is my parcel now", "the courier lost the parcel"],
    "login": ["password does not work", "cannot sign in with my password", "locked out of the account"],
}
SYSTEM = 'Sort the mail into one of ["billing", "shipping", "login"]. Say only its name.'


def mail(text: str) -> list[dict[str, Any]]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": f"Mail: {text}\nQueue?"}]


def jsonl(pairs: list[tuple[str, str]]) -> bytes:
    rows = [{"messages": [*mail(text), {"role": "assistant", "content": answer}]} for text, answer in pairs]
    return "\n".join(json.dumps(row) for row in rows).encode()


def lesson() -> list[tuple[str, str]]:
    return [
        (f"{opening} {text}, order {number}", queue)
        for queue, texts in QUEUES.items()
        for number, text in enumerate(texts)
        for opening in ("Hello,", "Dear team,", "Hi")
    ]


@pytest.fixture
def lab() -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


@pytest.fixture
def sdk(lab: TestClient) -> OpenAI:
    return OpenAI(base_url="http://testserver/v1", api_key="any", http_client=lab, max_retries=0)


@pytest.fixture
def upload(sdk: OpenAI) -> Callable[[bytes], str]:
    def send(content: bytes) -> str:
        return sdk.files.create(file=("train.jsonl", content), purpose="fine-tune").id

    return send


@pytest.fixture
def tune(sdk: OpenAI, upload: Callable[[bytes], str]) -> Callable[..., Any]:
    """Create a job, of the lesson and the base student unless told otherwise."""

    def create(content: bytes | None = None, **fields: Any) -> Any:
        file_id = upload(jsonl(lesson()) if content is None else content)
        return sdk.fine_tuning.jobs.create(**{"model": "lab-small", "training_file": file_id, **fields})

    return create


@pytest.fixture
def ended(sdk: OpenAI, ended_job: Callable[[OpenAI, str], Any]) -> Callable[[str], Any]:
    """Wait until a job of `lab` has ended."""
    return lambda job_id: ended_job(sdk, job_id)


@pytest.fixture
def lesson_file() -> bytes:
    """A training file."""
    return jsonl(lesson())


@pytest.fixture
def question() -> list[dict[str, Any]]:
    return mail("where is my parcel?")


@pytest.fixture
def ended_job() -> Callable[[OpenAI, str], Any]:
    """Wait until a job of whatever lab has ended."""

    def wait(sdk: OpenAI, job_id: str) -> Any:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            job = sdk.fine_tuning.jobs.retrieve(job_id)
            if job.status in {"succeeded", "failed", "cancelled"}:
                return job
            time.sleep(0.01)
        pytest.fail(f"{job_id} is still {job.status}")

    return wait


@pytest.fixture
def ask(sdk: OpenAI) -> Callable[[str, str], str]:
    def say(model: str, text: str) -> str:
        answer = sdk.chat.completions.create(model=model, messages=mail(text))
        return answer.choices[0].message.content or ""

    return say


@pytest.fixture
def pairs() -> list[tuple[str, str]]:
    return lesson()


@pytest.fixture
def few_rows() -> bytes:
    """Too few to train: a job of them ends at once."""
    return jsonl(lesson()[:9])
