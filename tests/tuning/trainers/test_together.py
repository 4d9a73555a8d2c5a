"""The trainer at Together: what it sends, what it makes of the answers, what it refuses before it asks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from foundation.ids import new_id
from providers.key import KeyUnusable
from providers.model_version import ModelVersion
from tests.tuning.conftest import example_line, pair_line, stored
from tests.tuning.trainers.far_together import ENDPOINTS, FarTogether, event
from tuning.trainers import Trained, TrainerAway, TrainerRefused, Training, together
from tuning.trainers.together import TogetherTrainer

LINES = b"\n".join(example_line(number) for number in range(12))
CHOSEN = {"n_epochs": 2, "batch_size": 8, "learning_rate": 1e-4, "lora_rank": 16, "max_length": 4096}

pytestmark = pytest.mark.usefixtures("system")


@pytest.fixture
def far() -> FarTogether:
    return FarTogether()


def training(**fields: Any) -> Training:
    wanted: dict[str, Any] = {
        "intent": new_id("ftjob-"),
        "model": "Qwen/Qwen3-8B",
        "train": stored(LINES),
        "validation": None,
        "hyperparameters": {},
        "seed": 3,
        "suffix": "mail",
    }
    return Training(**{**wanted, **fields})


def sent(far: FarTogether, line: str) -> dict[str, Any]:
    [document] = [document for asked, document in far.asked if asked == line]
    return dict(document)


def test_an_order_has_every_field_by_its_name_there(far: FarTogether) -> None:
    wanted = training(hyperparameters=CHOSEN, validation=stored(LINES + b"\n"))
    far.trainer().start(wanted)
    order = sent(far, "POST /v1/fine-tunes")
    train, validation = far.uploads[order.pop("training_file")], far.uploads[order.pop("validation_file")]
    assert (train["filename"], validation["filename"]) == (
        f"{wanted.intent}-train.jsonl",
        f"{wanted.intent}-validation.jsonl",
    )
    assert order == {
        "model": "Qwen/Qwen3-8B",
        "suffix": wanted.intent,
        "random_seed": 3,
        "training_method": {"method": "sft", "train_on_inputs": False},
        "training_type": {"type": "Lora", "lora_r": 16, "lora_alpha": 32},
        "n_epochs": 2,
        "n_evals": 5,
        "n_checkpoints": 1,
        "batch_size": 8,
        "learning_rate": 1e-4,
        "warmup_ratio": 0.0,
        "max_grad_norm": 1.0,
        "weight_decay": 0.0,
        "max_seq_length": 4096,
    }


def test_pairs_are_trained_on_by_together_s_own_method(far: FarTogether) -> None:
    pairs = stored(b"\n".join(pair_line(number) for number in range(3)))
    for given, beta in (({"beta": 0.2}, {"dpo_beta": 0.2}), ({"beta": "auto"}, {}), ({}, {})):
        wanted = training(hyperparameters=given, train=pairs, method="dpo")
        assert far.trainer().check(wanted) == []
        far.trainer().start(wanted)
        [order] = [document for _, document in far.asked if (document or {}).get("suffix") == wanted.intent]
        assert order["training_method"] == {"method": "dpo", **beta}


def test_what_is_auto_is_together_s_own_default(far: FarTogether) -> None:
    far.trainer().start(training(hyperparameters=dict.fromkeys(CHOSEN, "auto")))
    order = sent(far, "POST /v1/fine-tunes")
    assert (order["n_epochs"], order["batch_size"], order["learning_rate"]) == (1, "max", 1e-5)
    assert not {"training_type", "max_seq_length", "n_evals"} & set(order)


def test_all_weights_are_trained_where_that_is_asked_for(far: FarTogether) -> None:
    far.trainer().start(training(hyperparameters={"full": True}))
    assert sent(far, "POST /v1/fine-tunes")["training_type"] == {"type": "Full"}
    assert far.trainer().check(training(hyperparameters={"full": True, "lora_rank": 8}))


def test_two_jobs_on_the_same_lines_have_files_of_their_own_and_a_repeated_start_has_not(far: FarTogether) -> None:
    first, trainer = training(), far.trainer()
    trainer.start(first)
    trainer.start(training(train=first.train))
    trainer.start(first)
    contents = [file["content"] for file in far.uploads.values()]
    assert len(contents) == 2
    assert contents[0] != contents[1]
    for content in contents:
        assert [json.loads(line) for line in content.splitlines()] == [json.loads(line) for line in LINES.splitlines()]
    trainer.forget(first.intent)
    assert len(far.uploads) == 1


def test_an_upload_without_an_address_comes_again_and_one_without_tls_never(far: FarTogether) -> None:
    far._upload = lambda _: (302, {})  # type: ignore[method-assign]
    with pytest.raises(TrainerAway, match="does not say where"):
        far.trainer().start(training())
    headers = {"location": "http://storage.example/storage/f", "x-together-file-id": "f"}
    far._upload = lambda _: (302, {"headers": dict(headers)})  # type: ignore[method-assign]
    with pytest.raises(TrainerRefused, match="without TLS"):
        far.trainer().start(training())


def ended(far: FarTogether) -> tuple[TogetherTrainer, Trained]:
    wanted, trainer = training(), far.trainer()
    started = trainer.start(wanted)
    far.becomes(wanted.intent, "succeeded")
    return trainer, Trained(wanted.intent, wanted.model, trainer.look(started.id).fine_tuned_model or "")


def test_the_end_of_a_job_has_its_model_its_cost_and_its_figures(far: FarTogether) -> None:
    trainer, trained = ended(far)
    job = trainer.find(trained.intent)
    assert job
    seen = trainer.look(job.id)
    assert seen.fine_tuned_model == "models/ml_1/revisions/rv_2"
    assert (seen.cost_usd, seen.trained_tokens, seen.finished_at) == (1.5, 900, 1_795_939_200)
    assert seen.events[-1].metrics == {"step": 1.0, "global_step": 1.0, "loss": 0.5}
    assert len({told.id for told in seen.events}) == len(seen.events)


def test_a_job_is_seen_without_its_events(far: FarTogether) -> None:
    trainer, trained = ended(far)
    job = trainer.find(trained.intent)
    assert job
    del far.jobs[job.id]["events"]
    far.jobs[job.id]["status"] = "error"
    far.routes = lambda: {**FarTogether.routes(far), r"GET /v1/fine-tunes/([^/]+)/events": lambda *_: (500, {})}  # type: ignore[method-assign]
    seen = trainer.look(job.id)
    assert seen.error
    assert (seen.status, seen.error.message) == ("failed", "Together says that the job failed, and no more.")


@pytest.mark.parametrize("kind", ["job_error", "JOB_USER_ERROR"])
def test_a_job_that_fails_by_its_user_has_failed_and_says_why(kind: str, far: FarTogether) -> None:
    wanted, trainer = training(), far.trainer()
    started = trainer.start(wanted)
    far.jobs[started.id] |= {"status": "user_error", "events": [event(kind, "the set is odd", level="Error")]}
    seen = trainer.look(started.id)
    assert seen.error
    assert (seen.status, seen.error.message) == ("failed", "the set is odd")
    assert [told.level for told in seen.events] == ["error"]


BUSY: Any = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
NO_KEYS: dict[str, Exception | str] = {
    "unusable": KeyUnusable("holds JSON"),
    "no header": "clé",
    "throttled": ClientError(BUSY, "GetSecretValue"),
    "out of reach": EndpointConnectionError(endpoint_url="https://secretsmanager"),
}


@pytest.mark.parametrize("key", NO_KEYS.values(), ids=NO_KEYS)
def test_a_key_that_cannot_be_used_is_waited_for(
    key: Exception | str, far: FarTogether, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key_at(_: str) -> str:
        if isinstance(key, Exception):
            raise key
        return key

    monkeypatch.setattr("tuning.trainers.account.key_at", key_at)
    with pytest.raises(TrainerAway):
        far.trainer().find("ftjob-1")


def test_levels_are_ours() -> None:
    told = [event("warning", "w", level="legacy_iwarning"), event("x", "e", level="error"), event("y", "i")]
    assert [seen.level for seen in together._events(told)] == ["warn", "error", "info"]


def test_a_model_that_is_not_in_the_registry_is_none() -> None:
    assert together._artifact({}) is None
    assert together._artifact({"model_object_id": "ml_1"}) == "models/ml_1"


def test_a_deployment_stops_when_nobody_asks_and_is_asked_by_its_name(far: FarTogether) -> None:
    trainer, trained = ended(far)
    trainer.deploy(trained)
    [endpoint] = far.endpoints
    name = trained.intent.lower()
    assert sent(far, f"POST {ENDPOINTS}/{endpoint}/deployments") == {
        "name": name,
        "model": "projects/prj_1/models/ml_1/revisions/rv_2",
        "autoscaling": {"minReplicas": 1, "maxReplicas": 1},
        "inactiveTimeout": 60,
    }
    far.deployed(trained.intent)
    there = trainer.deploy(trained)
    assert there
    assert (there.ready, there.error, there.provider) == (True, None, "together")
    assert there.served_as == f"acme/{name}/{name}"


def test_a_deployment_that_failed_says_why(far: FarTogether) -> None:
    trainer, trained = ended(far)
    trainer.deploy(trained)
    [deployment] = far.deployments.values()
    deployment["status"] = {"state": "DEPLOYMENT_STATE_FAILED", "message": "no capacity"}
    there = trainer.deploy(trained)
    assert there
    assert there.error
    assert (there.ready, there.error.message) == (False, "no capacity")


def test_an_endpoint_whose_deployment_is_going_is_retired_later(far: FarTogether) -> None:
    trainer, trained = ended(far)
    trainer.deploy(trained)
    far.going = 1
    model = ModelVersion(id="m", created_at=1, base="b", trainer="together", job_id=trained.intent)
    with pytest.raises(TrainerAway, match="not gone yet"):
        trainer.retire(model)
    for _ in range(2):
        trainer.retire(model)
    assert (far.endpoints, far.costs()) == ({}, [])


def test_a_key_of_no_project_cannot_deploy(far: FarTogether) -> None:
    trainer, trained = ended(far)
    far.routes = lambda: {r"GET /v3/whoami": lambda _: (200, {"type": "org_api_key"})}  # type: ignore[method-assign]
    with pytest.raises(TrainerRefused, match="no project"):
        trainer.deploy(trained)


def test_turns_that_do_not_alternate_are_refused_by_line(far: FarTogether) -> None:
    user = {"role": "user", "content": "u"}
    odd = json.dumps({"messages": [user, user, {"role": "assistant", "content": "a"}]}).encode()
    [problem] = far.trainer().check(replace(training(), train=stored(LINES + b"\n" + odd)))
    assert str(problem).startswith("train, line 13: user and assistant must take turns")
