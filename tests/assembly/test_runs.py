"""A dataset whose recipe needs grades waits for a run, pays no answer twice, and ends whatever becomes of the run."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from assembly.begin import begin
from assembly.made import LEASE
from assembly.make import make
from assembly.runs import StoredRuns
from distillations.dataset import Dataset
from distillations.distillation import Distillation
from distilling.advance import advance
from distilling.freeze import freeze
from evals.run import OPEN_RUNS, Run
from foundation import blobs, bus, table
from foundation.events import AssembleDataset
from providers import prices, spending
from providers.openai_compatible import OpenAICompatible
from tests.assembly.striking import struck
from tests.distilling import build
from tests.flow.snapshot import differences, put_back, taken
from tests.flow.system import FakeContext, System
from tests.hostile import acts

JUDGE = {
    "type": "label_model",
    "name": "right",
    "model": "lab-judge",
    "input": [{"role": "user", "content": "Reference:\nyes\nAnswer:\n{{ sample.output_text }}"}],
    "labels": ["correct", "incorrect"],
    "passing_labels": ["correct"],
}
EXACT = {
    "type": "string_check",
    "name": "yes",
    "input": "{{ sample.output_text }}",
    "reference": "yes",
    "operation": "eq",
}


@pytest.fixture
def completions(system: System) -> None:
    answers = ["yes", "no", "yes", "maybe not"] * 3
    records = [build.record(100 + n, f"mail {n}", answer, split="train") for n, answer in enumerate(answers)]
    build.captured(system, records)


def asked(system: System, step: dict[str, Any], **more: Any) -> str:
    recipe = {"steps": [{"rule": "quality", **step}], "validation_share": 0, **more.pop("recipe", {})}
    return str(system.ok("POST", "/v1/datasets", {"source": build.source("train"), "recipe": recipe, **more})["id"])


def rows(system: System, dataset_id: str) -> dict[str, dict[str, Any]]:
    listed = system.ok("GET", f"/v1/datasets/{dataset_id}/rows?limit=100")["data"]
    return {row["id"]: row for row in listed}


@pytest.mark.usefixtures("completions")
def test_a_judge_that_is_an_alias_is_the_model_behind_it_when_the_set_is_asked_for(system: System) -> None:
    system.ok("PUT", "/v1/aliases/our-judge", {"targets": [{"model": "lab-judge"}]})
    dataset_id = asked(system, {"criteria": [{**JUDGE, "model": "our-judge"}]})
    system.ok("DELETE", "/v1/aliases/our-judge")
    system.settle()
    dataset = system.ok("GET", f"/v1/datasets/{dataset_id}")
    assert (dataset["status"], dataset["recipe"]["steps"][0]["criteria"][0]["model"]) == ("ready", "lab-judge")


@pytest.mark.usefixtures("completions")
def test_of_more_completions_than_memory_holds_none_is_graded(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assembly.made.MOST_GRADED", 11)
    graded, plain = asked(system, {"criteria": [JUDGE]}), asked(system, {"rule": "duplicates"})
    system.settle()
    error = Dataset.load(graded).error
    assert error
    assert error.code == "too_many_completions"
    assert "11 completions at most, and the filter selects 12" in error.message
    assert Dataset.load(plain).status == "ready"


@pytest.mark.usefixtures("completions")
def test_what_passes_trains_and_the_run_its_grades_and_criteria_stand_beside_it(system: System) -> None:
    dataset_id = asked(system, {"criteria": [JUDGE, EXACT]})
    system.deliver("ASSEMBLY")
    waiting = system.ok("GET", f"/v1/datasets/{dataset_id}")
    assert (waiting["status"], waiting["card"]) == ("grading", None)
    system.settle()
    dataset = system.ok("GET", f"/v1/datasets/{dataset_id}")
    (run,) = dataset["card"]["runs"]
    assert (dataset["status"], dataset["card"]["rows"], dataset["card"]["dropped"]["quality"]) == ("ready", 6, 6)
    assert (run["name"], run["rows"], run["left_out"], dataset["runs"]) == ("1-quality", 12, 0, [run])
    dropped, kept = rows(system, dataset_id)["chatcmpl-101"], rows(system, dataset_id)["chatcmpl-100"]
    assert dropped["evidence"][0]["reason"] == "The answer does not pass right-1, yes-2."
    assert [grade["passed"] for grade in (*dropped["grades"], *kept["grades"])] == [False, True]
    item = system.ok(
        "GET", f"/v1/evals/{run['eval_id']}/runs/{run['run_id']}/output_items/{kept['grades'][0]['item_id']}"
    )
    assert item["datasource_item"]["completion_id"] == "chatcmpl-100"
    assert run["run_id"] in {node["id"] for node in system.ok("GET", f"/v1/lineage/{dataset_id}")["nodes"]}


@pytest.mark.usefixtures("completions")
def test_who_asks_again_or_with_another_recipe_pays_no_grade_twice(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = counted(monkeypatch)
    first = asked(system, {"criteria": [JUDGE]})
    system.settle()
    paid = len(calls)
    assert paid == 3, "the judge was asked once for each answer that differs"
    other = asked(system, {"criteria": [JUDGE], "keep": "all", "least_score": 1})
    system.settle()
    assert asked(system, {"criteria": [JUDGE]}) == first
    assert len(calls) == paid
    cards = [system.ok("GET", f"/v1/datasets/{one}/card") for one in (first, other)]
    assert [card["rows"] for card in cards] == [6, 6]
    assert blobs.get(f"datasets/{first}/train.jsonl") == blobs.get(f"datasets/{other}/train.jsonl")


def judge_costs(price: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, model: str = "lab-judge") -> None:
    """Let the judge have a price, in dollars for a million tokens."""
    known = prices.price_list()
    priced = {**known, "models": {**known["models"], model: price}}
    monkeypatch.setattr(prices, "price_list", lambda: priced)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The requests that reach a provider from now on."""
    calls: list[Any] = []
    ask = OpenAICompatible._ask

    async def call_model(self: Any, *arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        return await ask(self, *arguments, **options)

    monkeypatch.setattr(OpenAICompatible, "_ask", call_model)
    return calls


@pytest.mark.soak
@pytest.mark.usefixtures("completions")
@pytest.mark.parametrize(
    ("when", "asks"),
    [
        ("before", ({"criteria": [JUDGE]}, 3)),
        ("after", ({"criteria": [JUDGE]}, 3)),
        ("before", ({"rule": "consensus", "model": "lab-small", "times": 2}, 24)),
    ],
)
def test_killed_at_every_call_while_it_begins_its_runs_and_while_it_takes_the_grades(
    when: str, asks: tuple[dict[str, Any], int], system: System, monkeypatch: pytest.MonkeyPatch, soak: bool
) -> None:
    step, paid = asks
    calls = counted(monkeypatch)
    dataset_id = asked(system, step)
    for status in ("grading", "ready"):
        before = taken(system)
        make(dataset_id, FakeContext())
        whole = taken(system)
        assert Dataset.load(dataset_id).status == status
        for call in count(1, 1 if soak else 17):
            put_back(system, before)
            with struck(call, when, monkeypatch) as made, suppress(EndpointConnectionError):
                make(dataset_id, FakeContext())
            if len(made) < call:
                break
            table.delete(dataset_id, f"LEASE#{LEASE}")
            make(dataset_id, FakeContext())
            make(dataset_id, FakeContext())
            assert not differences(taken(system), whole), (status, call, made[call - 1])
        assert call > 15, "it was struck"
        system.deliver("PLAN")
        system.deliver("GRADE")
    assert len(calls) == paid, "nothing was asked twice, however often the runs were begun"


@pytest.mark.usefixtures("completions")
def test_a_dry_run_says_what_would_be_graded_and_what_that_costs_and_pays_nothing(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = counted(monkeypatch)
    judge_costs({"input": "1", "output": "10"}, monkeypatch)
    dataset_id = asked(system, {"criteria": [JUDGE]}, dry_run=True)
    system.settle()
    card = system.ok("GET", f"/v1/datasets/{dataset_id}/card")
    (run,) = card["runs"]
    assert (run["run_id"], run["rows"], run["cost_usd"], card["rows"], calls) == (None, 12, None, 12, [])
    # Twelve answers of at most 500 tokens, and what they are asked with.
    assert 12 * 500 * 10 / 1e6 < run["estimated_usd"] < 12 * 600 * 10 / 1e6


@pytest.mark.usefixtures("completions")
@pytest.mark.parametrize("where", ["step", "recipe"])
def test_the_budget_decides_how_many_are_graded_and_the_others_say_so(
    where: str, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_costs({"input": "0", "output": "2"}, monkeypatch)
    budget = {"max_cost_usd": 0.0055}
    step = {"criteria": [JUDGE], "keep": "all", **(budget if where == "step" else {})}
    dataset_id = asked(system, step, recipe=budget if where == "recipe" else {})
    system.settle()
    card = system.ok("GET", f"/v1/datasets/{dataset_id}/card")
    (run,) = card["runs"]
    assert (run["rows"], run["left_out"], card["rows"]) == (5, 7, 5)
    assert 0 < run["cost_usd"] < run["estimated_usd"] == 0.005
    assert spending.spending().evals_usd == run["cost_usd"]
    reasons = {row["evidence"][0]["reason"] for row in rows(system, dataset_id).values() if row["evidence"]}
    assert reasons == {"It was not graded: the budget did not reach for it."}


@pytest.mark.usefixtures("completions")
@pytest.mark.parametrize(
    ("step", "code"),
    [
        ({"criteria": [JUDGE], "max_cost_usd": 1}, "no_price"),
        ({"eval_id": "eval_gone"}, "eval_deleted"),
        ({"criteria": [JUDGE], "criterion": "wrong"}, "invalid_value"),
    ],
)
def test_what_cannot_be_graded_fails_with_the_reason(step: dict[str, Any], code: str, system: System) -> None:
    dataset_id = asked(system, step)
    system.settle()
    assert system.ok("GET", f"/v1/datasets/{dataset_id}")["error"]["code"] == code


@pytest.mark.usefixtures("completions")
def test_at_the_months_cap_nothing_is_graded(system: System) -> None:
    system.ok("POST", "/v1/costs", {"monthly_cap_usd": 0})
    dataset_id = asked(system, {"criteria": [JUDGE]})
    system.settle()
    assert system.ok("GET", f"/v1/datasets/{dataset_id}")["error"]["code"] == "monthly_cap_reached"
    system.ok("POST", "/v1/costs", {"monthly_cap_usd": None})
    assert asked(system, {"criteria": [JUDGE]}) == dataset_id
    system.settle()
    assert system.ok("GET", f"/v1/datasets/{dataset_id}")["status"] == "ready"


@pytest.mark.usefixtures("completions")
def test_a_run_that_gives_no_grades_fails_the_dataset_which_may_be_asked_for_again(system: System) -> None:
    dataset_id = asked(system, {"criteria": [JUDGE]})
    system.deliver("ASSEMBLY")
    needed = system.ok("GET", f"/v1/datasets/{dataset_id}")["runs"][0]
    path = f"/v1/evals/{needed['eval_id']}/runs/{needed['run_id']}"
    assert system.call("DELETE", path)[0] == 409
    assert system.call("DELETE", f"/v1/evals/{needed['eval_id']}")[0] == 409
    system.ok("POST", f"{path}/cancel")
    system.settle()
    assert system.ok("GET", f"/v1/datasets/{dataset_id}")["error"]["code"] == "run_canceled"
    assert asked(system, {"criteria": [JUDGE]}) == dataset_id
    system.settle()
    dataset = system.ok("GET", f"/v1/datasets/{dataset_id}")
    assert (dataset["status"], dataset["error"], dataset["runs"][0]["run_id"] == needed["run_id"]) == (
        "ready",
        None,
        False,
    )


@pytest.mark.usefixtures("completions")
def test_deleting_a_dataset_that_is_graded_cancels_its_run(system: System) -> None:
    dataset_id = asked(system, {"criteria": [JUDGE]})
    system.deliver("ASSEMBLY")
    needed = system.ok("GET", f"/v1/datasets/{dataset_id}")["runs"][0]
    system.ok("DELETE", f"/v1/datasets/{dataset_id}")
    system.settle()
    assert system.ok("GET", f"/v1/evals/{needed['eval_id']}/runs/{needed['run_id']}")["status"] == "canceled"
    assert system.call("GET", f"/v1/datasets/{dataset_id}")[0] == 404
    assert list(blobs.keys(f"datasets/{dataset_id}")) == []


@pytest.mark.usefixtures("completions")
def test_canceling_a_dataset_ends_its_run_and_what_it_paid_is_not_paid_again(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = counted(monkeypatch)
    dataset_id = asked(system, {"criteria": [JUDGE]})
    for queue in ("ASSEMBLY", "PLAN", "GRADE"):
        system.deliver(queue)
    paid = len(calls)
    assert paid
    for _ in range(2):
        canceled = system.ok("POST", f"/v1/datasets/{dataset_id}/cancel")
        assert (canceled["status"], canceled["error"]["code"]) == ("failed", "cancelled")
    system.settle()
    dataset = system.ok("GET", f"/v1/datasets/{dataset_id}")
    assert (dataset["status"], dataset["card"]) == ("failed", None)
    assert asked(system, {"criteria": [JUDGE]}) == dataset_id
    system.settle()
    assert system.ok("GET", f"/v1/datasets/{dataset_id}")["status"] == "ready"
    assert len(calls) == paid
    status, refusal = system.call("POST", f"/v1/datasets/{dataset_id}/cancel")
    assert (status, refusal["error"]["code"]) == (409, "already_ended")


@pytest.mark.usefixtures("completions")
def test_one_that_was_deleted_while_it_was_graded_may_be_made_again_at_once(system: System) -> None:
    dataset_id = asked(system, {"criteria": [JUDGE]})
    system.deliver("ASSEMBLY")
    system.ok("DELETE", f"/v1/datasets/{dataset_id}")
    system.settle()
    assert asked(system, {"criteria": [JUDGE]}) == dataset_id
    system.settle()
    assert system.ok("GET", f"/v1/datasets/{dataset_id}")["status"] == "ready"


@pytest.mark.usefixtures("completions")
def test_the_eval_of_a_step_that_was_deleted_and_is_made_again_keeps_its_new_run(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = asked(system, {"criteria": [EXACT]})
    system.settle()
    [run] = system.ok("GET", f"/v1/datasets/{earlier}")["runs"]
    system.ok("DELETE", f"/v1/evals/{run['eval_id']}")
    acts.later(monkeypatch, 60)
    later = asked(system, {"criteria": [EXACT], "keep": "all"})
    system.deliver("ASSEMBLY")
    acts.later(monkeypatch, 3700)
    acts.sweep()
    system.settle()
    dataset = system.ok("GET", f"/v1/datasets/{later}")
    assert (dataset["status"], dataset["runs"][0]["eval_id"]) == ("ready", run["eval_id"])
    assert Run.find(run["run_id"]) is None


@pytest.mark.usefixtures("completions")
def test_one_that_is_deleted_while_its_grades_are_taken_stays_deleted(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = asked(system, {"criteria": [JUDGE]})
    for queue in ("ASSEMBLY", "PLAN", "GRADE"):
        system.deliver(queue)
    take = StoredRuns._end

    def deleted_meanwhile(*about: Any) -> Any:
        system.ok("DELETE", f"/v1/datasets/{dataset_id}")
        return take(*about)

    monkeypatch.setattr(StoredRuns, "_end", deleted_meanwhile)
    make(dataset_id, FakeContext())
    assert Dataset.find(dataset_id) is None
    assert list(blobs.keys(f"datasets/{dataset_id}")) == []


@pytest.mark.usefixtures("completions")
def test_a_run_that_was_begun_for_one_that_has_ended_asks_nobody(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = counted(monkeypatch)
    dataset_id = asked(system, {"criteria": [JUDGE]})

    def ended_meanwhile(dataset: Dataset, *about: Any) -> None:
        begin(dataset, *about)
        dataset.give_up("cancelled", "It is of no use any more.")

    monkeypatch.setattr("assembly.runs.begin", ended_meanwhile)
    make(dataset_id, FakeContext())
    system.settle()
    assert [Run.load(entry["sk"]).status for entry in table.query(OPEN_RUNS)] == ["canceled"]
    assert calls == []


@pytest.mark.usefixtures("completions")
def test_where_all_that_was_to_be_graded_is_deleted_it_fails_with_the_reason(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = asked(system, {"criteria": [JUDGE]})

    def deleted_meanwhile(*about: Any) -> None:
        for number in range(100, 112):
            system.ok("DELETE", f"/v1/chat/completions/chatcmpl-{number}")
        begin(*about)

    monkeypatch.setattr("assembly.runs.begin", deleted_meanwhile)
    make(dataset_id, FakeContext())
    assert system.ok("GET", f"/v1/datasets/{dataset_id}")["error"]["code"] == "no_rows"


@pytest.mark.usefixtures("completions")
def test_who_asks_again_pays_for_the_runs_that_failed_and_for_no_other(system: System) -> None:
    steps = [{"rule": "quality", "criteria": [EXACT]}, {"rule": "consensus", "model": "lab-small", "times": 2}]
    dataset_id = asked(system, {}, recipe={"steps": steps})
    for queue in ("ASSEMBLY", "PLAN", "GRADE", "DISTILLING", "ASSEMBLY"):
        system.deliver(queue)
    earlier = system.ok("GET", f"/v1/datasets/{dataset_id}")["runs"]
    system.ok("POST", f"/v1/evals/{earlier[2]['eval_id']}/runs/{earlier[2]['run_id']}/cancel")
    system.settle()
    assert system.ok("GET", f"/v1/datasets/{dataset_id}")["error"]["code"] == "run_canceled"
    assert asked(system, {}, recipe={"steps": steps}) == dataset_id
    system.settle()
    dataset = system.ok("GET", f"/v1/datasets/{dataset_id}")
    ids = [run["run_id"] for run in dataset["card"]["runs"]]
    assert dataset["status"] == "ready"
    assert ids[:2] == [run["run_id"] for run in earlier[:2]]
    assert ids[2:] != [earlier[2]["run_id"]]
    graded = {grade["run_id"] for row in rows(system, dataset_id).values() for grade in row["grades"]}
    assert graded == set(ids), "what the card names is what was found"


def test_a_distillation_waits_for_the_grades_of_its_set_and_its_end_ends_them(system: System) -> None:
    answers = ["yes", "yes", "yes", "no"] * 6
    records = [build.record(100 + n, f"mail {n}", answer, split="train") for n, answer in enumerate(answers)]
    build.captured(system, [build.record(1, "test"), *records])
    recipe = {"steps": [{"rule": "quality", "criteria": [EXACT]}], "validation_share": 0}
    for number in (1, 2):
        name = f"dataset_{number}"
        fields = {"dataset_id": name, "job_id": f"ftjob-{number}", "recipe": recipe}
        distillation = build.distillation("assembling", number=number, **fields)
        freeze(distillation)
        bus.send(AssembleDataset(distillation_id=distillation.id, dataset_id=name))
        system.deliver("ASSEMBLY")
        assert Dataset.load(name).status == "grading"
        advance(distillation.id)
        assert Distillation.load(distillation.id).status == "assembling"
    Distillation.load("distill_2").change({"cancel_requested_at": 1})
    advance("distill_2")
    for queue in ("PLAN", "GRADE", "DISTILLING", "ASSEMBLY", "PLAN", "DISTILLING", "ASSEMBLY"):
        system.deliver(queue)
    card = Dataset.load("dataset_1").card
    assert card
    assert (card.rows, card.dropped["quality"]) == (18, 6)
    ended = Dataset.load("dataset_2")
    assert ended.error
    assert (ended.error.code, Run.load(ended.runs[0].run_id or "").status) == ("cancelled", "canceled")


LABELS = 'Answer with one of: ["yes", "no"]'


def repeated(system: System, answers: list[str], step: dict[str, Any]) -> str:
    """A dataset of labelled mails whose teacher is asked again: here lab-small, whose answers do not change."""
    records = [build.record(100 + n, f"{LABELS} mail {n}", answer, split="train") for n, answer in enumerate(answers)]
    build.captured(system, records)
    return asked(system, {"rule": "consensus", "model": "lab-small", **step})


def test_the_teacher_is_asked_again_and_the_card_shows_how_far_it_agrees(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = counted(monkeypatch)
    dataset_id = repeated(system, [" yes", "no"] * 6, {"times": 2})
    system.settle()
    card = system.ok("GET", f"/v1/datasets/{dataset_id}/card")
    assert len(calls) == 24, "each time anew, and once"
    (agreement,) = card["agreement"]
    assert (agreement["step"], agreement["rows"], agreement["unanswered"]) == (1, 12, 0)
    assert 0 < agreement["share"] < 1
    assert card["rows"] == agreement["unanimous"] == 12 * agreement["share"]
    assert [run["name"] for run in card["runs"]] == ["1-consensus-1", "1-consensus-2"]
    for row in rows(system, dataset_id).values():
        assert [grade["step"] for grade in row["grades"]] == ["1-consensus-1", "1-consensus-2"]
        assert all(grade["passed"] is (row["outcome"] == "train") for grade in row["grades"])


def test_a_criterion_may_say_what_agrees_and_a_sample_is_enough_to_measure(system: System) -> None:
    criterion = {**EXACT, "name": "same", "reference": "{{ item.reference }}", "operation": "ne"}
    step = {"times": 1, "sample": 5, "criteria": [criterion], "least_agreement": 0}
    dataset_id = repeated(system, ["maybe"] * 12, step)
    system.settle()
    card = system.ok("GET", f"/v1/datasets/{dataset_id}/card")
    assert (card["rows"], card["agreement"][0]["rows"], card["agreement"][0]["share"]) == (12, 5, 1)
    assert sum(bool(row["grades"]) for row in rows(system, dataset_id).values()) == 5


def test_a_dry_run_tells_what_asking_again_costs(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    judge_costs({"input": "1", "output": "100"}, monkeypatch, model="lab-small")
    answers = ["yes"] * 4
    records = [build.record(100 + n, f"mail {n}", answer, split="train") for n, answer in enumerate(answers)]
    build.captured(system, records)
    dataset_id = asked(system, {"rule": "consensus", "model": "lab-small", "times": 2}, dry_run=True)
    system.settle()
    runs = system.ok("GET", f"/v1/datasets/{dataset_id}/card")["runs"]
    # Ninety tokens in and ten out, as they were recorded.
    assert [(run["rows"], run["estimated_usd"]) for run in runs] == [(4, round(4 * (90 + 1000) / 1e6, 6))] * 2
    nameless = system.ok("GET", f"/v1/datasets/{asked(system, {'rule': 'consensus'}, dry_run=True)}")
    system.settle()
    assert system.ok("GET", f"/v1/datasets/{nameless['id']}")["error"]["code"] == "missing_required_parameter"
