"""What every trainer does, whichever it is, with a scripted far side at its other end.

One job is made whatever is lost and redelivered; what is deployed is deployed once, and what nobody uses is retired.
The process is killed before and after every call of `start`, `deploy`, `retire`, and of a pause and its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Any

import pytest

from distillations.distillation import Distillation
from distillations.job import OPEN_JOBS, Job
from distillations.trainers import TRAINERS
from foundation import table
from foundation.events import CancelJob, StartJob
from foundation.job_messages import PauseJob
from providers.model_version import ModelVersion
from tests.examples import of_the_soak
from tests.flow.snapshot import put_back, taken
from tests.flow.system import System
from tests.tuning.conftest import events_of, starting, tick
from tests.tuning.trainers.far_side import FarSide, Killed, Strike
from tests.tuning.trainers.far_sides import DOUBLES, FAR_SIDES, WAYS
from tests.tuning.trainers.recording import unlisted
from tuning.cancel import cancel
from tuning.hold import hold
from tuning.start import start
from tuning.trainers import PausingTrainer, Trainer, UnknownState
from tuning.watch import watch

MOST_CALLS = 40
TICKS = 8

KILLED, UNANSWERED = [(True, False), (True, True)], (False, True)
LOST = pytest.mark.parametrize(("killed", "after"), [*KILLED, UNANSWERED])
"""The process is killed before a call or after it, or no answer comes after what was asked is done."""

EVERY_WAY = pytest.mark.parametrize("name", sorted({**FAR_SIDES, **DOUBLES, **WAYS}), indirect=True)
"""All of them, and each way to serve what was trained."""

LOST_IN_EVERY_WAY = pytest.mark.parametrize(
    ("name", "killed", "after"),
    [
        *((name, *lost) for name in sorted({**FAR_SIDES, **DOUBLES}) for lost in (*KILLED, UNANSWERED)),
        *((name, *UNANSWERED) for name in WAYS),
        *of_the_soak(*((name, *lost) for name in WAYS for lost in KILLED)),
    ],
    indirect=["name"],
)
"""Both; in the other ways of a trainer, whose calls are mostly the same, the soak alone kills the process."""

type Landed = Callable[..., Distillation]
type Moment = Callable[[], Callable[[], None]]

pytestmark = pytest.mark.usefixtures("system")


@pytest.fixture(params=sorted({**FAR_SIDES, **DOUBLES}))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def far(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarSide]:
    monkeypatch.setattr("tuning.answering.ask", lambda _: None)
    made = {**FAR_SIDES, **DOUBLES, **WAYS}[name](monkeypatch)
    yield made
    assert unlisted(name, made) == set(), "what is asked and answered has changed: run `make sdks`"


@pytest.fixture
def trainer(far: FarSide) -> Trainer:
    return far.trainer()


@pytest.fixture
def begin(name: str, landed: Landed, far: FarSide, trainer: Trainer, context: Any) -> Callable[..., Job]:
    """Start a job, whatever is lost meanwhile."""

    def deliver(number: int, block: AbstractContextManager[Any] | None = None) -> Job:
        distillation = landed(trainer=name, number=number, student=far.student)
        with block or nullcontext(), suppress(Exception, Killed):
            start(starting(distillation), context, trainer)
        return Job.load(distillation.job_id or "")

    return deliver


@pytest.fixture
def begun(begin: Callable[..., Job]) -> Callable[[], Job]:
    """Start another job."""
    numbers = iter(range(1, MOST_CALLS))
    return lambda: begin(next(numbers))


@pytest.fixture
def moment(system: System, far: FarSide) -> Moment:
    """Take what there is now, in AWS and at the far side; what this answers puts it back."""

    def take() -> Callable[[], None]:
        here, there = taken(system), far.taken()

        def back() -> None:
            put_back(system, here)
            far.put_back(there)

        return back

    return take


def follow(trainer: Trainer, job: Job) -> Job:
    """The clock strikes until the job has ended; a tick that is lost is followed by the next one."""
    for _ in range(TICKS):
        with suppress(Exception):
            tick(trainer)
        if Job.load(job.id).ended:
            break
    return Job.load(job.id)


def attempt(far: FarSide, number: int, act: Callable[[], Any], *, after: bool, killed: bool) -> Strike:
    """Do something whose call of this number is lost."""
    strike = Strike(number, after, Killed() if killed else far.lost)
    with far.struck(strike), suppress(Exception, Killed):
        act()
    return strike


def test_every_trainer_has_a_far_side() -> None:
    assert set(FAR_SIDES) == set(TRAINERS)


@EVERY_WAY
def test_a_job_goes_from_its_start_to_a_model(far: FarSide, trainer: Trainer, begun: Callable[..., Job]) -> None:
    job = begun()
    assert far.made == [job.id]
    found = trainer.find(job.id)
    assert found
    assert found.id == job.provider_job_id
    assert far.files(job.id)
    far.becomes(job.id, "running")
    for _ in range(3):
        tick(trainer)
    told = events_of(job)
    tick(trainer)
    assert events_of(job) == told, "what is seen twice is told once"
    assert not Job.load(job.id).ended
    far.becomes(job.id, "succeeded")
    tick(trainer)
    far.deployed(job.id)
    ended = follow(trainer, job)
    assert (ended.status, ended.error) == ("succeeded", None)
    model = ModelVersion.load(ended.fine_tuned_model or "")
    assert (model.job_id, model.base, model.retired_at) == (job.id, job.model, None)
    assert far.files(job.id) == [], "the training set has left the trainer"
    assert (list(table.query(OPEN_JOBS)), far.made) == ([], [job.id])


def test_a_job_that_nobody_started_is_not_found(trainer: Trainer) -> None:
    assert trainer.find("ftjob-nobody") is None


def test_a_training_that_fails_fails_the_job_in_its_words(
    far: FarSide, trainer: Trainer, begun: Callable[..., Job]
) -> None:
    job = begun()
    if not far.fails:
        return
    far.becomes(job.id, "failed")
    ended = follow(trainer, job)
    assert ended.error
    assert (ended.status, "the loss is odd" in ended.error.message) == ("failed", True)
    assert far.costs() == []


def test_a_state_that_nobody_knows_is_waited_for_and_told(
    far: FarSide, trainer: Trainer, begun: Callable[..., Job]
) -> None:
    job = begun()
    far.becomes(job.id, "pondering")
    with pytest.raises(UnknownState, match="pondering"):
        tick(trainer)
    assert not Job.load(job.id).ended


def test_a_job_that_is_found_in_a_state_that_nobody_knows_is_followed(
    far: FarSide, trainer: Trainer, begin: Callable[..., Job], context: Any
) -> None:
    """The answer to its start was lost, and meanwhile it has come to a state of tomorrow."""
    for number in range(1, MOST_CALLS):
        strike = Strike(number, after=True, error=far.lost)
        job = begin(number, far.struck(strike))
        if not strike.struck:
            return
        if job.id in far.made and job.provider_job_id is None:
            break
    far.becomes(job.id, "pondering")
    start(StartJob(dataset_id=job.dataset_id or ""), context, trainer)
    assert far.made.count(job.id) == 1
    assert Job.load(job.id).provider_job_id, "it is there, and is followed"
    with pytest.raises(UnknownState, match="pondering"):
        tick(trainer)
    assert not Job.load(job.id).ended


def test_a_job_that_vanished_ends(far: FarSide, trainer: Trainer, begun: Callable[..., Job]) -> None:
    job = begun()
    far.vanishes(job.id)
    ended = follow(trainer, job)
    assert ended.error
    assert (ended.status, ended.error.code) == ("failed", "job_vanished")


def test_what_is_told_doubled_early_late_or_not_at_all_makes_no_difference(
    far: FarSide, trainer: Trainer, begun: Callable[..., Job], context: Any
) -> None:
    """By an event of AWS or a provider's webhook: either has this one job looked at, whatever it says."""
    job, other = begun(), begun()

    def told(about: Job) -> None:
        watch(context, trainer, only=about.id)

    told(job)
    assert not Job.load(job.id).ended, "the end was told before it was there"
    far.becomes(job.id, "succeeded")
    far.becomes(other.id, "succeeded")
    for _ in range(2):
        told(job)
    far.deployed(job.id)
    for _ in range(TICKS):
        told(job)
    ended = Job.load(job.id)
    assert (ended.status, Job.load(other.id).ended) == ("succeeded", False), "only what was told of is looked at"
    kept = events_of(job)
    told(job)
    assert events_of(job) == kept
    assert len(far.costs()) <= 1, "it is deployed once"
    tick(trainer)
    far.deployed(other.id)
    assert follow(trainer, other).status == "succeeded", "of this one nothing was told"
    assert sorted(far.made) == sorted([job.id, other.id])


