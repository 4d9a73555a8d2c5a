import json

import pytest

QUESTION = [{"role": "user", "content": "Capital of France?"}]
ROW = {"messages": QUESTION, "answers": {"gpt-4o": "Paris", "gpt-4o-mini": "Lyon"}, "latency_ms": {"gpt-4o": 812}}


def load(lab, *rows):
    return lab.post("/lab/recordings", content="\n".join(json.dumps(row) for row in rows))


def ask(lab, model, messages=QUESTION):
    return lab.post("/v1/chat/completions", json={"model": model, "messages": messages})


def test_an_answer_is_replayed_by_model_and_messages(lab):
    assert load(lab, ROW).json() == {"object": "lab.recordings", "rows": 1, "new": 2, "known": 0}
    assert ask(lab, "gpt-4o").json()["choices"][0]["message"]["content"] == "Paris"
    assert ask(lab, "gpt-4o-mini").json()["choices"][0]["message"]["content"] == "Lyon"


def test_the_recorded_latency_is_told_and_not_acted_out(lab):
    load(lab, ROW)
    assert ask(lab, "gpt-4o").headers["x-lab-recorded-latency-ms"] == "812.0"
    assert "x-lab-recorded-latency-ms" not in ask(lab, "gpt-4o-mini").headers


def test_text_parts_find_the_recording_of_the_same_text(lab):
    load(lab, ROW)
    parts = [{"role": "user", "content": [{"type": "text", "text": "Capital of France?"}]}]
    assert ask(lab, "gpt-4o", parts).status_code == 200


def test_a_miss_is_never_a_guess(lab):
    load(lab, ROW)
    answer = ask(lab, "gpt-4o", [{"role": "user", "content": "Capital of Spain?"}])
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "no_recorded_answer"


def test_the_same_recordings_load_twice(lab):
    load(lab, ROW)
    assert load(lab, ROW).json()["new"] == 0


@pytest.mark.parametrize("earlier", [[ROW], []], ids=["loaded before", "in the same body"])
def test_a_contradiction_is_refused_with_its_line_and_loads_nothing(lab, earlier):
    load(lab, *earlier)
    other = {"messages": [{"role": "user", "content": "Something else?"}], "answers": {"gpt-4o": "Yes"}}
    against = {"messages": QUESTION, "answers": {"gpt-4o": "Nice"}}
    answer = load(lab, other, ROW, against)
    assert answer.status_code == 409
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["error"]["code"] == "conflicting_recording"
    assert "Line 3" in answer.json()["error"]["message"]
    assert ask(lab, "gpt-4o", other["messages"]).status_code == 404


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{", None),
        ('{"answers": {"m": "x"}}', "messages"),
        ('{"messages": [], "answers": {"m": "x"}}', "messages"),
        ('{"messages": [{"role": "user"}], "answers": {"m": 4}}', "answers.m"),
    ],
)
def test_a_line_that_is_no_recording_is_named(lab, line, field):
    answer = lab.post("/lab/recordings", content=json.dumps(ROW) + "\n\n" + line)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == field
    assert "Line 3" in answer.json()["error"]["message"]
    assert ask(lab, "gpt-4o").status_code == 404


def test_an_empty_body_is_refused(lab):
    assert load(lab).status_code == 400


def test_the_labs_own_models_cannot_be_recorded(lab):
    answer = load(lab, {"messages": QUESTION, "answers": {"lab-small": "Paris"}})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "model_exists"
