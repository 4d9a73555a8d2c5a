"""The python grader inside a run: its rows, its errors, the sandbox function when it is busy or ends."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

import grading.grade
from evals.output_items import output_items
from evals.run import Run
from foundation import aws
from graders import sandbox
from grading.grade import grade_chunk
from tests.api.sdk import client_of
from tests.conftest import Context
from tests.flow.system import System
from tests.grading.build import CHECK, Counting, counts, planned, row, with_sample
from tests.grading.clock import Clock
from tests.sandbox.function import called

SOURCE = """
def grade(sample, item):
    print("looked at", item["n"])
    return float(sample["output_text"] == item["reference"])
"""
PYTHON = {"type": "python", "name": "own", "source": SOURCE}
HONEST = {"score": 1.0, "walls": []}


def answered(*texts: str) -> list[dict[str, Any]]:
    return [with_sample(row(n), text) for n, text in enumerate(texts)]


def results(run: Run) -> list[dict[str, Any]]:
    return [item["results"][0] for item in output_items(run.id, 0)]


def parsed(status: int, payload: Any = None, *, error: str = "", failed: bool = False) -> tuple[Any, dict[str, Any]]:
    """What botocore makes of Lambda's answer."""
    response: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": 0}}
    if error:
        response["Error"] = {"Code": error, "Message": "m"}
    else:
        response["Payload"] = io.BytesIO(json.dumps(payload).encode())
    if failed:
        response["FunctionError"] = "Unhandled"
    return SimpleNamespace(status_code=status), response


@pytest.fixture
def function(system: System) -> Iterator[Callable[[Callable[[dict[str, Any]], Any]], list[dict[str, Any]]]]:  # noqa: ARG001
    """Put a function of the test's own in the place of the sandbox; the calls that it gets."""
    asked: list[dict[str, Any]] = []

    def behave(answer: Callable[[dict[str, Any]], Any]) -> list[dict[str, Any]]:
        def answers(params: dict[str, Any], **_: Any) -> Any:
            asked.append(json.loads(params["body"]))
            return answer(asked[-1])

        aws.functions().meta.events.unregister("before-call.lambda.Invoke", unique_id="sandbox")
        aws.functions().meta.events.register("before-call.lambda.Invoke", answers, unique_id="sandbox")
        return asked

    yield behave
    aws.functions.cache_clear()


# ------------------------------------------------------------------ end to end


def test_an_eval_with_a_source_and_a_multi_through_the_sdk(system: System) -> None:
    client = client_of(system)
    multi = {
        "type": "multi",
        "name": "both",
        "graders": {"own": PYTHON, "exact": CHECK},
        "calculate_output": "0.5 * own + 0.5 * exact",
        "pass_threshold": 0.75,
    }
    config: Any = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    criteria: Any = [PYTHON, multi]
    made = client.evals.create(name="own", data_source_config=config, testing_criteria=criteria)
    assert [criterion.type for criterion in made.testing_criteria] == ["python", "multi"]
    kept = system.ok("GET", f"/v1/evals/{made.id}")["testing_criteria"]
    assert kept[0]["source"] == SOURCE
    assert kept[0]["pass_threshold"] == 0.5, "what passes is recorded"
    assert "image_tag" not in kept[0]
    rows = [with_sample(row(0), "yes"), with_sample(row(1), "no"), with_sample(row(2), "yes")]
    del rows[2]["item"]["n"]
    source: Any = {"type": "jsonl", "source": {"type": "file_content", "content": rows}}
    run = client.evals.runs.create(made.id, data_source=source)
    system.settle()
    stored = client.evals.runs.retrieve(run.id, eval_id=made.id)
    assert stored.status == "completed"
    counts = stored.result_counts
    assert (counts.total, counts.passed, counts.failed, counts.errored) == (3, 1, 1, 1)
    items = list(client.evals.runs.output_items.list(run.id, eval_id=made.id))
    assert [result.score for result in items[0].results] == [1, 1]
    assert [result.score for result in items[1].results] == [0, 0]
    errors = [result.sample["error"] for result in items[2].results if result.sample]
    assert [error["code"] for error in errors] == ["python_grader_runtime_error"] * 2
    assert errors[0]["message"] == "KeyError (line 3): 'n'"
    assert errors[1]["message"] == "grader 'own': KeyError (line 3): 'n'"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def grade(sample, item) return 1", "does not compile: expected ':' (line 1)"),
        ("return 1\ndef grade(sample, item): return 1", "'return' outside function (line 1)"),
        ("def grades(sample, item): return 1", "no function grade(sample, item)"),
        ("class A:\n  def grade(sample, item): return 1", "no function grade"),
        ("def a():\n  def grade(sample, item): return 1", "no function grade"),
        ("def grade(sample): return 1", "other arguments"),
        ("def grade(a, b, c): return 1", "other arguments"),
        ("def grade(a, b, *, c): return 1", "other arguments"),
        ("async def grade(sample, item): return 1", "async"),
        ("", "no function grade"),
        ("\0", "null bytes"),
        ("def grade(sample, item): return " + "-" * 100_000 + "1", "nested too deeply"),
        ("def grade(sample, item): return a" + ".a" * 50_000, "nested too deeply"),
        ("#" * 262_144, "less than 262144"),
    ],
)
def test_a_source_that_cannot_be_run_is_refused_with_the_field(system: System, source: str, reason: str) -> None:
    config = {"type": "custom", "item_schema": {"type": "object"}}
    for criterion, param in (
        ({**PYTHON, "source": source}, "testing_criteria[1].source"),
        (
            {"type": "multi", "name": "m", "graders": {"own": {**PYTHON, "source": source}}, "calculate_output": "own"},
            "testing_criteria[1].graders.own.source",
        ),
    ):
        body = {"data_source_config": config, "testing_criteria": [CHECK, criterion]}
        status, answer = system.call("POST", "/v1/evals", body)
        assert (status, answer["error"]["param"]) == (400, param)
        assert reason in answer["error"]["message"]