def test_an_absence_ends_nothing(far: FarSide, trainer: Trainer, begun: Callable[..., Job]) -> None:
    job = begun()
    far.away = True
    for _ in range(3):
        with suppress(Exception):
            tick(trainer)
    assert not Job.load(job.id).ended
    far.away = False
    far.becomes(job.id, "succeeded")
    tick(trainer)
    far.deployed(job.id)
    assert follow(trainer, job).status == "succeeded"


def test_a_refused_start_fails_the_job_and_leaves_nothing(far: FarSide, begun: Callable[..., Job]) -> None:
    if not far.refuses():
        return
    job = begun()
    assert job.error
    assert (job.status, "no such base" in job.error.message) == ("failed", True)
    assert (far.made, far.files(job.id), far.costs()) == ([], [], [])


def test_a_cancelled_job_ends_and_costs_nothing(
    far: FarSide, trainer: Trainer, begun: Callable[..., Job], context: Any
) -> None:
    job = begun()
    cancel(CancelJob(job_id=job.id), context, trainer)
    assert follow(trainer, job).status == "cancelled"
    assert far.costs() == []


@LOST
def test_a_start_that_is_lost_anywhere_makes_one_job(
    killed: bool,
    after: bool,
    name: str,
    far: FarSide,
    *,
    trainer: Trainer,
    landed: Landed,
    context: Any,
    moment: Moment,
) -> None:
    distillation = landed(trainer=name, student=far.student)
    back = moment()
    for number in range(1, MOST_CALLS):
        back()
        strike = Strike(number, after, Killed() if killed else far.lost)
        with far.struck(strike):
            for _ in range(3):
                with suppress(Exception, Killed):
                    start(starting(distillation), context, trainer)
        job = Job.load(distillation.job_id or "")
        assert far.made == [job.id], f"call {number}"
        assert job.provider_job_id
        if not strike.struck:
            return
    raise AssertionError("a start has too many calls")


