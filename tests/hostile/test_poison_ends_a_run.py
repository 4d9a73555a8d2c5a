"""Whatever a row holds, its run and its distillation end: the row is errored, or the whole fails with a reason.
A consumer that fails for a reason nobody planned ends, on its last delivery, what it worked on, and that is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from distillations.distillation import Distillation
from foundation import blobs, bus
from foundation.events import AdvanceDistillation, AssembleDataset, DecideVerdict
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System
from tests.hostile import acts
from tests.hostile.walls import Walls, outlived

STORED = {"type": "completions", "source": {"type": "stored_completions"}}


def run_ended(system: System, run: dict[str, Any]) -> None:
    """With every row counted, or failed for a reason; nothing of it among the dead letters."""
    counts = run["result_counts"]
    assert run["status"] in {"completed", "failed"}, run["status"]
    if run["status"] == "completed":
        assert counts["total"] == counts["passed"] + counts["failed"] + counts["errored"] > 0
    else:
        assert acts.explained(run["error"]), run["error"]
    assert not [name for name in ("PLAN", "GRADE") if system.dead(name)]


@pytest.mark.parametrize(
    "poison",
    [
        {"response": {"usage": "none"}},
        {"response": {"usage": {"prompt_tokens": "many"}}},
        {"response": {"usage": {"prompt_tokens": 1, "prompt_tokens_details": "x"}}},
        {"response": {"usage": ["x"]}},
        {"response": {"model": None}},
        {"choice": {"finish_reason": ["stop"]}},
        {"choice": {"message": {"role": "assistant", "content": 5}}},
        {"choice": {"message": {"role": "assistant", "content": {"a": 1}, "tool_calls": "x"}}},
        {"answer": None, "request": {"response_format": {"type": "json_object"}}},
        {"request": {"temperature": [1], "seed": {}, "top_p": "x"}},
    ],
    ids=[
        "usage-text",
        "tokens-text",
        "details-text",
        "usage-list",
        "no-model",
        "reason-list",
        "content-number",
        "content-object",
        "no-answer",
        "parameters",
    ],
)
def test_an_odd_completion_ends_its_run(poison: dict[str, Any], system: System) -> None:
    status, answer = acts.push(system, acts.record("chatcmpl-odd", **poison), acts.record("chatcmpl-sound"))
    assert status == 202, answer
    run = acts.graded(system, acts.new_eval(system), STORED)
    run_ended(system, run)
    assert run["status"] == "completed", "the sound row is graded"
    assert run["result_counts"]["total"] == len(answer["ids"])


@pytest.mark.parametrize(
    "response",
    [
        {"temperature": [1]},
        {"top_p": {}},
        {"reasoning": "high"},
        {"reasoning": ["high"]},
        {"tools": ["search"]},
        {"tools": "search"},
        {"tools": [{"type": ["function"], "name": ["x"]}]},
        {"user": ["u"]},
        {"instructions": {"text": "x"}},
    ],
    ids=lambda odd: "-".join(f"{name}-{type(value).__name__}" for name, value in odd.items()),
)
def test_an_odd_response_ends_the_run_that_asks_for_its_field(response: dict[str, Any], system: System) -> None:
    odd = {
        "request": {"model": "gpt-4o", "input": "hello"},
        "response": {
            "id": "resp_odd",
            "object": "response",
            "created_at": 1_790_000_000,
            "model": "gpt-4o",
            "status": "completed",
            "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "yes"}]}],
            **response,
        },
    }
    status, answer = acts.push(system, odd)
    if status == 400:
        assert next(iter(response)) in answer["error"]["param"]
        return
    asked = {"temperature": 1, "top_p": 1, "reasoning_effort": "high", "users": ["u"], "tools": ["search"]}
    wanted = {name: value for name, value in asked.items() if name.startswith(next(iter(response))[:4])}
    source = {"type": "responses", "source": {"type": "responses", **(wanted or {"instructions_search": "x"})}}
    created, run = system.call("POST", f"/v1/evals/{acts.new_eval(system)}/runs", {"data_source": source})
    assert created in {201, 400}, run
    if created == 201:
        acts.deliver_all(system)
        run_ended(system, system.ok("GET", f"/v1/evals/{run['eval_id']}/runs/{run['id']}"))


@pytest.mark.parametrize(
    "sample",
    [
        {"choices": [{"message": {}, "finish_reason": ["stop"]}]},
        {"output_text": "yes", "usage": {"prompt_tokens_details": {"cached_tokens": 3}, "total_tokens": 1 << 62}},
        {"output_text": "yes", "input": {"a": 1}},
        {"output_text": "yes", "choices": []},
        {"output_text": "yes", "id": ["x"], "object": 5, "temperature": {"x": 1}},
        {"choices": [{"message": {"content": [{"type": "text"}], "tool_calls": {"x": 1}}}]},
    ],
    ids=["reason", "tokens", "input", "no-choice", "other-fields", "content"],
)
def test_an_odd_sample_ends_its_run(sample: dict[str, Any], shared: System) -> None:
    odd = {"item": {"reference": "yes"}, "sample": sample}
    body = {"data_source": acts.inline(odd, acts.ROW)}
    status, run = shared.call("POST", f"/v1/evals/{acts.new_eval(shared)}/runs", body)
    assert status in {201, 400}, run
    if status == 201:
        acts.deliver_all(shared)
        run_ended(shared, shared.ok("GET", f"/v1/evals/{run['eval_id']}/runs/{run['id']}"))


def ends(system: System, distillation_id: str) -> dict[str, Any]:
    """The distillation after all that is delivered for it, approved where it waits: at an end, with a reason."""
    for _ in range(40):
        acts.deliver_all(system)
        distillation = loop.fetched(system, distillation_id)
        if distillation["status"] == "blocked":
            system.ok("POST", f"/v1/distillations/{distillation_id}/approve")
        elif system.clock_runs():
            acts.tick()
        else:
            break
    assert distillation["status"] in {"completed", "failed"}, distillation["status"]
    assert distillation["status"] != "failed" or acts.explained(distillation["error"]), distillation["error"]
    assert not [name for name in system.queues if system.dead(name)]
    return distillation


@pytest.mark.parametrize(
    "poison",
    [
        {"request": "x"},
        {"request": ["x"]},
        {"latency_ms": "soon"},
        {"item": {"input": ["x"], "reference": "yes"}},
        {"item": {"input": [{"role": "user", "content": "q"}], "completion_id": ["x"]}},
        {"item": {"input": [{"role": "user", "content": "q"}], "completion_id": None}},
        {"item": {"input": [{"role": "user", "content": "q"}], "completion_id": "c" * 3000}},
        {"item": {"input": [{"role": "user", "content": "q"}], "metadata": "x"}},
    ],
    ids=["request-text", "request-list", "latency", "message", "id-list", "id-null", "id-long", "metadata"],
)
def test_an_odd_row_of_a_test_file_is_refused_or_ends_its_distillation(poison: dict[str, Any], system: System) -> None:
    sound, odd = ({"input": [{"role": "user", "content": text}], "reference": "yes"} for text in ("one", "two"))
    status, file = acts.upload(system, [{"item": sound}, {"item": odd, **poison}])
    assert status in {200, 400}, file
    if status == 400:
        return
    build.captured(system, [build.record(n, f"q{n}", split="train", model=loop.STUDENT) for n in range(24)])
    body = {
        "name": "odd",
        "eval_id": loop.create_eval(system),
        "test": {"type": "file_id", "id": file["id"]},
        "train": build.source("train"),
        "teacher": loop.STUDENT,
        "student": loop.STUDENT,
    }
    created, answer = system.call("POST", "/v1/distillations", body)
    assert created in {201, 400}, answer
    if created == 201:
        ends(system, answer["id"])


def test_an_odd_training_completion_is_left_out_and_counted(system: System) -> None:
    distillation = _assembling()
    build.captured(system, [build.record(n, f"question {n}", split="train") for n in range(12)])
    odd = build.record(99, "odd", split="train", choice={"finish_reason": ["stop"]})
    status, answer = acts.push(system, odd)
    if status == 400:
        assert "finish_reason" in answer["error"]["param"]
        return
    bus.send(AssembleDataset(distillation_id=distillation.id, dataset_id=distillation.dataset_id or ""))
    acts.deliver_all(system, but="TUNING")
    assert system.dead("ASSEMBLY") == []
    card = system.ok("GET", f"/v1/datasets/{distillation.dataset_id}/card")
    assert (card["rows"], sum(card["dropped"].values())) == (12, 1)


@pytest.mark.parametrize("team", [["a"], {"a": 1}, 5, None, "c"], ids=["list", "object", "int", "null", "sound"])
def test_odd_metadata_of_a_test_row_keeps_no_verdict_away(team: Any, system: System) -> None:
    distillation = build.distillation("deciding", model=build.MODEL)
    blobs.put(distillation.rows_key, b'{"item": {"input": []}}\n')
    tags: Any = [{"team": "a"}, {"team": team}, {"team": "b"}]
    for role in ("teacher", "baseline", "distilled"):
        build.graded(distillation, role, "ppf", metadata=tags)
    bus.send(DecideVerdict(distillation_id=distillation.id))
    assert ends(system, distillation.id)["status"] == "completed"


# ------------------------------------------------------------- for a reason that nobody planned


def _queued(system: System) -> Distillation:
    build.captured(system, [build.record(n, f"test {n}") for n in range(2)])
    distillation = build.distillation("queued")
    bus.send(AdvanceDistillation(distillation_id=distillation.id))
    return distillation


def _measuring(_: System) -> Distillation:
    distillation = build.distillation("measuring")
    for role in ("teacher", "baseline"):
        build.graded(distillation, role, "pf")
    return distillation


def _assembling(_: System | None = None) -> Distillation:
    distillation = build.distillation("assembling", dataset_id="dataset_1", job_id="ftjob-1", student=loop.STUDENT)
    blobs.put(distillation.rows_key, b'{"item": {"completion_id": "chatcmpl-t", "input": []}}\n')
    return distillation


def _to_assemble(system: System) -> Distillation:
    distillation = _assembling()
    build.captured(system, [build.record(n, f"question {n}", split="train") for n in range(12)])
    bus.send(AssembleDataset(distillation_id=distillation.id, dataset_id=distillation.dataset_id or ""))
    return distillation


def _to_train(_: System) -> Distillation:
    distillation = _assembling()
    dataset = build.dataset(distillation)
    for name in ("train.jsonl", "validation.jsonl", "card.json"):
        blobs.put(dataset.key(name), b"{}")
    return distillation


def _deciding(_: System) -> Distillation:
    distillation = build.distillation("deciding", model=build.MODEL)
    for role in ("teacher", "baseline", "distilled"):
        build.graded(distillation, role, "pf")
    blobs.put(distillation.rows_key, b'{"item": {"input": []}}\n')
    bus.send(DecideVerdict(distillation_id=distillation.id))
    return distillation


@pytest.mark.parametrize(
    ("prepare", "call"),
    [
        (_queued, ("PutObject", "distillations/")),
        (_measuring, ("GetObject", "/chunks/")),
        (_to_assemble, ("PutObject", "datasets/")),
        (_to_train, ("GetObject", "train.jsonl")),
        (_deciding, ("GetObject", "/chunks/")),
    ],
    ids=["queued", "measuring", "assembling", "training", "deciding"],
)
@pytest.mark.parametrize("stops", [False, True], ids=["fails", "is-stopped"])
def test_a_distillation_whose_consumer_never_succeeds_ends_as_failed_and_people_are_told(
    prepare: Callable[[System], Distillation], call: tuple[str, str], stops: bool, system: System, walls: Walls
) -> None:
    def refuses(called: str, arguments: dict[str, Any]) -> bool:
        return called == call[0] and call[1] in arguments["Key"]

    distillation = prepare(system)
    system.around = outlived
    with walls.refusing(refuses, stops=stops):
        acts.deliver_all(system)
    ended = loop.fetched(system, distillation.id)
    assert (ended["status"], acts.explained(ended["error"])) == ("failed", True), ended["status"]
    assert [notice["id"] for notice in system.notifications() if notice["type"] == "failed"] == [distillation.id]


@pytest.mark.parametrize("stops", [False, True], ids=["fails", "is-stopped"])
@pytest.mark.parametrize("fragment", ["rows.jsonl", "/chunks/"], ids=["plan", "grade"])
def test_a_run_whose_consumer_never_succeeds_ends_as_failed_and_is_told(
    fragment: str, stops: bool, system: System, walls: Walls
) -> None:
    def refuses(called: str, arguments: dict[str, Any]) -> bool:
        return called == "PutObject" and fragment in arguments["Key"]

    body = {"data_source": acts.inline()}
    run = system.ok("POST", f"/v1/evals/{acts.new_eval(system)}/runs", body)
    system.around = outlived
    with walls.refusing(refuses, stops=stops):
        acts.deliver_all(system, but="NOTIFY")
    ended = system.ok("GET", f"/v1/evals/{run['eval_id']}/runs/{run['id']}")
    assert (ended["status"], acts.explained(ended["error"])) == ("failed", True), ended["status"]
    assert "eval.run.failed" in [message["event_type"] for message in build.sent(system, "NOTIFY")]
    assert blobs.exists(f"runs/{run['id']}/summary.json")
