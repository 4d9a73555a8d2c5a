"""Fine-tuning from an uploaded file, with OpenAI's SDK: one job, followed to a model that answers."""

from __future__ import annotations

import json
from typing import Any

import httpx
import httpx2
import openai
import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

from distillations.attempts import Attempt
from distillations.distillation import Distillation
from distillations.job import FOLLOWING, OPEN_JOBS, Job
from evals.files import file_key
from foundation import blobs, table
from foundation.errors import ApiError
from foundation.ids import now
from tests.api.sdk import Transport, client_of
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import CONSUMERS, System
from tests.tuning.conftest import example_line, pair_line, tick

BAD = b'{"messages": [{"role": "user", "content": "q"}]}'


def uploaded(client: OpenAI, lines: list[bytes] | None = None) -> str:
    content = b"\n".join(lines or [example_line(number) for number in range(12)])
    return client.files.create(file=("examples.jsonl", content), purpose="fine-tune").id


def asked(client: OpenAI, **fields: Any) -> FineTuningJob:
    extra = {name: fields.pop(name) for name in ("trainer", "max_cost_usd") if name in fields}
    given = {"model": loop.STUDENT, "training_file": fields.pop("training_file", None) or uploaded(client), **fields}
    return client.fine_tuning.jobs.create(**given, extra_body=extra)


def delivered(system: System) -> None:
    """Deliver until nothing moves, while the clock stands still."""
    while sum(system.deliver(name) for name in CONSUMERS):
        pass


def at_the_lab(system: System, job_id: str) -> list[dict[str, Any]]:
    query = f"metadata[stillhouse_intent]={job_id}"
    jobs: list[dict[str, Any]] = httpx.get(f"{system.lab}/v1/fine_tuning/jobs?{query}").json()["data"]
    return jobs


def refused(client: OpenAI, **fields: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        asked(client, **fields)
    return caught.value


def test_a_file_with_too_few_rows_is_refused_when_it_is_to_train(system: System, client: OpenAI) -> None:
    made = asked(client, training_file=uploaded(client, [example_line(number) for number in range(9)]))
    delivered(system)
    job = client.fine_tuning.jobs.retrieve(made.id)
    assert job.status == "failed"
    assert job.error
    assert "the file has 9 rows, and at least 10 are needed" in job.error.message


def test_a_file_becomes_a_model_that_answers(system: System, client: OpenAI) -> None:
    training, validation = uploaded(client), uploaded(client, [example_line(99)])
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4, "batch_size": "auto"}}}
    made = asked(
        client,
        training_file=training,
        validation_file=validation,
        method=method,
        seed=7,
        suffix="Mail.v2",
        metadata={"team": "mail"},
    )
    assert (made.status, made.training_file, made.validation_file) == ("validating_files", training, validation)
    assert FineTuningJob.model_validate(made.to_dict(), strict=True)

    system.settle()
    job = client.fine_tuning.jobs.retrieve(made.id)

    assert (job.status, job.error, job.seed, job.metadata) == ("succeeded", None, 7, {"team": "mail"})
    assert job.method
    assert job.method.supervised
    assert job.method.supervised.hyperparameters
    assert job.hyperparameters.n_epochs == job.method.supervised.hyperparameters.n_epochs == 4
    assert job.trained_tokens
    assert job.finished_at
    assert job.fine_tuned_model
    assert "Mail.v2" in job.fine_tuned_model
    assert FineTuningJob.model_validate(job.to_dict(), strict=True)
    [theirs] = at_the_lab(system, job.id)
    assert (theirs["seed"], theirs["hyperparameters"]["n_epochs"], theirs["suffix"]) == (7, 4, "Mail.v2")
    answer = client.chat.completions.create(model=job.fine_tuned_model, messages=loop.messages(3), store=False)  # type: ignore[arg-type]
    assert answer.choices[0].message.content in loop.LABELS
    events = client.fine_tuning.jobs.list_events(job.id).data
    assert any(event.type == "metrics" for event in events)
    graph = system.ok("GET", f"/v1/lineage/{job.id}")
    edges = {(edge["from"], edge["to"]) for edge in graph["edges"]}
    assert {(training, job.id), (validation, job.id), (job.id, job.fine_tuned_model)} <= edges
    assert (graph["completions"]["total"], list(table.query(OPEN_JOBS)), system.clock_runs()) == (0, [], False)
    shown = client.models.retrieve(job.fine_tuned_model).to_dict()
    assert (shown["base"], shown["job_id"], shown["owned_by"]) == (loop.STUDENT, job.id, "default")


