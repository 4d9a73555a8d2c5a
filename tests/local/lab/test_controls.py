import json

import pytest

QUESTION = [{"role": "user", "content": "where is my parcel"}]


def school(lab, name, pairs):
    examples = [{"messages": [{"role": "user", "content": text}], "answer": answer} for text, answer in pairs]
    return lab.post("/lab/models", json={"id": name, "examples": examples})


def answer(lab, name):
    message = lab.post("/v1/chat/completions", json={"model": name, "messages": QUESTION})
    return message.json()["choices"][0]["message"]["content"]


def test_a_schooled_model_answers_under_its_name(lab, pairs):
    made = school(lab, "lab-large", pairs)
    assert (made.json()["id"], made.json()["object"]) == ("lab-large", "model")
    assert answer(lab, "lab-large") == "shipping"


def test_the_same_lesson_is_not_learnt_twice_and_another_replaces_it(lab, pairs, monkeypatch):
    school(lab, "lab-large", pairs)
    with monkeypatch.context() as patch:
        patch.setattr("local.lab.controls.train", lambda *_, **__: pytest.fail("learnt again"))
        assert school(lab, "lab-large", pairs).status_code == 200
    school(lab, "lab-large", [(text, queue.upper()) for text, queue in pairs])
    assert answer(lab, "lab-large") == "SHIPPING"


@pytest.mark.parametrize("name", ["lab-small", "lab-judge", "gpt-4o", "ft:x"])
def test_a_name_that_is_taken_is_refused(lab, pairs, name):
    lab.post("/lab/recordings", content=json.dumps({"messages": QUESTION, "answers": {"gpt-4o": "x"}}))
    made = school(lab, name, pairs)
    assert made.status_code == 409
    assert made.json()["error"]["param"] == "id"


def test_a_schooled_models_name_cannot_be_recorded(lab, pairs):
    school(lab, "lab-large", pairs)
    row = {"messages": QUESTION, "answers": {"lab-large": "x"}}
    assert lab.post("/lab/recordings", content=json.dumps(row)).status_code == 409


def test_a_lesson_needs_examples(lab):
    made = school(lab, "lab-large", [("one", "a")])
    assert made.status_code == 400
    assert made.json()["error"]["param"] == "examples"


def test_health_and_calls(lab):
    assert lab.get("/lab/health").json() == {"status": "ok"}
    assert lab.get("/lab/calls").json() == {"chat": {}, "fine_tuning_jobs": 0, "batches": 0}
    answer(lab, "lab-small")
    assert lab.get("/lab/calls").json()["chat"] == {"lab-small": 1}
