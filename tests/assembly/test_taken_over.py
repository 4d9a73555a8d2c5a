"""A set that is made of another one takes over what that one has paid for, and holds out its rows."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from distillations.dataset import Dataset, DatasetCard
from distillations.distillation import Distillation
from distillations.spent import spent_so_far
from distilling.freeze import freeze
from evals.run import Run
from foundation import blobs, bus
from foundation.events import AssembleDataset
from providers.openai_compatible import OpenAICompatible
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System

LABELS = 'Answer with one of: ["yes", "no"]'
JUDGE = {
    "type": "label_model",
    "name": "right",
    "model": "lab-judge",
    "input": [{"role": "user", "content": "Reference:\nyes\nAnswer:\n{{ sample.output_text }}"}],
    "labels": ["correct", "incorrect"],
    "passing_labels": ["correct"],
}
STEPS = [
    {"rule": "quality", "criteria": [JUDGE], "keep": "all"},
    {"rule": "consensus", "model": "lab-small", "times": 2, "temperature": 1},
]
RECIPE = {"steps": STEPS, "validation_share": 0}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The requests that reach a provider."""
    found: list[Any] = []
    ask = OpenAICompatible._ask

    async def call_model(self: Any, *arguments: Any, **options: Any) -> Any:
        found.append(arguments)
        return await ask(self, *arguments, **options)

    monkeypatch.setattr(OpenAICompatible, "_ask", call_model)
    return found


@pytest.fixture
def completions(system: System) -> None:
    answers = ["yes", "no"] * 16
    records = [build.record(100 + n, f"{LABELS} mail {n}", answer, split="train") for n, answer in enumerate(answers)]
    build.captured(system, [build.record(1, "test"), *records])


def asked(system: System, recipe: dict[str, Any] = RECIPE, **more: Any) -> str:
    body = {"source": build.source("train", model=build.TEACHER), "recipe": recipe, **more}
    return str(system.ok("POST", "/v1/datasets", body)["id"])


def distilled(number: int, train: dict[str, Any], recipe: dict[str, Any] = RECIPE) -> str:
    """A distillation whose training set is asked for."""
    name = f"dataset_of_{number}"
    fields = {"dataset_id": name, "job_id": f"ftjob-{number}", "train": train, "recipe": recipe}
    distillation = build.distillation("assembling", number=number, **fields)
    freeze(distillation)
    bus.send(AssembleDataset(distillation_id=distillation.id, dataset_id=name))
    return name


def card(name: str) -> DatasetCard:
    dataset = Dataset.load(name)
    assert dataset.card, dataset.error
    return dataset.card


@pytest.mark.usefixtures("completions")
def test_no_grade_and_no_answer_is_paid_twice_though_its_runs_are_gone(system: System, calls: list[Any]) -> None:
    tried = asked(system, dry_run=True)
    system.settle()
    assert (len(calls), card(tried).rows) == (0, 32)
    owner = asked(system)
    system.settle()
    paid = len(calls)
    assert paid >= 64, "each was asked twice"
    filtered = distilled(1, build.source("train"))
    system.settle()
    assert len(calls) == paid, "what is asked the second time is paid once for all sets"
    for run in Dataset.load(owner).runs:
        Run.load(run.run_id or "").erase()
    names = [distilled(number, {"type": "dataset", "id": owner}) for number in (2, 3)]
    system.settle()
    assert len(calls) == paid
    for name in names:
        assert [run.cost_usd for run in card(name).runs] == [0.0] * 3
        assert (card(name).rows, card(name).agreement) == (card(owner).rows, card(owner).agreement)
        assert blobs.get(f"datasets/{name}/train.jsonl") == blobs.get(f"datasets/{owner}/train.jsonl")
    assert card(filtered).rows == card(owner).rows


@pytest.mark.usefixtures("completions")
def test_a_set_waits_while_the_one_that_it_is_made_of_is_graded(system: System) -> None:
    owner = asked(system)
    system.deliver("ASSEMBLY")
    name = distilled(1, {"type": "dataset", "id": owner})
    system.deliver("ASSEMBLY")
    assert Dataset.load(owner).status == "grading"
    assert Dataset.find(name) is None
    system.settle()
    assert len(card(name).runs) == 3
    assert sum(run.cost_usd or 0 for run in card(name).runs) == 0
    assert [run.run_id for run in card(name).runs] == [run.run_id for run in card(owner).runs]
    assert spent_so_far(Distillation.load("distill_1")).evals_usd == 0, "the dataset has paid, once"


@pytest.mark.usefixtures("completions")
def test_a_set_pays_for_no_grades_of_one_that_was_cancelled(system: System, calls: list[Any]) -> None:
    owner = asked(system)
    system.deliver("ASSEMBLY")
    name = distilled(1, {"type": "dataset", "id": owner})
    system.deliver("ASSEMBLY")
    system.ok("POST", f"/v1/datasets/{owner}/cancel")
    system.settle()
    error = Dataset.load(name).error
    assert error
    assert (error.code, owner in error.message) == ("dataset_cancelled", True)
    ended = Distillation.load("distill_1")
    assert (ended.status, ended.error and ended.error.code) == ("failed", "dataset_cancelled")
    assert not calls
    body = {"eval_id": ended.eval_id, "teacher": build.TEACHER, "student": loop.STUDENT, "name": "again"}
    sources = {"test": build.source("test"), "train": {"type": "dataset", "id": owner}}
    status, answer = system.call("POST", "/v1/distillations", body | sources)
    assert (status, answer["error"]["code"], answer["error"]["param"]) == (400, "dataset_cancelled", "train.id")


@pytest.mark.usefixtures("completions")
def test_a_run_that_was_begun_a_moment_before_the_end_is_canceled_too(system: System) -> None:
    before = Dataset.load(asked(system))
    system.deliver("ASSEMBLY")
    [run] = before.give_up("cancelled", "It was canceled.")
    assert Run.load(run.id).status == "canceled"


@pytest.mark.usefixtures("system")
def test_what_the_dataset_holds_out_trains_in_no_distillation_on_it(system: System) -> None:
    rows = [build.record(100 + n, f"mail {n}", split="train") for n in range(14)]
    held = [build.record(200 + n, f"mail {n}", split="held") for n in range(3)]
    build.captured(system, [build.record(1, "mail 13"), *rows, *held])
    recipe = {"steps": [], "validation_share": 0}
    owner = asked(system, recipe, held_out=build.source("held"))
    system.settle()
    assert card(owner).dropped["test_leaks"] == 3
    name = distilled(1, {"type": "dataset", "id": owner}, recipe)
    system.settle()
    assert card(name).dropped["test_leaks"] == 4
    trained = [orjson.loads(line)["messages"][0]["content"] for line in blobs.lines(f"datasets/{name}/train.jsonl")]
    assert sorted(trained) == sorted(f"mail {n}" for n in range(3, 13))
