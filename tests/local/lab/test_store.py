import json

import pytest
from openai import OpenAI
from starlette.testclient import TestClient

from local.lab.app import create_app
from local.lab.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def sdk_of(lab):
    return OpenAI(base_url="http://testserver/v1", api_key="any", http_client=lab, max_retries=0)


def answers(lab, model, messages):
    return sdk_of(lab).chat.completions.create(model=model, messages=messages).choices[0].message.content


def test_documents_are_kept_by_any_name_and_replaced_whole(store):
    store.keep("files", "ft:a/b", b"one")
    store.keep("files", "..", b"two")
    store.keep("files", "ft:a/b", b"three")
    assert store.kept("files") == {"..": b"two", "ft:a/b": b"three"}
    store.drop("files", "..")
    assert list(store.kept("files")) == ["ft:a/b"]
    assert store.kept("jobs") == {}


def test_without_a_folder_nothing_is_kept():
    store = Store(None)
    store.keep("files", "a", b"one")
    store.drop("files", "a")
    assert store.kept("files") == {}


def test_what_the_lab_learnt_is_there_after_a_restart(store, lesson_file, question, ended_job):
    recording = json.dumps({"messages": question, "answers": {"gpt-x": "shipping"}})
    lesson = {
        "id": "lab-large",
        "examples": [{"messages": question, "answer": "a"}, {"messages": question, "answer": "b"}],
    }
    with TestClient(create_app(store)) as lab:
        lab.post("/lab/recordings", content=recording)
        lab.post("/lab/models", json=lesson)
        file = sdk_of(lab).files.create(file=("train.jsonl", lesson_file), purpose="fine-tune")
        job = ended_job(sdk_of(lab), sdk_of(lab).fine_tuning.jobs.create(model="lab-small", training_file=file.id).id)
        before = [answers(lab, model, question) for model in ("gpt-x", "lab-large", job.fine_tuned_model)]
        sdk_of(lab).files.delete(file.id)
    with TestClient(create_app(store)) as lab:
        after = [answers(lab, model, question) for model in ("gpt-x", "lab-large", job.fine_tuned_model)]
        assert after == before
        assert sdk_of(lab).fine_tuning.jobs.retrieve(job.id) == job
        assert sdk_of(lab).files.list().data == []
        assert [event.message for event in sdk_of(lab).fine_tuning.jobs.list_events(job.id)][-1].startswith("Created")


def test_a_job_that_was_open_begins_again(store, lesson_file, ended_job):
    with TestClient(create_app(store)) as lab:
        file = sdk_of(lab).files.create(file=("train.jsonl", lesson_file), purpose="fine-tune")
        job = ended_job(sdk_of(lab), sdk_of(lab).fine_tuning.jobs.create(model="lab-small", training_file=file.id).id)
    about, events = json.loads(store.kept("jobs")[job.id])
    store.keep("jobs", job.id, json.dumps([{**about, "status": "running", "fine_tuned_model": None}, events]).encode())
    with TestClient(create_app(store)) as lab:
        again = ended_job(sdk_of(lab), job.id)
        assert (again.status, again.fine_tuned_model) == ("succeeded", job.fine_tuned_model)