@LOST_IN_EVERY_WAY
def test_a_watcher_that_is_lost_anywhere_deploys_once_and_registers_one_model(
    killed: bool, after: bool, far: FarSide, trainer: Trainer, begun: Callable[..., Job], *, moment: Moment
) -> None:
    job = begun()
    far.becomes(job.id, "succeeded")
    back = moment()
    for number in range(1, MOST_CALLS):
        back()
        strike = attempt(far, number, lambda: tick(trainer), after=after, killed=killed)
        tick(trainer)
        far.deployed(job.id)
        ended = follow(trainer, job)
        assert ended.status == "succeeded", f"call {number}"
        assert len(far.costs()) <= 1, f"call {number}: something was deployed twice"
        trainer.retire(ModelVersion.load(ended.fine_tuned_model or ""))
        assert far.costs() == []
        if not strike.struck:
            return
    raise AssertionError("a tick has too many calls")


@LOST
def test_a_pause_that_is_lost_anywhere_is_done_by_its_next_delivery_and_so_is_its_end(
    killed: bool, after: bool, far: FarSide, trainer: Trainer, begun: Callable[..., Job], *, moment: Moment
) -> None:
    if not isinstance(trainer, PausingTrainer):
        return
    job = begun()
    far.becomes(job.id, "running")
    message = PauseJob(job_id=job.id)
    back = moment()
    for number in range(1, MOST_CALLS):
        back()
        job, struck = Job.load(job.id), []
        for asked_at, state in ((1, "paused"), (None, "running")):
            job.change({"pause_requested_at": asked_at})
            strike = attempt(far, number, partial(hold, message, trainer), after=after, killed=killed)
            hold(message, trainer)
            assert far.state(job.id) == state, f"call {number}"
            hold(message, trainer)
            assert far.state(job.id) == state, "a second delivery changes nothing"
            struck.append(strike.struck)
        assert [message for _, message in events_of(job) if "was not" in message] == []
        if not any(struck):
            return
    raise AssertionError("a pause has too many calls")


@LOST_IN_EVERY_WAY
def test_a_retirement_that_is_lost_anywhere_leaves_nothing_that_costs(
    killed: bool, after: bool, far: FarSide, trainer: Trainer, begun: Callable[..., Job], *, moment: Moment
) -> None:
    job = begun()
    far.becomes(job.id, "succeeded")
    tick(trainer)
    far.deployed(job.id)
    model = ModelVersion.load(follow(trainer, job).fine_tuned_model or "")
    assert far.costs() or not trainer.deploys
    back = moment()
    for number in range(1, MOST_CALLS):
        back()
        strike = attempt(far, number, partial(trainer.retire, model), after=after, killed=killed)
        for _ in range(2):
            trainer.retire(model)
        assert far.costs() == [], f"call {number}"
        if not strike.struck:
            return
    raise AssertionError("a retirement has too many calls")


@EVERY_WAY
def test_what_is_being_deployed_is_retired_when_its_job_is_cancelled(
    far: FarSide, trainer: Trainer, begun: Callable[..., Job], context: Any
) -> None:
    if not trainer.deploys:
        return
    job = begun()
    far.becomes(job.id, "succeeded")
    tick(trainer)
    assert far.costs()
    cancel(CancelJob(job_id=job.id), context, trainer)
    assert follow(trainer, job).status == "cancelled"
    assert far.costs() == []
