import io

import pytest
from rich.console import Console

from local.demo import loop
from local.demo.screen import Screen


@pytest.fixture
def screen():
    with Screen(Console(file=io.StringIO(), width=200)) as screen:
        yield screen


def output(screen):
    return screen.console.file.getvalue()


def start(fake):
    return loop.start(
        fake.client(),
        name="mail, small",
        tag="t",
        eval_id="eval_1",
        teacher="big",
        student="small",
        trainer="default",
        seed=7,
    )


def test_the_eval_compares_the_answer_with_the_reference(fake):
    assert loop.create_eval(fake.client(), "demo") == "eval_1"
    _, _, body = fake.calls[0]
    assert body["data_source_config"] == {
        "type": "custom",
        "item_schema": {"type": "object"},
        "include_sample_schema": True,
    }
    assert body["testing_criteria"][0]["reference"] == "{{ item.reference }}"


def test_a_distillation_names_its_two_filters(fake):
    start(fake)
    _, path, body = fake.calls[0]
    assert path == "/v1/distillations"
    assert body["test"] == {
        "type": "stored_completions",
        "model": "big",
        "metadata": {"demo": "t", "split": "test"},
    }
    assert body["train"]["metadata"] == {"demo": "t", "split": "train"}
    assert (body["teacher"], body["student"], body["eval_id"], body["seed"]) == ("big", "small", "eval_1", 7)


def test_it_is_followed_through_every_status_and_approved_where_blocked(fake, screen):
    helped = []
    state = loop.follow(fake.client(), start(fake), screen, approve=True, help_along=helped.append)
    assert state["status"] == "completed"
    assert set(helped) == {"job_1"}
    assert "/v1/distillations/distill_1/approve" in fake.paths("POST")
    passed = ["queued", "measuring", "assembling", "training", "evaluating", "deciding"]
    assert list(screen.seconds) == passed
    shown = output(screen)
    assert "blocked: too few rows" in shown
    assert "teacher 4 right of 5 · baseline 4 right of 5" in shown
    assert shown.count("trainer: Training started") == 1
    assert (
        shown.index("Training set dataset_1")
        < shown.index("kept out: leaks of test rows 0")
        < shown.index("trainer: Training")
    )


def test_it_stops_where_blocked_and_nobody_approves(fake, screen):
    state = loop.follow(fake.client(), start(fake), screen, approve=False)
    assert state["status"] == "blocked"
    assert not any(path.endswith("/approve") for path in fake.paths("POST"))


def test_a_run_that_is_not_there_yet_is_no_error(fake, screen, monkeypatch):
    answer = fake._answer

    def without_runs(method, path, body):
        if "/runs/" in path or "/jobs/" in path:
            return 404, {"error": {"message": "not found"}}
        return answer(method, path, body)

    monkeypatch.setattr(fake, "_answer", without_runs)
    assert loop.follow(fake.client(), start(fake), screen, approve=True)["status"] == "completed"


def test_the_notification_is_found_among_others(fake):
    fake._notify("distill_0")
    fake._notify("verdict_1")
    assert loop.notification_about(fake.notifications, "verdict_1")["id"] == "verdict_1"


def test_lineage_is_taken_from_the_first_completion_that_went_into_a_dataset(fake):
    fake.questions = {"dropped": "t0"}
    graph = loop.lineage_of(fake.client(), ["dropped", "kept", "never asked"])
    assert graph["id"] == "kept"
    assert fake.paths("GET") == ["/v1/lineage/dropped", "/v1/lineage/kept"]
