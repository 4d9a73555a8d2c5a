"""A job starts once, whatever is redelivered; a refusal ends it, an absence waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from distillations import lineage
from distillations.attempts import Attempt
from distillations.dataset import Dataset
from distillations.distillation import Distillation
from distillations.job import OPEN_JOBS, Job, JobFailure
from distillations.recipe import UsedRecipe
from foundation import blobs, bus, lease, table
from foundation.errors import RetryLater
from foundation.events import CancelJob, StartJob
from foundation.ids import now
from providers.spending import spending
from tests.distillations import documents
from tests.distilling import build
from tests.flow.system import System
from tests.tuning.conftest import Scripted, pair_line, starting, tick
from tuning.cancel import cancel
from tuning.jobs import LEASE
from tuning.start import start
from tuning.trainers import ProviderJob, TrainerAway, TrainerRefused, UnknownState

type Landed = Callable[..., Distillation]
type AtTheLab = Callable[[Distillation], list[dict[str, Any]]]


def open_jobs() -> list[str]:
    return [row["sk"] for row in table.query(OPEN_JOBS)]


def advanced(system: System) -> list[str]:
    return [message["distillation_id"] for message in build.sent(system, "DISTILLING")]


def test_a_card_starts_the_job_and_the_clock(
    system: System, landed: Landed, at_the_lab: AtTheLab, context: Any
) -> None:
    distillation = landed(hyperparameters={"n_epochs": 2}, seed=7)

    start(starting(distillation), context)

    [theirs] = at_the_lab(distillation)
    job = Job.load(distillation.job_id or "")
    assert job.provider_job_id == theirs["id"]
    assert (theirs["model"], theirs["seed"], theirs["hyperparameters"]["n_epochs"]) == ("lab-small", 7, 2)
    assert theirs["metadata"] == {"stillhouse_intent": job.id}
    assert theirs["suffix"] == "triage-of-mails--2"
    assert theirs["validation_file"] is None
    assert open_jobs() == [job.id]
    assert system.clock_runs()
    assert advanced(system) == [distillation.id]
    assert {"from": distillation.dataset_id, "to": job.id} in lineage.graph(job.id)["edges"]


def test_a_job_trains_by_the_method_of_its_dataset(landed: Landed, context: Any) -> None:
    distillation = landed(trainer="file")
    source: Any = {"type": "stored_completions"}
    card = documents.card(recipe=UsedRecipe(source=source, method="dpo", runs=["evalrun_1"]))
    dataset = Dataset.load(distillation.dataset_id or "")
    dataset.change({"card": card})
    blobs.put(dataset.key("train.jsonl"), b"\n".join(pair_line(number) for number in range(12)))

    start(starting(distillation), context)

    job = Job.load(distillation.job_id or "")
    assert (job.method, job.error) == ("dpo", None)
    assert json.loads(blobs.get(f"tuning/{job.id}/recipe.json"))["method"] == "dpo"


def test_a_redelivery_starts_nothing(system: System, landed: Landed, at_the_lab: AtTheLab, context: Any) -> None:
    distillation = landed()
    for _ in range(3):
        start(starting(distillation), context)
    assert len(at_the_lab(distillation)) == 1
    assert advanced(system) == [distillation.id] * 3


def test_a_crash_after_the_trainer_has_created_the_job_starts_no_second_one(
    system: System, landed: Landed, at_the_lab: AtTheLab, fault: Callable[..., None], context: Any
) -> None:
    distillation = landed()
    fault("/fine_tuning/jobs", when="after")

    start(starting(distillation), context)
    assert len(at_the_lab(distillation)) == 1
    assert Job.load(distillation.job_id or "").provider_job_id is None
    assert not advanced(system)
    start(starting(distillation), context)

    [theirs] = at_the_lab(distillation)
    assert Job.load(distillation.job_id or "").provider_job_id == theirs["id"]


def test_a_crash_before_the_job_was_recorded_starts_no_second_one(
    landed: Landed, trainer: Scripted, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    distillation = landed()
    with monkeypatch.context() as patch:
        patch.setattr("tuning.start.note", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            start(starting(distillation), context, trainer)
    trainer.known[distillation.job_id or ""] = ProviderJob("theirs-1", "running")

    start(starting(distillation), context, trainer)

    assert len(trainer.started) == 1
    assert Job.load(distillation.job_id or "").provider_job_id == "theirs-1"


def test_a_trainer_away_is_asked_again_later(
    system: System, landed: Landed, at_the_lab: AtTheLab, fault: Callable[..., None], context: Any
) -> None:
    distillation = landed()
    fault("/fine_tuning/jobs", status=429)

    start(starting(distillation), context)
    job = Job.load(distillation.job_id or "")
    assert (job.status, job.provider_job_id, at_the_lab(distillation)) == ("queued", None, [])
    assert not system.clock_runs()
    [again] = build.sent(system, "TUNING")
    assert (again["type"], again["put_back"]) == ("StartJob", 1)
    assert Distillation.load(distillation.id).paused
    start(StartJob.model_validate(again), context)

    assert len(at_the_lab(distillation)) == 1


def test_an_absence_is_asked_at_once_then_later_and_later(
    system: System, landed: Landed, trainer: Scripted, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert system
    distillation, trainer.away = landed(), True
    waits: list[int] = []
    messages = [starting(distillation)]

    def send(message: StartJob, *, delay_s: int = 0) -> None:
        waits.append(delay_s)
        messages.append(message)

    monkeypatch.setattr(bus, "send", send)
    for waited in (0, 0, 60, 50_000):
        monkeypatch.setattr("tuning.pause.now", lambda waited=waited: now() + waited)
        start(messages[-1], context, trainer)
    assert waits[:2] == [0, 15]
    assert 60 <= waits[2] <= 62
    assert waits[3] == bus.LONGEST_DELAY_S


def test_a_job_that_was_started_meanwhile_is_not_failed_by_an_absence(
    landed: Landed, trainer: Scripted, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patience is over for one delivery while another one has been answered."""
    distillation, trainer.away = landed(), True
    build.job(distillation, away={"since": 1, "reason": "busy"})
    find = trainer.find

    def started_meanwhile(intent: str) -> ProviderJob | None:
        Job.load(intent).change({"provider_job_id": "theirs"})
        return find(intent)

    monkeypatch.setattr(trainer, "find", started_meanwhile)
    monkeypatch.setattr(trainer, "forget", trainer.forgotten.append)
    start(starting(distillation), context, trainer)
    assert (Job.load(distillation.job_id or "").status, Job.load(distillation.job_id or "").provider_job_id) == (
        "queued",
        "theirs",
    )
    assert trainer.forgotten == [], "it trains on these files"


