import json
import threading

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

from local.lab import jobs

BASE = "lab-small"


def test_a_student_learns_from_its_file_and_answers(sdk, tune, ended, ask):
    made = tune(seed=5, suffix="mail", metadata={"intent": "i1"})
    assert made.status == "validating_files"
    job = ended(made.id)
    assert job.status == "succeeded"
    assert job.fine_tuned_model == f"ft:lab-small:lab:mail:{job.id}"
    assert (job.seed, job.metadata, job.training_file) == (5, {"intent": "i1"}, made.training_file)
    assert job.finished_at >= job.created_at
    assert ask(job.fine_tuned_model, "my password is refused") == "login"
    assert ask(job.fine_tuned_model, "no parcel yet") == "shipping"
    assert sdk.models.retrieve(job.fine_tuned_model).owned_by == "org-lab"


def test_the_objects_are_openais(lab, tune, ended):
    job_id = ended(tune().id).id
    job = lab.get(f"/v1/fine_tuning/jobs/{job_id}").json()
    assert FineTuningJob.model_validate(job, strict=True).to_dict() == job
    for event in lab.get(f"/v1/fine_tuning/jobs/{job_id}/events").json()["data"]:
        assert FineTuningJobEvent.model_validate(event, strict=True).to_dict() == event


def test_events_tell_the_way_newest_first(sdk, tune, ended, upload, few_rows):
    job = ended(tune(validation_file=upload(few_rows)).id)
    events = list(sdk.fine_tuning.jobs.list_events(job.id, limit=2))
    first_words = [event.message.split(" ")[0] for event in reversed(events)]
    assert first_words == ["Created", "Validating", "Files", "Fine-tuning", "Learnt", "New", "The"]
    (metrics,) = [event.data for event in events if event.type == "metrics"]
    assert metrics["train_accuracy"] == metrics["valid_accuracy"] == 1.0


def test_the_models_after_the_last_three_passes_are_kept_and_answer(sdk, tune, ended):
    job = ended(tune().id)
    kept = sdk.fine_tuning.jobs.checkpoints.list(job.id).data
    assert [(each.step_number, each.fine_tuned_model_checkpoint) for each in kept] == [
        (10, job.fine_tuned_model),
        (9, f"{job.fine_tuned_model}:ckpt-step-9"),
        (8, f"{job.fine_tuned_model}:ckpt-step-8"),
    ]
    question = [{"role": "user", "content": "hello"}]
    early = kept[-1].fine_tuned_model_checkpoint
    assert sdk.chat.completions.create(model=early, messages=question).choices[0].message.content
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}}
    once = ended(tune(method=method).id)
    assert [each.step_number for each in sdk.fine_tuning.jobs.checkpoints.list(once.id).data] == [1]


def test_hyperparameters_are_echoed_and_epochs_are_real(tune, ended):
    chosen = {"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": 0.5}
    method = {"type": "supervised", "supervised": {"hyperparameters": chosen}}
    three, auto = ended(tune(method=method).id), ended(tune().id)
    assert three.hyperparameters.to_dict() == three.method.supervised.hyperparameters.to_dict() == chosen
    assert auto.hyperparameters.n_epochs == "auto"
    assert auto.trained_tokens * 3 == three.trained_tokens * 10


def test_a_replayed_model_is_a_base_whose_student_forgets_the_recordings(lab, sdk, tune, ended):
    messages = [{"role": "user", "content": "recorded"}]
    row = {"messages": messages, "answers": {"gpt-4o-mini": "from the recording"}}
    lab.post("/lab/recordings", content=json.dumps(row))
    job = ended(tune(model="gpt-4o-mini").id)
    assert job.fine_tuned_model == f"ft:gpt-4o-mini:lab::{job.id}"
    message = sdk.chat.completions.create(model=job.fine_tuned_model, messages=messages)
    assert message.choices[0].message.content in {"billing", "shipping", "login"}


@pytest.mark.parametrize("model", ["gpt-9", "lab-judge"])
def test_a_base_that_cannot_be_trained_is_not_found(tune, model):
    with pytest.raises(openai.NotFoundError) as caught:
        tune(model=model)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert "Trainable are: lab-small." in caught.value.message


@pytest.mark.parametrize("field", ["training_file", "validation_file"])
@pytest.mark.parametrize("purpose", [None, "evals"])
def test_a_file_that_will_not_do_is_named(sdk, tune, field, purpose):
    bad = sdk.files.create(file=("x", b"{}"), purpose=purpose).id if purpose else "file-none"
    with pytest.raises(openai.BadRequestError) as caught:
        tune(**{field: bad})
    assert caught.value.param == field
    assert sdk.fine_tuning.jobs.list().data == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "training_file"),
        ({"seed": -1}, "seed"),
        ({"suffix": "x" * 65}, "suffix"),
        ({"method": {"type": "dpo"}}, "method.type"),
        ({"hyperparameters": {"n_epochs": 51}}, "hyperparameters.n_epochs"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k"),
    ],
)
def test_a_bad_request_names_the_field(lab, fields, param):
    sent = {"model": BASE, **({"training_file": "file-x"} if fields else {}), **fields}
    answer = lab.post("/v1/fine_tuning/jobs", json=sent)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_a_malformed_row_fails_the_job_and_names_the_line(sdk, tune, ended, few_rows):
    job = ended(tune(few_rows + b"\n{broken").id)
    assert job.status == "failed"
    assert (job.error.code, job.error.param) == ("invalid_training_file", "training_file")
    assert "Line 10" in job.error.message
    assert (job.fine_tuned_model, job.trained_tokens) == (None, None)
    assert sdk.fine_tuning.jobs.list_events(job.id).data[0].level == "error"


