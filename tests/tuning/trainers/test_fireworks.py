"""The trainer at Fireworks: what it sends, what it makes of the answers, what it refuses before it asks."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from distillations.job import JobStatus
from foundation.ids import new_id
from providers.model_version import ModelVersion
from tests.tuning.conftest import example_line, pair_line, stored
from tests.tuning.trainers.far_fireworks import ACCOUNT, FarFireworks
from tuning.trainers import Trained, TrainerAway, TrainerRefused, Training, fireworks
from tuning.trainers.account import Account
from tuning.trainers.fireworks import FireworksTrainer

LINES = b"\n".join(example_line(number) for number in range(12))
EVERY = {"n_epochs": 2, "batch_size": 8, "learning_rate": 1e-4, "lora_rank": 16, "max_length": 4096}

pytestmark = pytest.mark.usefixtures("system")


@pytest.fixture
def far() -> FarFireworks:
    return FarFireworks()


def training(**fields: Any) -> Training:
    wanted: dict[str, Any] = {
        "intent": new_id("ftjob-"),
        "model": "accounts/fireworks/models/qwen3-8b",
        "train": stored(LINES),
        "validation": None,
        "hyperparameters": {},
        "seed": 3,
        "suffix": "mail",
    }
    return Training(**{**wanted, **fields})


def sent(far: FarFireworks, line: str) -> dict[str, Any]:
    [document] = [document for asked, document in far.asked if asked == line]
    return dict(document)


def test_an_order_has_every_field_by_its_name_there(far: FarFireworks) -> None:
    wanted = training(hyperparameters=EVERY, validation=stored(LINES))
    job = far.trainer().start(wanted)
    name = wanted.intent.lower()
    assert job.id == f"{ACCOUNT}/supervisedFineTuningJobs/{name}"
    assert sent(far, f"POST /v1/{ACCOUNT}/supervisedFineTuningJobs") == {
        "dataset": f"{ACCOUNT}/datasets/{name}-train",
        "evaluationDataset": f"{ACCOUNT}/datasets/{name}-validation",
        "displayName": "mail",
        "baseModel": "accounts/fireworks/models/qwen3-8b",
        "epochs": 2,
        "batchSizeSamples": 8,
        "learningRate": 1e-4,
        "loraRank": 16,
        "maxContextLength": 4096,
    }
    assert far.sets[f"{name}-train"]["content"] == LINES.decode()
    assert far.sets[f"{name}-train"]["exampleCount"] == "12"


def test_an_order_on_pairs_has_its_settings_in_objects_of_their_own(far: FarFireworks) -> None:
    pairs = stored(b"\n".join(pair_line(number) for number in range(3)))
    wanted = training(hyperparameters={"n_epochs": 2, "beta": 0.2}, train=pairs, method="dpo")
    assert far.trainer().check(wanted) == []
    job, name = far.trainer().start(wanted), wanted.intent.lower()
    assert job.id == f"{ACCOUNT}/dpoJobs/{name}"
    assert sent(far, f"POST /v1/{ACCOUNT}/dpoJobs") == {
        "dataset": f"{ACCOUNT}/datasets/{name}-train",
        "displayName": "mail",
        "trainingConfig": {"baseModel": "accounts/fireworks/models/qwen3-8b", "epochs": 2},
        "lossConfig": {"method": "DPO", "dpo": {"beta": 0.2}},
    }
    assert far.trainer().find(wanted.intent) == far.trainer().look(job.id)
    far.becomes(wanted.intent, "succeeded")
    ended = far.trainer().look(job.id)
    assert (ended.fine_tuned_model, ended.cost_usd) == (f"{ACCOUNT}/models/{name}", None)
    far.trainer().cancel(job.id)


def test_a_beta_that_fireworks_would_refuse_is_refused_here(far: FarFireworks) -> None:
    pairs = stored(b"\n".join(pair_line(number) for number in range(3)))
    problem = far.trainer().check(training(hyperparameters={"beta": 0.5}, train=pairs, method="dpo"))[0]
    assert problem.param.startswith("hyperparameters.beta")


def test_what_is_auto_is_not_sent(far: FarFireworks) -> None:
    far.trainer().start(training(hyperparameters=dict.fromkeys(EVERY, "auto")))
    order = sent(far, f"POST /v1/{ACCOUNT}/supervisedFineTuningJobs")
    assert set(order) == {"dataset", "displayName", "baseModel"}


def test_a_dataset_that_is_still_read_is_waited_for_and_not_made_again(far: FarFireworks) -> None:
    wanted, trainer = training(), far.trainer()
    far.reading = True
    for _ in range(2):
        with pytest.raises(TrainerAway, match="has not read the dataset"):
            trainer.start(wanted)
    far.reading = False
    assert trainer.start(wanted).status == "queued"
    assert [line for line, _ in far.asked].count(f"POST /v1/{ACCOUNT}/datasets") == 1


def test_a_job_whose_start_nobody_saw_is_taken_for_the_one_that_was_asked_for(far: FarFireworks) -> None:
    wanted, trainer = training(), far.trainer()
    assert trainer.start(wanted).id == trainer.start(wanted).id
    assert len(far.made) == 1


def test_the_end_of_a_job_has_its_model_its_cost_and_its_time(far: FarFireworks) -> None:
    wanted, trainer = training(), far.trainer()
    started = trainer.start(wanted)
    far.jobs[wanted.intent.lower()]["jobProgress"] = {"percent": 40, "inputTokens": 900}
    running = trainer.look(started.id)
    assert (running.progress, running.cost_usd, running.fine_tuned_model) == (0.4, None, None)
    far.becomes(wanted.intent, "succeeded")
    ended = trainer.look(started.id)
    assert ended.fine_tuned_model == f"{ACCOUNT}/models/{wanted.intent.lower()}"
    assert (ended.cost_usd, ended.trained_tokens, ended.finished_at) == (1.5, 900, 1_795_939_200)
    del far.jobs[wanted.intent.lower()]["outputModel"]
    assert trainer.look(started.id).fine_tuned_model == ended.fine_tuned_model


@pytest.mark.parametrize("cost", [None, {}, {"currencyCode": "EUR", "units": "1"}])
def test_a_cost_that_is_not_in_dollars_is_not_known(cost: Any) -> None:
    assert fireworks._dollars(cost) is None


def deployed(far: FarFireworks) -> tuple[FireworksTrainer, Trained]:
    wanted, trainer = training(), far.trainer()
    started = trainer.start(wanted)
    far.becomes(wanted.intent, "succeeded")
    model = trainer.look(started.id).fine_tuned_model or ""
    trained = Trained(wanted.intent, wanted.model, model)
    trainer.deploy(trained)
    return trainer, trained


def test_a_deployment_costs_nothing_while_nobody_asks_and_is_asked_by_the_model_and_itself(far: FarFireworks) -> None:
    trainer, trained = deployed(far)
    order = sent(far, f"POST /v1/{ACCOUNT}/deployments")
    assert order == {
        "baseModel": trained.artifact,
        "minReplicaCount": 0,
        "maxReplicaCount": 1,
        "autoscalingPolicy": {"scaleToZeroWindow": "900s"},
    }
    name = trained.intent.lower()
    far.deployed(trained.intent)
    there = trainer.deploy(trained)
    assert there
    assert (there.ready, there.error, there.provider) == (True, None, "fireworks")
    assert there.served_as == f"{trained.artifact}#{ACCOUNT}/deployments/{name}"


@pytest.mark.parametrize("state", ["FAILED", "DELETING", "DELETED"])
def test_a_deployment_that_never_answers_says_why(state: str, far: FarFireworks) -> None:
    trainer, trained = deployed(far)
    far.deployments[trained.intent.lower()] |= {"state": state, "status": {"message": "no capacity"}}
    there = trainer.deploy(trained)
    assert there
    assert there.error
    assert (there.ready, there.error.message) == (False, "no capacity")


def test_a_deployment_is_retired_by_the_intent_also_where_nothing_is_known_of_it(far: FarFireworks) -> None:
    trainer, trained = deployed(far)
    model = ModelVersion(id="m", created_at=1, base="b", trainer="fireworks", job_id=trained.intent)
    for _ in range(2):
        trainer.retire(model)
    assert far.costs() == []


def test_a_set_of_two_examples_and_parts_as_content_are_refused_by_line(far: FarFireworks) -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}, {"role": "assistant", "content": "a"}]
    few = b"\n".join(example_line(number) for number in range(2))
    [problem] = far.trainer().check(training(train=stored(few)))
    assert "at least 3 are needed" in str(problem)
    odd = b"\n".join([LINES, json.dumps({"messages": parts}).encode()])
    [problem] = far.trainer().check(training(train=stored(odd)))
    assert str(problem).startswith("train, line 13: content must be a string")
    problem = far.trainer().check(training(hyperparameters={"n_epochs": 0}))[0]
    assert problem.param.startswith("hyperparameters.n_epochs")
    assert far.trainer().check(training(hyperparameters=EVERY)) == []


def test_every_state_has_a_place_of_ours() -> None:
    ours = set(get_args(JobStatus.__value__)) - {"paused", "waiting_for_model", "deploying"}
    assert set(fireworks._STATES.values()) == ours


def test_without_a_provider_there_is_no_account() -> None:
    with pytest.raises(TrainerRefused, match="No provider is configured"):
        FireworksTrainer(Account()).find("ftjob-1")
