"""The trainer that speaks OpenAI's API, against the lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

import httpx
import httpx2
import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob
from pydantic import ValidationError

from distillations.job import JobStatus
from foundation.ids import new_id
from tests.flow import loop
from tests.tuning.conftest import example_line, stored
from tuning.trainers import TrainerAway, TrainerRefused, Training, UnknownState, openai_compatible
from tuning.trainers.openai_compatible import OpenAITrainer

LINES = b"\n".join(example_line(number) for number in range(12))


pytestmark = pytest.mark.usefixtures("system")


@pytest.fixture
def trainer(lab_at_rest: str) -> Iterator[OpenAITrainer]:
    with OpenAI(base_url=f"{lab_at_rest}/v1", api_key="any", max_retries=0) as client:
        yield OpenAITrainer(client)


@pytest.fixture
def fault(lab_server: str) -> Callable[..., None]:
    def order(path: str, **more: Any) -> None:
        httpx.post(f"{lab_server}/lab/faults", json={"path": path, "status": 500, **more}).raise_for_status()

    return order


def training(**fields: Any) -> Training:
    wanted: dict[str, Any] = {
        "intent": new_id("ftjob-"),
        "model": loop.STUDENT,
        "train": stored(LINES),
        "validation": None,
        "hyperparameters": {},
        "seed": 3,
        "suffix": "s",
    }
    return Training(**{**wanted, **fields})


def test_a_job_is_found_by_its_intent_among_others(trainer: OpenAITrainer) -> None:
    first, second = training(), training()
    assert trainer.find(first.intent) is None
    started = trainer.start(first)
    trainer.start(second)
    job = trainer.find(first.intent)
    assert job
    assert job.id == started.id
    assert trainer.look(started.id).id == started.id


def test_the_files_carry_what_was_assembled(trainer: OpenAITrainer, lab_server: str) -> None:
    started = trainer.start(training(validation=stored(LINES), hyperparameters={"n_epochs": 4}))
    job = httpx.get(f"{lab_server}/v1/fine_tuning/jobs/{started.id}").json()
    assert job["hyperparameters"]["n_epochs"] == 4
    for name in ("training_file", "validation_file"):
        assert httpx.get(f"{lab_server}/v1/files/{job[name]}/content").content == LINES


def test_the_files_of_a_job_are_forgotten_and_no_others(trainer: OpenAITrainer, fault: Callable[..., None]) -> None:
    """Also those of a start whose answer was lost, after which they were uploaded once more."""
    kept, wanted = training(), training(validation=stored(LINES))
    trainer.start(kept)
    fault("/fine_tuning/jobs", when="before")
    with pytest.raises(TrainerAway):
        trainer.start(wanted)
    trainer.start(wanted)
    for _ in range(2):
        trainer.forget(wanted.intent)
    names = [file.filename for file in trainer._client.files.list(purpose="fine-tune")]
    assert not [name for name in names if name.startswith(wanted.intent)]
    assert [name for name in names if name.startswith(kept.intent)]


def patient(trainer: OpenAITrainer) -> OpenAITrainer:
    """The trainer with a client that tries again, as OpenAI's does unless it is told."""
    return OpenAITrainer(trainer._client.with_options(max_retries=2))


def test_no_call_is_tried_twice(trainer: OpenAITrainer, fault: Callable[..., None]) -> None:
    """Three tries of a trainer that hangs would outlast the function, and nobody would know that it is away."""
    started = trainer.start(training())
    fault("/fine_tuning/jobs/*", method="GET")
    with pytest.raises(TrainerAway):
        patient(trainer).look(started.id)
    fault("/files")
    with pytest.raises(TrainerAway):
        patient(trainer).start(training())


def test_creating_a_job_is_never_tried_twice(trainer: OpenAITrainer, fault: Callable[..., None]) -> None:
    wanted = training()
    fault("/fine_tuning/jobs", when="after")
    with pytest.raises(TrainerAway):
        patient(trainer).start(wanted)
    jobs = trainer._client.fine_tuning.jobs.list(metadata={"stillhouse_intent": wanted.intent})
    assert len(list(jobs)) == 1