def test_too_few_rows_fail_the_job(tune, ended, few_rows):
    job = ended(tune(few_rows).id)
    assert job.error.code == "invalid_training_file"
    assert "9 rows" in job.error.message


def test_a_malformed_validation_file_fails_the_job(tune, ended, upload):
    job = ended(tune(validation_file=upload(b"[]")).id)
    assert (job.error.code, job.error.param) == ("invalid_validation_file", "validation_file")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_in_training_fails_the_job(tune, ended, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(jobs, "train", broken)
    job = ended(tune().id)
    assert (job.status, job.error.code) == ("failed", "training_failed")
    # The job has failed a moment before its thread ends, and says so to whichever test is on then.
    for training in [thread for thread in threading.enumerate() if thread.name.endswith("(_run)")]:
        training.join(10)


@pytest.fixture
def held_training(monkeypatch):
    """Let a training begin, and wait until the test lets it go on."""
    begun, go_on, real = threading.Event(), threading.Event(), jobs.train

    def held(*arguments, **named):
        begun.set()
        assert go_on.wait(10)
        return real(*arguments, **named)

    monkeypatch.setattr(jobs, "train", held)
    yield begun, go_on
    go_on.set()


def test_a_job_cancelled_while_it_trains_leaves_no_model(sdk, tune, ended, held_training):
    begun, go_on = held_training
    job = tune()
    assert begun.wait(10)
    assert sdk.fine_tuning.jobs.retrieve(job.id).status == "running"
    assert sdk.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    after = tune()
    go_on.set()
    assert ended(after.id).status == "succeeded"
    assert sdk.fine_tuning.jobs.retrieve(job.id).status == "cancelled"
    trained = [model.id for model in sdk.models.list() if model.id.startswith("ft:")]
    assert {model.split(":")[4] for model in trained} == {after.id}


def test_a_second_job_waits_its_turn(sdk, tune, ended, held_training):
    begun, go_on = held_training
    first = tune()
    assert begun.wait(10)
    second = tune()
    assert sdk.fine_tuning.jobs.retrieve(second.id).status in {"validating_files", "queued"}
    go_on.set()
    assert ended(first.id).status == ended(second.id).status == "succeeded"


def test_an_ended_job_cannot_be_cancelled(sdk, tune, ended, few_rows):
    job = ended(tune(few_rows).id)
    with pytest.raises(openai.BadRequestError, match="already ended"):
        sdk.fine_tuning.jobs.cancel(job.id)


def test_an_unknown_job_is_not_found(sdk):
    for call in (sdk.fine_tuning.jobs.retrieve, sdk.fine_tuning.jobs.cancel, sdk.fine_tuning.jobs.list_events):
        with pytest.raises(openai.NotFoundError):
            call("ftjob-none")


def test_jobs_are_listed_newest_first_and_by_metadata(lab, sdk, tune, few_rows):
    tags = [{"intent": "a", "run": "1"}, {"intent": "b"}, {"intent": "a"}, None]
    made = [tune(few_rows, metadata=tag).id for tag in tags]

    def ids(**query):
        return [job.id for job in sdk.fine_tuning.jobs.list(**query)]

    assert ids(limit=1) == made[::-1]
    assert ids(metadata={"intent": "a"}) == [made[2], made[0]]
    assert ids(metadata={"intent": "a", "run": "1"}) == [made[0]]
    assert ids(after=made[1]) == [made[0]]
    assert ids(after="ftjob-none") == []
    assert [job["id"] for job in lab.get("/v1/fine_tuning/jobs?metadata=null").json()["data"]] == [made[3]]
    assert lab.get("/v1/fine_tuning/jobs?limit=0").json()["data"] == []
    assert lab.get("/v1/fine_tuning/jobs?limit=few").json()["error"]["param"] == "limit"
    assert lab.get("/lab/calls").json()["fine_tuning_jobs"] == 4


@pytest.fixture
def turn(monkeypatch):
    """Set, it lets a training go on, which is otherwise over before a test can pause it."""
    turn = threading.Event()
    train = jobs.train
    monkeypatch.setattr(jobs, "train", lambda *given, **options: turn.wait(20) and train(*given, **options))
    return turn


def test_a_paused_job_trains_once_it_is_resumed(sdk, tune, ended, turn):
    job_id = tune().id
    assert sdk.fine_tuning.jobs.pause(job_id).status == "paused"
    turn.set()
    later = ended(tune().id)
    assert (later.status, sdk.fine_tuning.jobs.retrieve(job_id).status) == ("succeeded", "paused")
    assert sdk.fine_tuning.jobs.resume(job_id).status == "queued"
    assert ended(job_id).status == "succeeded"
    for change in (sdk.fine_tuning.jobs.pause, sdk.fine_tuning.jobs.resume):
        with pytest.raises(openai.BadRequestError) as caught:
            change(job_id)
        assert caught.value.code == "job_state"


def test_a_paused_job_can_be_cancelled(sdk, tune, ended, turn):
    job_id = tune().id
    assert sdk.fine_tuning.jobs.pause(job_id).status == "paused"
    sdk.fine_tuning.jobs.cancel(job_id)
    turn.set()
    assert ended(job_id).status == "cancelled"