def test_a_lost_answer_and_the_sdks_retry_make_one_job(system: System, client: OpenAI) -> None:
    lost: list[bool] = []

    def first_post(request: httpx2.Request) -> bool:
        is_first = request.method == "POST" and not lost
        lost.extend([True] if is_first else [])
        return is_first

    file_id = uploaded(client)
    with client_of(system, transport=Transport(system, first_post), retries=2) as retrying:
        made = asked(retrying, training_file=file_id)
    system.settle()
    assert [job.id for job in client.fine_tuning.jobs.list()] == [made.id]
    assert len(at_the_lab(system, made.id)) == 1


def test_a_retry_finds_its_job_whatever_has_changed_since(
    system: System, client: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = uploaded(client)
    ordered = {"model": loop.STUDENT, "training_file": file_id, "extra_headers": {"Idempotency-Key": "once"}}
    made = client.fine_tuning.jobs.create(**ordered)

    def reached() -> None:
        raise ApiError("The month's cap is reached.", code="monthly_cap_reached")

    monkeypatch.setattr("api.fine_tuning.refuse_over_cap", reached)
    assert client.fine_tuning.jobs.create(**ordered).id == made.id
    assert refused(client, training_file=file_id).code == "monthly_cap_reached"
    system.settle()
    assert len(at_the_lab(system, made.id)) == 1


def test_what_the_trainer_would_not_take_is_the_jobs_error_with_the_lines(system: System, client: OpenAI) -> None:
    lines = [example_line(number) for number in range(12)]
    # It came by a link: nobody has looked at its lines before.
    file_id = uploaded(client, lines)
    blobs.put(file_key(file_id), b"\n".join([*lines, BAD, b"", BAD]))
    made = asked(client, training_file=file_id)
    delivered(system)
    job = client.fine_tuning.jobs.retrieve(made.id)
    assert job.error
    assert (job.status, job.error.code, job.error.param) == ("failed", "invalid_training_file", "training_file")
    assert "training_file, line 13: " in job.error.message
    assert "line 15: " in job.error.message
    assert job.finished_at
    assert at_the_lab(system, job.id) == []
    errors = [event.message for event in client.fine_tuning.jobs.list_events(job.id) if event.level == "error"]
    assert any(message.startswith("training_file, line 15") for message in errors)
    validation = asked(client, validation_file=file_id)
    delivered(system)
    error = client.fine_tuning.jobs.retrieve(validation.id).error
    assert error
    assert error.code == "invalid_validation_file"
    tick()
    assert (list(table.query(OPEN_JOBS)) == []) == (at_the_lab(system, made.id) == [])


@pytest.mark.parametrize(
    ("fields", "param", "code", "words"),
    [
        ({"model": "nobody-has-this"}, "model", "model_not_found", "does not exist"),
        ({"validation_file": "file-none"}, "validation_file", "not_found", "file-none"),
        ({"validation_file": ""}, "validation_file", "invalid_value", "at least 1"),
        ({"validation_file": "f" * 3000}, "validation_file", "invalid_value", "256"),
        ({"trainer": "magic"}, "trainer", "invalid_value", "use one of default, file"),
        ({"hyperparameters": {"n_epochs": 0}}, "hyperparameters.n_epochs", "invalid_value", "greater than or equal"),
        ({"hyperparameters": {"lora_rank": 8}}, "hyperparameters.lora_rank", "unknown_parameter", "n_epochs"),
        (
            {"method": {"type": "supervised", "supervised": {"hyperparameters": {"batch_size": 257}}}},
            "method.supervised.hyperparameters.batch_size",
            "invalid_value",
            "256",
        ),
        (
            {
                "trainer": "bedrock",
                "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 6}}},
            },
            "method.supervised.hyperparameters.n_epochs",
            "invalid_value",
            "5",
        ),
        ({"method": {"type": "reinforcement"}}, "method.type", "invalid_value", "'reinforcement'"),
        ({"suffix": "a b"}, "suffix", "invalid_value", "pattern"),
        ({"seed": 2**31}, "seed", "invalid_value", "less than"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "x"}}]}, "integrations", "invalid_value", "events"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k", "invalid_value", "512"),
        ({"max_cost_usd": 5.0}, "max_cost_usd", "no_price", "Prices"),
        (
            {
                "hyperparameters": {"n_epochs": 2},
                "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
            },
            "hyperparameters",
            "invalid_value",
            "one of both",
        ),
    ],
)
def test_what_cannot_work_is_refused_by_its_field(
    fields: dict[str, Any], param: str, code: str, words: str, client: OpenAI
) -> None:
    refusal = refused(client, **fields)
    assert (refusal.param, refusal.code) == (param, code), refusal.message
    assert words in refusal.message
    assert client.fine_tuning.jobs.list().data == []