@pytest.mark.parametrize("status", [429, 500])
def test_what_may_pass_is_away(status: int, trainer: OpenAITrainer, fault: Callable[..., None]) -> None:
    fault("/files", status=status)
    with pytest.raises(TrainerAway):
        trainer.start(training())


def test_nobody_there_is_away() -> None:
    with (
        OpenAI(base_url="http://127.0.0.1:1/v1", api_key="any", max_retries=0) as client,
        pytest.raises(TrainerAway),
    ):
        OpenAITrainer(client).find("ftjob-1")


def test_what_will_not_pass_is_a_refusal_in_the_trainers_words(trainer: OpenAITrainer) -> None:
    with pytest.raises(TrainerRefused, match=r"^The model 'nope' cannot be fine-tuned here") as refusal:
        trainer.start(training(model="nope"))
    assert refusal.value.code == "model_not_found"
    with pytest.raises(TrainerRefused, match="Could not find"):
        trainer.look("ftjob-nobody")
    with pytest.raises(TrainerRefused):
        trainer.cancel("ftjob-nobody")


def job(status: str, **fields: Any) -> FineTuningJob:
    return FineTuningJob.model_construct(**{"id": "j", "status": status, "error": None, **fields})


def test_every_status_of_the_sdk_and_the_one_that_its_type_forgot_has_a_place() -> None:
    known = get_args(FineTuningJob.model_fields["status"].annotation)
    assert {*known, "paused"} == set(openai_compatible._STATES)
    ours = {"waiting_for_model", "deploying"}
    assert set(openai_compatible._STATES.values()) == set(get_args(JobStatus.__value__)) - ours
    empty = {"model": "m", "fine_tuned_model": None, "trained_tokens": None, "finished_at": None}
    assert openai_compatible._job(job("paused", **empty)).status == "paused"


def test_a_status_that_nobody_knows_is_no_answer_and_no_failure() -> None:
    with pytest.raises(UnknownState, match="'on_holiday'"):
        openai_compatible._job(job("on_holiday"))