@pytest.mark.parametrize("when", ["found", "started"])
def test_a_job_in_a_state_that_nobody_knows_is_followed(
    when: str, landed: Landed, trainer: Scripted, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there and may cost: the watcher rings the alarm, and the job goes on with the next state that is known."""
    distillation, unknown = landed(), UnknownState("job x has the state 'odd'", job_id="theirs-9")

    def odd(_: Any) -> None:
        raise unknown

    monkeypatch.setattr(trainer, "find" if when == "found" else "start", odd)
    start(starting(distillation), context, trainer)
    job = Job.load(distillation.job_id or "")
    assert (job.provider_job_id, job.status, open_jobs()) == ("theirs-9", "queued", [job.id])
    trainer.jobs["theirs-9"] = ProviderJob("theirs-9", "running")
    tick(trainer)
    assert Job.load(job.id).status == "running"


@pytest.mark.parametrize("asked", [True, False])
def test_a_job_that_may_run_at_a_trainer_that_stayed_away_is_not_said_to_cost_nothing(
    asked: bool, landed: Landed, context: Any
) -> None:
    distillation = landed()
    build.job(distillation, away={"since": 1, "reason": "busy"})
    start(starting(distillation), context, Scripted(fails=UnknownState("odd"), away=not asked))
    error = Job.load(distillation.job_id or "").error
    assert error
    assert (error.code, "may run there" in error.message) == (
        ("unknown_state", True) if asked else ("trainer_away", False)
    )
    assert spending().unpriced == int(asked)


def test_a_refusal_fails_the_job_with_the_trainers_words(system: System, landed: Landed, context: Any) -> None:
    distillation = landed(student="nobody-trains-this")

    start(starting(distillation), context)

    job = Job.load(distillation.job_id or "")
    assert job.error
    assert (job.status, job.error.code, job.provider_job_id) == ("failed", "model_not_found", None)
    assert "'nobody-trains-this' cannot be fine-tuned here" in job.error.message
    assert job.finished_at
    [event] = table.query(job.id, prefix="EVENT#")
    assert event["level"] == "error"
    assert open_jobs() == []
    assert advanced(system) == [distillation.id]
    start(starting(distillation), context, Scripted(fails=TrainerAway("not asked again")))


def test_a_refusal_that_names_no_code_has_one_all_the_same(landed: Landed, context: Any) -> None:
    distillation = landed()
    start(starting(distillation), context, Scripted(fails=TrainerRefused("no")))
    assert Job.load(distillation.job_id or "").error == JobFailure(code="refused", message="no")


def test_files_of_a_start_that_was_refused_leave_the_trainer(landed: Landed, context: Any) -> None:
    distillation, trainer = landed(), Scripted(fails=TrainerRefused("no"))
    start(starting(distillation), context, trainer)
    assert (trainer.forgotten, open_jobs()) == ([distillation.job_id], [])


@pytest.mark.parametrize("ends", ["refused", "away", "cancelled"])
def test_files_leave_the_trainer_also_where_a_crash_came_between(
    ends: str, landed: Landed, trainer: Scripted, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    distillation = landed()
    job_id = distillation.job_id or ""
    if ends == "refused":
        trainer.fails = TrainerRefused("no")
    elif ends == "away":
        trainer.fails = TrainerAway("busy")
        build.job(distillation, away={"since": 1, "reason": "busy"})

    def deliver() -> None:
        if ends == "cancelled":
            cancel(CancelJob(job_id=job_id), context, trainer)
        else:
            start(starting(distillation), context, trainer)

    if ends == "cancelled":
        build.job(distillation)
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "forget", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deliver()
    deliver()
    assert (trainer.forgotten, Job.load(job_id).ended) == ([job_id], True)


def test_files_that_cannot_leave_the_trainer_now_are_left_to_the_watcher(
    system: System, landed: Landed, context: Any
) -> None:
    distillation, trainer = landed(), Scripted(away=True)
    build.job(distillation, away={"since": 1, "reason": "busy"})
    start(starting(distillation), context, trainer)
    assert (trainer.forgotten, open_jobs(), system.clock_runs()) == ([], [distillation.job_id], True)


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_the_card_of_a_distillation_that_has_ended_starts_nothing(
    status: str, system: System, landed: Landed, trainer: Scripted, context: Any
) -> None:
    distillation = landed()
    distillation.change({"status": status})

    start(starting(distillation), context, trainer)

    assert (trainer.started, Job.find(distillation.job_id or ""), open_jobs()) == ([], None, [])
    assert not system.clock_runs()


def test_a_cancellation_while_the_start_is_on_its_way_wins(
    landed: Landed, trainer: Scripted, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    distillation = landed()
    real = lease.held

    def cancelled_meanwhile(*arguments: Any) -> Any:
        distillation.change({"status": "cancelled"})
        return real(*arguments)

    monkeypatch.setattr(lease, "held", cancelled_meanwhile)
    start(starting(distillation), context, trainer)

    assert (trainer.started, open_jobs()) == ([], [])
    assert Job.load(distillation.job_id or "").status == "cancelled"


def test_two_deliveries_at_once_are_kept_apart(landed: Landed, trainer: Scripted, context: Any) -> None:
    distillation = landed()
    with lease.held(distillation.job_id or "", LEASE, context), pytest.raises(RetryLater):
        start(starting(distillation), context, trainer)
    assert trainer.started == []


def test_the_suffix_is_one_that_trainers_take(landed: Landed, context: Any) -> None:
    names = {"Größe & Co": "gr--e---co", "*": "stillhouse", "a" * 40: "a" * 18}
    for number, (name, suffix) in enumerate(names.items(), start=2):
        trainer = Scripted()
        start(starting(landed(name=name, number=number)), context, trainer)
        assert trainer.started[0].suffix == suffix


def test_an_attempt_that_was_cancelled_alone_is_not_started(landed: Landed, trainer: Scripted, context: Any) -> None:
    distillation = landed()
    build.job(distillation, cancel_requested_at=1)
    start(starting(distillation), context, trainer)
    assert (trainer.started, Job.load(distillation.job_id or "").status) == ([], "cancelled")


def test_each_attempt_of_a_dataset_has_a_job_and_a_message_of_its_own(
    system: System, landed: Landed, trainer: Scripted, context: Any
) -> None:
    asked = [
        Attempt(student="one", hyperparameters={"n_epochs": 1}, job_id="ftjob-a"),
        Attempt(student="two", hyperparameters={"n_epochs": 2}, job_id="ftjob-b"),
    ]
    distillation = landed(attempts=asked)
    for _ in range(2):
        start(starting(distillation), context, trainer)
    messages = {message["job_id"] for message in build.sent(system, "TUNING")}
    assert messages == {"ftjob-a", "ftjob-b"}
    assert not trainer.started
    trainer.fails = TrainerRefused("no such model")
    start(StartJob(job_id="ftjob-a"), context, trainer)
    trainer.fails = None
    for _ in range(2):
        start(StartJob(job_id="ftjob-b"), context, trainer)
    [order] = trainer.started
    assert (order.intent, order.model, order.hyperparameters) == ("ftjob-b", "two", {"n_epochs": 2})
    assert [Job.load(job_id).status for job_id in ("ftjob-a", "ftjob-b")] == ["failed", "queued"]
    assert {"from": distillation.dataset_id, "to": "ftjob-b"} in lineage.graph("ftjob-b")["edges"]