@pytest.mark.parametrize(
    "source",
    [
        "def grade(sample, item, extra=1): return 1",
        "def grade(*rows): return 1",
        "def grade(sample, item, /): return 1",
        "grade = lambda sample, item: 1",
        "from mine import grade",
        "if True:\n  def grade(sample, item): return 1",
        "import re\nx = re.compile('\\d')\ndef grade(sample, item): return 1",
        "raise SystemExit\ndef grade(sample, item): return 1",
    ],
)
def test_a_source_is_read_and_not_run_when_the_eval_is_created(system: System, source: str) -> None:
    config = {"type": "custom", "item_schema": {"type": "object"}}
    body = {"data_source_config": config, "testing_criteria": [{**PYTHON, "source": source}]}
    assert system.ok("POST", "/v1/evals", body)["testing_criteria"][0]["source"] == source


# ------------------------------------------------------------------ the function misbehaves


@pytest.mark.parametrize(
    "refusal",
    [
        lambda _: parsed(429, error="TooManyRequestsException"),
        lambda _: parsed(500, error="ServiceException"),
        lambda _: parsed(502, error="ENILimitReachedException"),
        lambda _: parsed(503, error="EC2ThrottledException"),
    ],
)
def test_a_busy_sandbox_makes_rows_wait_and_loses_nothing(
    system: System, context: Any, function: Any, refusal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    monkeypatch.setattr(grading.grade, "_RETRY_S", 1.0)
    run, (chunk,) = planned(system, answered("yes", "no"), PYTHON, model=None)
    busy = {"row 1"}

    def answer(asked: dict[str, Any]) -> Any:
        return refusal(asked) if asked["item"]["input"][0]["content"] in busy else parsed(200, HONEST)

    asked = function(answer)
    grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (0, 0, 0, 0)
    assert "sandbox" in Run.load(run.id).paused.reason
    assert [request["item"]["n"] for request in asked].count(1) > 1
    busy.clear()
    asked.clear()
    [again] = clock.waiting()
    grade_chunk(again, context, Counting())
    assert counts(run.id) == (2, 2, 0, 0)
    assert [request["item"]["n"] for request in asked] == [1], "what was graded is not graded again"


def test_a_function_that_ends_on_a_row_each_time_makes_that_row_errored(
    system: System, context: Any, function: Any
) -> None:
    run, (chunk,) = planned(system, answered("yes", "no", "yes"), PYTHON, model=None)

    def answer(asked: dict[str, Any]) -> Any:
        if asked["sample"]["output_text"] == "no":
            return parsed(200, {"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"}, failed=True)
        return parsed(200, HONEST)

    asked = function(answer)
    grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (3, 2, 0, 1)
    error = results(run)[1]["sample"]["error"]
    assert error["code"] == "python_grader_server_error"
    assert "Runtime.ExitError: signal: killed" in error["message"]
    assert [request["item"]["n"] for request in asked].count(1) == 3


def test_a_function_that_does_not_answer_is_the_row_s_doing(system: System, context: Any, function: Any) -> None:
    """It may be a source that keeps the function from coming back to where it was: waiting would help nobody."""
    run, (chunk,) = planned(system, answered("yes", "no"), PYTHON, model=None)

    def answer(asked: dict[str, Any]) -> Any:
        if asked["sample"]["output_text"] == "no":
            raise ReadTimeoutError(endpoint_url="https://lambda")
        return parsed(200, HONEST)

    function(answer)
    grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (2, 1, 0, 1)
    assert "did not answer" in results(run)[1]["sample"]["error"]["message"]


def test_a_function_out_of_reach_is_not(
    system: System, context: Any, function: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    monkeypatch.setattr(grading.grade, "_RETRY_S", 0.1)
    run, (chunk,) = planned(system, answered("yes"), PYTHON, model=None)

    def answer(_: dict[str, Any]) -> Any:
        raise EndpointConnectionError(endpoint_url="https://lambda")

    function(answer)
    grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (0, 0, 0, 0)
    assert len(clock.waiting()) == 1


def test_a_function_that_ended_once_is_asked_again(system: System, context: Any, function: Any) -> None:
    run, (chunk,) = planned(system, answered("yes"), PYTHON, model=None)
    answers = iter([parsed(200, {"errorType": "Sandbox.Timedout"}, failed=True), parsed(200, HONEST)])
    function(lambda _: next(answers))
    grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (1, 1, 0, 0)


def test_what_the_deploy_did_wrong_is_nobody_s_grade(system: System, context: Any, function: Any) -> None:
    run, (chunk,) = planned(system, answered("yes"), PYTHON, model=None)
    function(lambda _: parsed(403, error="AccessDeniedException"))
    with pytest.raises(Exception, match="AccessDenied"):
        grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (0, 0, 0, 0)


def test_without_time_for_a_source_that_does_not_end_none_is_started(
    system: System, context: Context, function: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    run, (chunk,) = planned(system, answered("yes"), PYTHON, model=None)
    asked = function(lambda _: parsed(200, HONEST))
    context.left_ms = int(sandbox.WALL_S * 1000)
    grade_chunk(chunk, context, Counting())
    assert not asked
    context.left_ms = 60_000
    [again] = clock.waiting()
    grade_chunk(again, context, Counting())
    assert counts(run.id) == (1, 1, 0, 0)


def test_a_row_larger_than_a_call_is_errored(system: System, context: Any, function: Any) -> None:
    asked = function(lambda _: parsed(200, HONEST))
    run, (chunk,) = planned(system, answered("yes"), PYTHON, model=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "_LARGEST", 100)
        grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (1, 0, 0, 1)
    assert "at most 100" in results(run)[0]["sample"]["error"]["message"]
    assert not asked


def test_few_rows_are_graded_at_once_and_the_same_row_once(system: System, context: Any, function: Any) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def answer(_: dict[str, Any]) -> Any:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        return parsed(200, HONEST)

    asked = function(answer)
    rows = [with_sample(row(n % 40), "yes") for n in range(50)]
    run, (chunk,) = planned(system, rows, PYTHON, model=None)
    grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (50, 50, 0, 0)
    assert 1 < most[0] <= 10
    assert len(asked) == 40
    assert {request["limits"]["wall_s"] for request in asked} == {sandbox.WALL_S}


def test_the_function_takes_the_very_call_that_is_made(system: System, context: Any, function: Any) -> None:
    run, (chunk,) = planned(system, answered("yes"), PYTHON, model=None)
    asked = function(lambda event: parsed(200, called(event)[0]))
    grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (1, 1, 0, 0)
    assert set(asked[0]) == {"source", "sample", "item", "limits"}
