"""What an open distillation needs cannot be deleted: 409 names the distillation. What has ended can.
The verdict needs nothing that can vanish, and a cancellation ends every run that may already be there.
"""

from __future__ import annotations

import pytest

from distillations.distillation import Distillation
from evals.eval import Eval
from evals.run import Run
from foundation import blobs, bus
from foundation.events import AdvanceDistillation, DecideVerdict
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System
from tests.hostile import acts
from tests.hostile.walls import Walls

OPEN = ("queued", "measuring", "blocked", "assembling", "training", "evaluating", "deciding")
QUEUE_OF_AWS = {"ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage"}
"""What AWS calls for a consumer, whether that is alive or not."""
NEEDED = b'{"item": {"input": []}}\n'


@pytest.mark.parametrize("status", OPEN)
def test_the_eval_of_an_open_distillation_stays(status: str, system: System) -> None:
    distillation = build.distillation(status)
    refused, answer = system.call("DELETE", f"/v1/evals/{distillation.eval_id}")
    assert refused == 409, answer
    assert distillation.id in answer["error"]["message"]
    assert system.headers["x-should-retry"] == "false"
    assert system.call("GET", f"/v1/evals/{distillation.eval_id}")[0] == 200


@pytest.mark.parametrize("status", ["queued", "measuring", "deciding"])
def test_the_test_file_of_an_open_distillation_stays(status: str, system: System) -> None:
    item = {"input": [{"role": "user", "content": "q"}], "reference": "yes"}
    _, file = acts.upload(system, [{"item": item}])
    distillation = build.distillation(status, test={"type": "file_id", "id": file["id"]})
    refused, answer = system.call("DELETE", f"/v1/files/{file['id']}")
    assert (refused, distillation.id in acts.refusal(answer)["message"]) == (409, True), answer


@pytest.mark.parametrize(("number", "status"), list(enumerate(["completed", "failed", "cancelled"])))
def test_what_an_ended_distillation_needed_may_go(number: int, status: str, shared: System) -> None:
    distillation = build.distillation(status, number=number)
    assert shared.call("DELETE", f"/v1/evals/{distillation.eval_id}")[0] == 200


def test_the_file_of_an_open_run_stays_or_its_run_does_without(system: System) -> None:
    _, file = acts.upload(system, [acts.ROW] * 3)
    source = {"type": "jsonl", "source": {"type": "file_id", "id": file["id"]}}
    run = system.ok("POST", f"/v1/evals/{acts.new_eval(system)}/runs", {"data_source": source})
    status, answer = system.call("DELETE", f"/v1/files/{file['id']}")
    acts.deliver_all(system)
    ended = system.ok("GET", f"/v1/evals/{run['eval_id']}/runs/{run['id']}")
    if status == 409:
        assert run["id"] in answer["error"]["message"]
        assert ended["status"] == "completed"
    else:
        assert (ended["status"], acts.explained(ended["error"])) == ("failed", True)


def deciding(system: System) -> Distillation:
    distillation = build.distillation("deciding", model=build.MODEL)
    blobs.put(distillation.rows_key, NEEDED)
    for role in ("teacher", "baseline", "distilled"):
        build.graded(distillation, role, "ppff")
    build.sent(system, "DISTILLING")
    bus.send(DecideVerdict(distillation_id=distillation.id))
    return distillation


def test_a_verdict_is_given_though_the_eval_is_gone(system: System) -> None:
    """Deleted before the rule was there, or by two requests at once."""
    distillation = deciding(system)
    Eval.load(distillation.eval_id).remove()
    acts.deliver_all(system)
    ended = loop.fetched(system, distillation.id)
    assert (ended["status"], (ended["verdict"] or {}).get("rows")) == ("completed", 4)


def test_a_verdict_whose_runs_are_gone_fails_the_distillation(system: System) -> None:
    distillation = deciding(system)
    Run.load(distillation.run_id("baseline")).remove()
    acts.deliver_all(system)
    ended = loop.fetched(system, distillation.id)
    assert (ended["status"], acts.explained(ended["error"])) == ("failed", True)
    assert [notice["id"] for notice in system.notifications() if notice["type"] == "failed"] == [distillation.id]


def test_an_eval_that_is_gone_before_training_fails_the_distillation_before_it_costs(system: System) -> None:
    build.captured(system, [build.record(n, f"question {n}", split="train") for n in range(12)])
    distillation = build.distillation("measuring", student=loop.STUDENT, gate={"expected_gain": 0.9})
    blobs.put(distillation.rows_key, b'{"item": {"completion_id": "chatcmpl-t", "input": []}}\n')
    for role, rows in (("teacher", "pppp"), ("baseline", "ffff")):
        build.graded(distillation, role, rows)
    Eval.load(distillation.eval_id).remove()
    build.sent(system, "DISTILLING")
    distillation.change({"approved_at": 1})
    bus.send(AdvanceDistillation(distillation_id=distillation.id))
    acts.deliver_all(system)
    ended = loop.fetched(system, distillation.id)
    assert (ended["status"], (ended["error"] or {}).get("code")) == ("failed", "eval_deleted")
    assert ended["job_id"] is None


@pytest.mark.parametrize("died_at", ["DISTILLATION", "LIST#RUN"], ids=["before-the-move", "between-two-runs"])
def test_a_cancellation_while_queued_ends_the_runs_that_are_there(died_at: str, system: System, walls: Walls) -> None:
    build.captured(system, [build.record(n, f"test {n}") for n in range(2)])
    distillation = build.distillation("queued", student=loop.STUDENT)
    seen: list[str] = []

    def dies(operation: str, arguments: dict[str, object]) -> bool:
        text = str(arguments)
        moves = operation == "UpdateItem" and "'DISTILLATION'" in text and "measuring" in text
        second = operation == "PutItem" and "LIST#RUN" in text and distillation.run_id("baseline") in text
        if (moves and died_at == "DISTILLATION") or (second and died_at == "LIST#RUN"):
            seen.append(operation)
        return bool(seen) and operation not in QUEUE_OF_AWS

    bus.send(AdvanceDistillation(distillation_id=distillation.id))
    with walls.refusing(dies):
        system.deliver("DISTILLING")
    assert seen
    system.ok("POST", f"/v1/distillations/{distillation.id}/cancel")
    acts.deliver_all(system)
    assert loop.fetched(system, distillation.id)["status"] == "cancelled"
    runs = [run for role in ("teacher", "baseline", "distilled") if (run := Run.find(distillation.run_id(role)))]
    assert runs
    assert {run.status for run in runs} == {"canceled"}


def test_a_calibration_whose_eval_was_deleted_leaves_no_open_run(system: System) -> None:
    eval_id = acts.new_eval(system)
    rows = {"type": "file_content", "content": [{**acts.ROW, "human": True}]}
    made = system.ok("POST", f"/v1/evals/{eval_id}/calibrations", {"criterion": "correct", "source": rows})
    system.ok("DELETE", f"/v1/evals/{eval_id}")
    acts.deliver_all(system)
    assert Run.load(made["run_id"]).ended
