"""The trainers that speak OpenAI's API with differences of their own: what they send, how their models are served."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from distillations.trainers import TRAINERS
from foundation import aws
from foundation.ids import new_id
from providers.model_version import ModelVersion
from tests.tuning.conftest import example_line, stored
from tests.tuning.trainers import far_azure
from tests.tuning.trainers.far_azure import PLANE, FarAzure
from tests.tuning.trainers.far_nebius import FarNebius
from tests.tuning.trainers.far_openai import FarOpenAI
from tuning.trainers import Trained, TrainerAway, TrainerRefused, Training
from tuning.trainers.dialects import DIALECTS, order_of

LINES = b"\n".join(example_line(number) for number in range(12))

pytestmark = pytest.mark.usefixtures("system")


def training(**fields: Any) -> Training:
    wanted: dict[str, Any] = {
        "intent": new_id("ftjob-"),
        "model": "base",
        "train": stored(LINES),
        "validation": None,
        "hyperparameters": {},
        "seed": 3,
        "suffix": "mail",
    }
    return Training(**{**wanted, **fields})


def test_every_trainer_with_openai_s_api_has_a_row() -> None:
    assert set(DIALECTS) == {name for name, entry in TRAINERS.items() if entry.module == "openai_compatible"}


@pytest.mark.parametrize(
    ("name", "given", "order"),
    [
        ("default", {}, {}),
        (
            "default",
            {"n_epochs": "auto"},
            {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": "auto"}}}},
        ),
        ("azure", {"training_type": "developerTier"}, {"extra_body": {"trainingType": "developerTier"}}),
        (
            "azure",
            {"n_epochs": 2, "training_type": "Standard"},
            {
                "extra_body": {"trainingType": "Standard"},
                "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
            },
        ),
        ("nebius", {}, {"hyperparameters": {"lora": True}}),
        (
            "nebius",
            {"lora_rank": 8, "max_length": 8192, "n_epochs": 2},
            {"hyperparameters": {"lora": True, "lora_r": 8, "context_length": 8192, "n_epochs": 2}},
        ),
    ],
)
def test_what_was_chosen_stands_where_the_table_says(name: str, given: dict[str, Any], order: dict[str, Any]) -> None:
    assert order_of(DIALECTS[name], given) == order
    TRAINERS[name].hyperparameters.model_validate(given)


def test_pairs_are_a_method_of_their_own() -> None:
    for name in ("default", "azure"):
        assert order_of(DIALECTS[name], {"beta": 0.2}, "dpo")["method"] == {
            "type": "dpo",
            "dpo": {"hyperparameters": {"beta": 0.2}},
        }
        assert order_of(DIALECTS[name], {}, "dpo")["method"] == {"type": "dpo", "dpo": {"hyperparameters": {}}}


def ended(far: FarOpenAI, wanted: Training) -> Trained:
    trainer = far.trainer()
    job = trainer.start(wanted)
    far.becomes(wanted.intent, "succeeded")
    return Trained(wanted.intent, wanted.model, trainer.look(job.id).fine_tuned_model or "")


def version(trained: Trained) -> ModelVersion:
    return ModelVersion(
        id="m", created_at=1, base=trained.base, trainer="t", job_id=trained.intent, artifact=trained.artifact
    )


# ------------------------------------------------------------------ Azure


@pytest.fixture
def azure() -> FarAzure:
    far_azure.store(PLANE)
    return FarAzure()


def test_a_file_that_is_not_processed_is_waited_for_and_not_sent_again(azure: FarAzure) -> None:
    wanted, trainer = training(), azure.trainer()
    azure.processed = False
    for _ in range(2):
        with pytest.raises(TrainerAway, match="not processed yet"):
            trainer.start(wanted)
    azure.processed = True
    trainer.start(wanted)
    assert len(azure.uploads) == 1


def test_a_model_of_azure_is_asked_by_its_deployment(azure: FarAzure) -> None:
    trained = ended(azure, training())
    trainer = azure.trainer()
    assert trainer.deploys
    there = trainer.deploy(trained)
    assert there
    assert (there.ready, there.served_as, there.provider) == (False, trained.intent, "azure")
    assert azure.deployments[trained.intent]["sku"] == {"name": "Standard", "capacity": 1}
    model = azure.deployments[trained.intent]["properties"]["model"]
    assert model == {"format": "OpenAI", "name": trained.artifact, "version": "1"}
    azure.deployed(trained.intent)
    there = trainer.deploy(trained)
    assert there
    assert there.ready
    for _ in range(2):
        trainer.retire(version(trained))
    assert azure.costs() == []


@pytest.mark.parametrize("state", ["Failed", "Canceled", "Disabled", "Deleting"])
def test_a_deployment_of_azure_that_never_answers_says_so(state: str, azure: FarAzure) -> None:
    trained = ended(azure, training())
    azure.trainer().deploy(trained)
    azure.deployments[trained.intent]["properties"]["provisioningState"] = state
    there = azure.trainer().deploy(trained)
    assert there
    assert there.error
    assert state in there.error.message


@pytest.mark.parametrize(
    ("stored_text", "why"),
    [("no json", "JSON"), ({**PLANE, "sku": ""}, "sku"), ({**PLANE, "subscription_id": "../x"}, "subscription_id")],
)
def test_a_control_plane_that_cannot_be_asked_is_told_before_the_training(
    stored_text: Any, why: str, azure: FarAzure
) -> None:
    far_azure.store(stored_text)
    [problem] = azure.trainer().check(training())
    assert why in str(problem)
    assert "providers/azure-azure" in str(problem)
    assert "hidden" not in str(problem)
    with pytest.raises(TrainerRefused, match="cannot be used"):
        azure.trainer().deploy(Trained("i", "b", "a"))


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServiceError", ""])
def test_a_secret_that_cannot_be_read_now_keeps_the_trained_model(
    code: str, azure: FarAzure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_: Any) -> None:
        if not code:
            raise ReadTimeoutError(endpoint_url="https://secrets.example")
        status = {"HTTPStatusCode": 500 if code.startswith("Internal") else 400}
        answer: Any = {"Error": {"Code": code, "Message": "busy"}, "ResponseMetadata": status}
        raise ClientError(answer, "GetSecretValue")

    monkeypatch.setattr(aws.secretsmanager(), "get_secret_value", busy)
    with pytest.raises(TrainerAway):
        azure.trainer().deploy(Trained("i", "b", "a"))


def test_a_deployment_that_another_change_keeps_from_being_made_comes_again(
    azure: FarAzure, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = azure._control

    def conflicting(request: Any) -> Any:
        busy = (409, {"error": {"code": "RequestConflict", "message": "another operation is in progress"}})
        return busy if request.method == "PUT" else control(request)

    monkeypatch.setattr(azure, "_control", conflicting)
    with pytest.raises(TrainerAway, match="in progress"):
        azure.trainer().deploy(Trained("i", "b", "a"))


def test_without_its_secret_the_control_plane_is_missing() -> None:
    [problem] = FarAzure().trainer().check(training())
    assert "ResourceNotFoundException" in str(problem)


# ------------------------------------------------------------------ Nebius


@pytest.fixture
def nebius() -> FarNebius:
    return FarNebius()


def test_a_job_of_nebius_is_found_by_its_file_among_others(nebius: FarNebius) -> None:
    first, second, trainer = training(), training(), nebius.trainer()
    started = [trainer.start(wanted).id for wanted in (first, second)]
    found = [trainer.find(wanted.intent) for wanted in (first, second)]
    assert [job and job.id for job in found] == started
    assert trainer.find("ftjob-nobody") is None


def test_the_last_checkpoint_of_nebius_is_served_by_the_token(nebius: FarNebius) -> None:
    trained = ended(nebius, training())
    assert trained.artifact == "ftjob-far-0"
    trainer = nebius.trainer()
    there = trainer.deploy(trained)
    assert there
    assert (there.ready, there.provider) == (False, "nebius")
    assert there.served_as == f"base-LoRa:{trained.intent.lower()}-updt"
    nebius.deployed(trained.intent)
    there = trainer.deploy(trained)
    assert there
    assert there.ready
    for _ in range(2):
        trainer.retire(version(trained))
    assert nebius.models == []


def test_a_model_of_nebius_that_failed_says_why(nebius: FarNebius) -> None:
    trained = ended(nebius, training())
    nebius.trainer().deploy(trained)
    nebius.models[0] |= {"status": "error", "status_reason": "no such adapter"}
    there = nebius.trainer().deploy(trained)
    assert there
    assert there.error
    assert there.error.message == "no such adapter"


def test_a_job_of_nebius_without_checkpoints_cannot_be_served(
    nebius: FarNebius, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = ended(nebius, training())
    answer: Callable[[Any], tuple[int, Any]] = nebius._answer
    nothing = (200, {"data": [], "has_more": False})
    monkeypatch.setattr(nebius, "_answer", lambda asked: nothing if "checkpoints" in str(asked.url) else answer(asked))
    with pytest.raises(TrainerRefused, match="no checkpoint"):
        nebius.trainer().deploy(trained)


def test_nebius_takes_strings_and_no_multiplier(nebius: FarNebius) -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "u"}]}, {"role": "assistant", "content": "a"}]
    [problem] = nebius.trainer().check(training(train=stored(json.dumps({"messages": parts}).encode())))
    assert str(problem).startswith("train, line 1: content must be a string")
    [problem] = nebius.trainer().check(training(hyperparameters={"learning_rate_multiplier": 2}))
    assert problem.param == "hyperparameters.learning_rate_multiplier"
