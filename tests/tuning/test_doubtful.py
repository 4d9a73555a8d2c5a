"""A job of which nobody knows whether it was started is looked for day by day, until its trainer can tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from distillations.distillation import Distillation
from distillations.job import Job
from foundation import table
from foundation.events import StartJob
from foundation.ids import now
from providers.spending import spending
from tests.distilling import build
from tests.tuning.conftest import Scripted, events_of, starting
from tuning import doubtful
from tuning.jobs import DOUBTFUL
from tuning.start import give_up, start
from tuning.trainers import ProviderJob, TrainerAway, TrainerRefused

type Landed = Callable[..., Distillation]

pytestmark = pytest.mark.usefixtures("system")


@pytest.fixture
def doubted(landed: Landed, context: Any) -> Job:
    """A job whose start was sent and never answered, at a trainer that stayed away for the whole patience."""
    distillation = landed()
    build.job(distillation, away={"since": 1, "reason": "busy"})
    start(starting(distillation), context, Scripted(fails=TrainerAway("no answer")))
    job = Job.load(distillation.job_id or "")
    assert (job.status, job.provider_job_id, spending().unpriced) == ("failed", None, 1)
    return job


def look(trainer: Scripted, monkeypatch: pytest.MonkeyPatch, *, days: int = 0) -> None:
    """The look of a day, so many days later."""
    with monkeypatch.context() as patch:
        patch.setattr("tuning.doubtful.trainer_named", lambda _: trainer)
        at = now() + days * 86_400
        patch.setattr("tuning.doubtful.now", lambda: at)
        doubtful.look_for()


def left() -> list[str]:
    return [row["sk"] for row in table.query(DOUBTFUL)]


def test_one_that_runs_after_all_is_stopped_and_its_cost_is_booked_when_it_has_ended(
    doubted: Job, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer.known[doubted.id] = ProviderJob("theirs-7", "running")
    look(trainer, monkeypatch)
    assert (trainer.cancelled, left()) == (["theirs-7"], [doubted.id])
    assert Job.load(doubted.id).provider_job_id == "theirs-7"
    assert any("theirs-7" in message for _, message in events_of(doubted))
    trainer.known[doubted.id] = ProviderJob("theirs-7", "cancelled", cost_usd=1.5)
    look(trainer, monkeypatch)
    assert (left(), spending().unpriced, spending().trainings_usd) == ([], 0, 1.5)
    assert trainer.forgotten == [doubted.id]
    assert Job.load(doubted.id).status == "failed", "what waited for it has gone on"


@pytest.mark.usefixtures("doubted")
def test_one_that_was_never_started_has_cost_nothing(trainer: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    look(trainer, monkeypatch)
    assert (left(), trainer.cancelled, spending().unpriced) == ([], [], 0)


def test_one_that_has_succeeded_keeps_its_model_and_says_so(
    doubted: Job, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer.known[doubted.id] = ProviderJob("theirs-7", "succeeded", fine_tuned_model="ft:late", cost_usd=2.0)
    look(trainer, monkeypatch)
    assert (left(), trainer.cancelled, spending().trainings_usd) == ([], [], 2.0)
    assert any("ft:late" in message for _, message in events_of(doubted))


@pytest.mark.parametrize("error", [TrainerAway("busy"), TrainerRefused("wrong key"), KeyError("gone")])
def test_while_the_trainer_cannot_tell_it_is_looked_for_again_for_a_month(
    error: Exception, doubted: Job, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_: str) -> None:
        raise error

    monkeypatch.setattr(trainer, "find", silent)
    look(trainer, monkeypatch)
    look(trainer, monkeypatch, days=29)
    assert left() == [doubted.id]
    look(trainer, monkeypatch, days=31)
    assert (left(), spending().unpriced) == ([], 1)


def test_one_that_cannot_be_stopped_now_holds_no_other_up(
    doubted: Job, landed: Landed, context: Any, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    distillation = landed(number=2)
    build.job(distillation, away={"since": 1, "reason": "busy"})
    start(starting(distillation), context, Scripted(fails=TrainerAway("no answer")))
    trainer.known[doubted.id] = ProviderJob("theirs-7", "running")
    monkeypatch.setattr(trainer, "cancel", lambda _: (_ for _ in ()).throw(TrainerAway("busy")))
    look(trainer, monkeypatch)
    assert left() == [doubted.id], "of the other the trainer knows nothing"


def test_one_at_which_looking_raises_holds_no_other_up_and_leaves_after_its_month(
    doubted: Job, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:

    def broken(_: str) -> None:
        raise ValueError("a state without a name")

    monkeypatch.setattr(trainer, "find", broken)
    for days, still in ((0, [doubted.id]), (1, [doubted.id]), (31, [])):
        table.put({"pk": DOUBTFUL, "sk": "ftjob-gone", "since": now()})
        with pytest.raises(ValueError, match="without a name"):
            look(trainer, monkeypatch, days=days)
        assert left() == still


def test_one_that_was_never_about_to_start_is_not_looked_for(landed: Landed, context: Any) -> None:
    distillation = landed()
    build.job(distillation, away={"since": 1, "reason": "busy"})
    start(starting(distillation), context, Scripted(away=True))
    assert left() == []


def test_one_whose_start_was_given_up_is_looked_for(doubted: Job) -> None:
    doubted.change({"status": "queued", "distillation_id": None})
    table.delete(DOUBTFUL, doubted.id)
    give_up(StartJob(job_id=doubted.id), "it was tried 5 times")
    assert left() == [doubted.id]
