import openai
import pytest

MESSAGES = [{"role": "user", "content": "Hello."}]


def order(lab, **fault):
    return lab.post("/lab/faults", json=fault)


@pytest.mark.parametrize(("status", "error"), [(429, openai.RateLimitError), (500, openai.InternalServerError)])
def test_a_fault_happens_as_often_as_ordered(lab, sdk, status, error):
    order(lab, path="/chat/completions", status=status, times=2)
    for _ in range(2):
        with pytest.raises(error):
            sdk.chat.completions.create(model="lab-small", messages=MESSAGES)
    assert sdk.chat.completions.create(model="lab-small", messages=MESSAGES).choices
    assert lab.get("/lab/calls").json()["chat"] == {"lab-small": 1}


def test_the_sdk_gets_over_one(lab, sdk):
    order(lab, path="/chat/completions", status=500)
    patient = sdk.with_options(max_retries=1)
    assert patient.chat.completions.create(model="lab-small", messages=MESSAGES).choices


def test_a_fault_after_the_work_loses_only_the_answer(lab, sdk, tune, ended, few_rows):
    order(lab, path="/fine_tuning/jobs", status=500, when="after")
    with pytest.raises(openai.InternalServerError):
        tune(few_rows, metadata={"intent": "x"})
    (job,) = sdk.fine_tuning.jobs.list(metadata={"intent": "x"})
    assert ended(job.id).status == "failed"


def test_a_fault_hits_its_method_and_path_only(lab, sdk):
    order(lab, path="/fine_tuning/jobs/*", status=500, method="GET")
    assert sdk.fine_tuning.jobs.list().data == []
    with pytest.raises(openai.NotFoundError):
        sdk.fine_tuning.jobs.cancel("ftjob-none")
    with pytest.raises(openai.InternalServerError):
        sdk.fine_tuning.jobs.retrieve("ftjob-none")


def test_another_status_is_refused(lab):
    assert order(lab, path="/files", status=200).json()["error"]["param"] == "status"