@pytest.mark.parametrize(("tokens", "cost"), [(2_000_000, 6.0), (None, None)])
def test_what_a_training_cost_is_its_tokens_at_the_price_list(
    tokens: int | None, cost: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.prices.training_nanodollars", {"priced": 3000.0}.get)
    ended = {"fine_tuned_model": "ft:m", "trained_tokens": tokens, "finished_at": 1}
    assert openai_compatible._job(job("succeeded", model="priced", **ended)).cost_usd == cost
    assert openai_compatible._job(job("succeeded", model="unknown", **ended)).cost_usd is None


def test_an_estimate_is_the_files_size_times_its_epochs_at_the_price_list(
    trainer: OpenAITrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.prices.training_nanodollars", {loop.STUDENT: 1e6}.get)
    tokens = len(LINES) / 4
    for given, epochs in (({}, 3), ({"n_epochs": "auto"}, 3), ({"n_epochs": 5}, 5)):
        assert trainer.estimate(training(hyperparameters=given)).cost_usd == round(tokens * epochs / 1000, 2)
    assert trainer.estimate(training(model="unpriced")).cost_usd is None


def test_a_rotated_key_is_used_from_the_next_call_on() -> None:
    keys, seen = iter(["old", "new"]), []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["authorization"])
        return httpx2.Response(200, json={"data": []})

    far = httpx2.Client(transport=httpx2.MockTransport(answer))
    rotated = OpenAITrainer(OpenAI(base_url="http://far/v1", api_key=lambda: next(keys), http_client=far))
    for intent in ("a", "b"):
        rotated.find(intent)
    assert seen == ["Bearer old", "Bearer new"]


def scripted(answers: dict[str, Any]) -> OpenAITrainer:
    """A trainer at a provider that answers by path."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answers[request.url.path.rpartition("/")[2]])

    return OpenAITrainer(OpenAI(api_key="k", http_client=httpx.Client(transport=httpx.MockTransport(answer))))


SAID: dict[str, Any] = {"id": "j", "object": "fine_tuning.job", "status": "succeeded", "model": "m", "created_at": 1}
EVENT: dict[str, Any] = {"id": "e", "object": "fine_tuning.job.event", "created_at": 1, "level": "info", "message": "m"}
CHECKPOINT: dict[str, Any] = {
    "id": "c",
    "object": "fine_tuning.job.checkpoint",
    "created_at": 1,
    "fine_tuned_model_checkpoint": "m",
    "fine_tuning_job_id": "j",
    "metrics": {},
    "step_number": 1,
}


@pytest.mark.parametrize(
    "odd",
    [{"created_at": "soon"}, {"created_at": 10**40}, {"created_at": -1}, {"message": None}, {"id": 7}],
    ids=str,
)
def test_an_event_that_cannot_be_read_is_left_out(odd: dict[str, Any]) -> None:
    page = {"object": "list", "data": [EVENT | odd, EVENT], "has_more": False}
    checkpoints = {"object": "list", "data": [CHECKPOINT | {"step_number": "x"}, CHECKPOINT], "has_more": False}
    seen = scripted({"j": SAID, "events": page, "checkpoints": checkpoints}).look("j")
    assert (seen.status, len(seen.events), len(seen.checkpoints)) == ("succeeded", 1, 1)


def test_figures_without_an_end_are_cut() -> None:
    data = {f"{number:05d}{'x' * 400}": number for number in range(9_000)} | {"huge": 10**400}
    page = {"object": "list", "data": [EVENT | {"type": "metrics", "data": data}], "has_more": False}
    seen = scripted({"j": {**SAID, "status": "running"}, "events": page}).look("j")
    assert len(str(dict(seen.events[0].metrics))) < 30_000


@pytest.mark.parametrize(
    "odd",
    [{"fine_tuned_model": "m" * 600_000}, {"trained_tokens": "many"}, {"trained_tokens": 1 << 63}, {"id": None}],
    ids=["model", "text", "count", "id"],
)
def test_a_job_that_cannot_be_kept_is_no_look(odd: dict[str, Any]) -> None:
    """The watcher raises for its alarm, and ends the job when the patience is over; no row holds what it cannot."""
    page: dict[str, Any] = {"object": "list", "data": [], "has_more": False}
    with pytest.raises(ValidationError):
        scripted({"j": SAID | odd, "events": page, "checkpoints": page}).look("j")


class Slow:
    """A provider with one job of four steps, whose status is what was asked for last."""

    def __init__(self) -> None:
        self.status = "running"
        self.asked: list[str] = []
        self.data: dict[str, Any] = {"step": 1, "total_steps": 4}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        *_, what = request.url.path.split("/")
        if request.method == "POST":
            self.asked.append(what)
            self.status = "paused" if what == "pause" else "queued"
        if what == "events":
            event = {"id": "e", "created_at": 1, "level": "info", "message": "m", "type": "metrics", "data": self.data}
            return httpx2.Response(200, json={"data": [event], "has_more": False})
        fields = {"fine_tuned_model": None, "trained_tokens": None, "finished_at": None, "estimated_finish": 90}
        return httpx2.Response(200, json=job(self.status, model="m", **fields).to_dict())

    def trainer(self) -> OpenAITrainer:
        far = httpx2.Client(transport=httpx2.MockTransport(self))
        return OpenAITrainer(OpenAI(base_url="http://far/v1", api_key="any", http_client=far))


def test_a_job_is_paused_once_and_resumed_once() -> None:
    slow = Slow()
    trainer = slow.trainer()
    for change in (trainer.resume, trainer.pause, trainer.pause, trainer.resume, trainer.resume):
        change("theirs")
    assert slow.asked == ["pause", "resume"]


@pytest.mark.parametrize(
    ("data", "progress"),
    [
        ({"step": 1, "total_steps": 4}, 0.25),
        ({"step": 9, "total_steps": 4}, 1.0),
        ({"step": 1, "total_steps": 0}, None),
        ({"step": 1}, None),
    ],
)
def test_progress_is_the_share_of_the_steps_and_the_end_is_openais_guess(
    data: dict[str, Any], progress: float | None
) -> None:
    slow = Slow()
    slow.data = data
    seen = slow.trainer().look("theirs")
    assert (seen.progress, seen.estimated_finish) == (progress, 90)