def test_a_file_of_another_purpose_and_one_that_has_not_come_are_refused(system: System, client: OpenAI) -> None:
    rows = client.files.create(file=("rows.jsonl", b'{"item": {}}'), purpose="evals").id
    assert refused(client, training_file=rows).code == "invalid_file_purpose"
    announced = {"filename": "x.jsonl", "purpose": "fine-tune", "bytes": 10}
    awaited = system.ok("POST", "/v1/files/presigned", announced)["id"]
    refusal = refused(client, training_file=awaited)
    assert (refusal.code, refusal.param, refusal.status_code) == ("file_not_ready", "training_file", 400)


def test_a_training_that_costs_more_than_it_may_is_refused(
    system: System, client: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.prices.training_nanodollars", lambda _: 1_000_000_000)
    refusal = refused(client, max_cost_usd=0.5)
    assert (refusal.code, refusal.param) == ("over_budget", "max_cost_usd")
    assert "estimated at $" in refusal.message
    monkeypatch.setattr("providers.prices.training_nanodollars", lambda _: 1000)
    made = asked(client, max_cost_usd=0.5)
    monkeypatch.setattr("providers.prices.training_nanodollars", lambda _: 1_000_000_000)
    delivered(system)
    job = client.fine_tuning.jobs.retrieve(made.id)
    assert job.error
    assert (job.error.code, job.error.param, at_the_lab(system, job.id)) == ("over_budget", "max_cost_usd", [])


def test_jobs_are_listed_newest_first_with_those_of_distillations_and_by_metadata(
    system: System, client: OpenAI
) -> None:
    of_distillation = build.job(build.distillation("training", dataset_id="dataset_1", job_id="ftjob-1"))
    file_id = uploaded(client)
    tagged = asked(client, training_file=file_id, metadata={"team": "mail", "empty": ""}).id
    bare = asked(client, training_file=file_id).id
    assert [job.id for job in client.fine_tuning.jobs.list(limit=1)] == [bare, tagged, of_distillation.id]
    shown = client.fine_tuning.jobs.retrieve(of_distillation.id)
    assert (shown.training_file, FineTuningJob.model_validate(shown.to_dict(), strict=True).status) == (
        "dataset_1",
        "queued",
    )
    assert [job.id for job in client.fine_tuning.jobs.list(metadata={"team": "mail", "empty": ""})] == [tagged]
    assert client.fine_tuning.jobs.list(metadata={"team": "chat"}).data == []
    without = system.ok("GET", "/v1/fine_tuning/jobs?metadata=null")["data"]
    assert {job["id"] for job in without} == {bare, of_distillation.id}
    assert client.fine_tuning.jobs.list(after="ftjob-nobody").data == []


def test_every_state_has_a_status_of_openais() -> None:
    from api.job_document import SHOWN

    assert SHOWN.keys() == FOLLOWING.keys()
    assert {state for state, shown in SHOWN.items() if state != shown} == {"waiting_for_model", "deploying"}


def test_a_cancelled_job_ends_whether_it_has_started_or_not(system: System, client: OpenAI) -> None:
    unstarted = asked(client).id
    assert client.fine_tuning.jobs.cancel(unstarted).to_dict()["cancel_requested_at"]
    waiting = asked(client, trainer="file").id
    delivered(system)
    tick()
    shown = client.fine_tuning.jobs.retrieve(waiting)
    assert (shown.status, shown.to_dict()["state"]) == ("running", "waiting_for_model")
    client.fine_tuning.jobs.cancel(waiting)
    system.settle()
    for job_id in (unstarted, waiting):
        job = client.fine_tuning.jobs.retrieve(job_id)
        assert (job.status, job.error) == ("cancelled", None)
        with pytest.raises(openai.ConflictError) as caught:
            client.fine_tuning.jobs.cancel(job_id)
        assert caught.value.code == "already_ended"
    assert (at_the_lab(system, unstarted), list(table.query(OPEN_JOBS)), system.clock_runs()) == ([], [], False)


def test_the_job_of_a_distillation_is_cancelled_with_it_alone(system: System, client: OpenAI) -> None:  # noqa: ARG001
    job = build.job(build.distillation("training", dataset_id="dataset_1", job_id="ftjob-1"))
    with pytest.raises(openai.ConflictError) as caught:
        client.fine_tuning.jobs.cancel(job.id)
    assert caught.value.code == "job_of_distillation"
    assert "/v1/distillations/distill_1/cancel" in caught.value.message


def test_one_of_several_attempts_is_cancelled_alone_and_the_others_go_on(system: System, client: OpenAI) -> None:
    attempts = [Attempt(student="lab-small", hyperparameters={}, job_id=f"ftjob-{number}") for number in range(2)]
    distillation = build.distillation("assembling", dataset_id="dataset_1", job_id="ftjob-0", attempts=attempts)
    build.dataset(distillation)
    waiting = build.job(distillation, held=["It would cost too much."])
    build.job(distillation.model_copy(update={"job_id": "ftjob-1"}), provider_job_id="theirs", status="running")
    client.fine_tuning.jobs.cancel(waiting.id)
    system.deliver("TUNING")
    assert Job.load(waiting.id).status == "cancelled"
    system.deliver("DISTILLING")
    assert Distillation.load(distillation.id).status == "training"


def test_a_job_is_paused_and_resumed_where_its_trainer_can(system: System, client: OpenAI) -> None:
    job_id = asked(client).id
    for change in (client.fine_tuning.jobs.pause, client.fine_tuning.jobs.resume):
        with pytest.raises(openai.ConflictError) as early:
            change(job_id)
        assert early.value.code == "not_under_way"
    Job.load(job_id).change({"provider_job_id": "theirs", "status": "running"})
    assert client.fine_tuning.jobs.pause(job_id).to_dict()["pause_requested_at"]
    assert client.fine_tuning.jobs.resume(job_id).to_dict()["pause_requested_at"] is None
    assert [message["type"] for message in build.sent(system, "TUNING")] == ["StartJob", "PauseJob", "PauseJob"]
    by_hand = asked(client, trainer="file").id
    with pytest.raises(openai.BadRequestError) as never:
        client.fine_tuning.jobs.pause(by_hand)
    assert never.value.code == "unsupported"
    assert "'file' cannot pause" in never.value.message


def test_a_job_on_pairs_carries_its_method_and_beta(system: System, client: OpenAI) -> None:
    file_id = uploaded(client, [pair_line(number) for number in range(12)])
    method: Any = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}}
    made = asked(client, training_file=file_id, trainer="file", method=method)
    assert made.method
    assert made.method.to_dict() == {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}, "supervised": None}
    delivered(system)
    recipe = json.loads(blobs.get(f"tuning/{made.id}/recipe.json"))
    assert (recipe["method"], recipe["hyperparameters"]) == ("dpo", {"beta": 0.2})


