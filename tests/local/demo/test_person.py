"""The person who trains by hand, as the demo plays them; the lab for a machine is real."""

import subprocess
from types import SimpleNamespace

import pytest

from local.demo.person import Person
from local.demo.waiting import DemoFailed
from tests.tuning.conftest import example_line

TO_DO = """aws s3 cp --recursive s3://bucket/tuning/job_1/ job_1/
uv run infra/train/sft.py job_1/recipe.json
stillhouse model add NAME --base BASE --url https://…/v1 --job job_1"""


@pytest.fixture
def person(fake, around, lab_server, monkeypatch):
    """The person, what they have said, and the commands that they have run."""
    lines = b"\n".join(example_line(number) for number in range(12))
    asked, said, commands = [], [], []

    def get_object(**where):
        asked.append(where)
        return {"Body": SimpleNamespace(read=lambda: lines)}

    def run(command, *, env, **_):
        commands.append((command[1:], env["STILLHOUSE_API_KEY"]))
        return SimpleNamespace(returncode=fake.refuse and 1, stderr="no such job", stdout="")

    monkeypatch.setattr("local.demo.person.aws.client", lambda *_: SimpleNamespace(get_object=get_object))
    monkeypatch.setattr(subprocess, "run", run)
    fake.job = {"status": "running", "state": "waiting_for_model", "to_do": TO_DO}
    made = Person(around(lab_url=f"{lab_server}/v1", say=said.append))
    return SimpleNamespace(help=made.help, asked=asked, said=said, commands=commands)


def test_the_set_is_fetched_trained_on_and_the_model_named_once(person):
    person.help("job_1")
    person.help("job_1")
    assert person.asked == [{"Bucket": "bucket", "Key": "tuning/job_1/train.jsonl"}]
    [(command, key)] = person.commands
    assert command[:2] == ["model", "add"]
    assert command[2].startswith("ft:lab-small:lab:by-hand:")
    assert command[3:] == ["--base", "lab-small", "--job", "job_1", "--to", "http://stack/v1"]
    assert key == "sk-sh-test"
    assert person.said[0] == "  to do: aws s3 cp --recursive s3://bucket/tuning/job_1/ job_1/"


def test_a_job_that_does_not_wait_yet_is_left_alone(person, fake):
    fake.job = {"status": "queued", "state": "queued", "to_do": None}
    person.help("job_1")
    assert person.commands == []


def test_a_name_that_is_refused_ends_the_demo_in_its_words(person, fake):
    fake.refuse = [{}]
    with pytest.raises(DemoFailed, match="no such job"):
        person.help("job_1")