@pytest.mark.parametrize(
    ("fields", "param", "code", "words"),
    [
        ({"method": {"type": "dpo"}, "trainer": "bedrock"}, "method.type", "unsupported_method", "together"),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}}}, "method", "invalid_value", "equal to 2"),
        ({"method": {"type": "dpo", "supervised": {}}}, "method", "invalid_value", "'supervised' are given"),
        ({"method": {"type": "reinforcement"}}, "method", "invalid_value", "reinforcement"),
        ({"hyperparameters": {"beta": 0.1}}, "hyperparameters.beta", "invalid_value", "train on pairs"),
    ],
)
def test_a_method_that_cannot_be_is_refused_by_its_field(
    fields: dict[str, Any], param: str, code: str, words: str, client: OpenAI
) -> None:
    refusal = refused(client, **fields)
    assert (refusal.code, (refusal.param or "").startswith(param)) == (code, True), refusal.message
    assert words in refusal.message


def test_a_file_of_the_other_method_is_the_jobs_error(system: System, client: OpenAI) -> None:
    made = asked(client, method={"type": "dpo"})
    delivered(system)
    error = client.fine_tuning.jobs.retrieve(made.id).error
    assert error
    assert "training_file, line 1: the rows are examples, and the method asks for pairs" in error.message


def test_a_file_stays_while_a_job_trains_on_it(system: System, client: OpenAI) -> None:
    file_id = uploaded(client)
    job_id = asked(client, training_file=file_id, trainer="file").id
    with pytest.raises(openai.ConflictError) as caught:
        client.files.delete(file_id)
    assert (caught.value.code, job_id in caught.value.message) == ("file_in_use", True)
    client.fine_tuning.jobs.cancel(job_id)
    system.settle()
    assert client.files.delete(file_id).deleted
    assert client.fine_tuning.jobs.retrieve(job_id).training_file == file_id


def test_a_file_that_went_before_the_start_is_the_jobs_error(
    system: System, client: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = client.files.create(
        file=("x.jsonl", example_line(1)), purpose="fine-tune", expires_after={"anchor": "created_at", "seconds": 3600}
    ).id
    job_id = asked(client, training_file=file_id).id
    monkeypatch.setattr("evals.files.now", lambda: now() + 4000)
    system.deliver("TUNING")
    job = client.fine_tuning.jobs.retrieve(job_id)
    assert job.error
    assert (job.status, job.error.code, job.error.param) == ("failed", "file_not_found", "training_file")


def test_permissions_of_checkpoints_are_refused_by_name(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.fine_tuning.checkpoints.permissions.create("ft:lab-small:x", project_ids=["proj"])
    assert "permissions of checkpoints" in caught.value.message
