"""A first attempt and its retry make one object, in whatever order they arrive.
The record of a POST is written conditionally and before its object, so that who comes second finds it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from foundation.ids import now_ms
from tests.distilling import build
from tests.flow import system as flow
from tests.flow.system import KEY, FakeContext, System
from tests.hostile import acts


def post(system: System, path: str, body: dict[str, Any], *, retry: int, begun_ms: int) -> dict[str, Any]:
    """One attempt of the SDK: which it is, and when the API took it in."""
    import orjson

    headers = {"authorization": f"Bearer {KEY}", "x-stainless-retry-count": str(retry)}
    event = flow._http_event("POST", path, "", orjson.dumps(body), headers)
    event["requestContext"]["timeEpoch"] = begun_ms
    assert system
    answer = flow._route("POST", path)(event, FakeContext())
    assert answer["statusCode"] < 300, answer["body"]
    made: dict[str, Any] = orjson.loads(answer["body"])
    return made


def _eval(_: System) -> tuple[str, dict[str, Any]]:
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    return "/v1/evals", {"name": "one", "data_source_config": config, "testing_criteria": [acts.CHECK]}


def _run(system: System) -> tuple[str, dict[str, Any]]:
    return f"/v1/evals/{acts.new_eval(system)}/runs", {"name": "one", "data_source": acts.inline()}


def _calibration(system: System) -> tuple[str, dict[str, Any]]:
    rows = {"type": "file_content", "content": [{**acts.ROW, "human": True}]}
    return f"/v1/evals/{acts.new_eval(system)}/calibrations", {"criterion": "correct", "source": rows}


def _filter(_: System) -> tuple[str, dict[str, Any]]:
    return "/v1/filters", {"name": "one", "filter": {"model": "gpt-4o"}}


def _policy(_: System) -> tuple[str, dict[str, Any]]:
    return "/v1/retention_policies", {"retention_days": 9, "model": "gpt-4o"}


def _endpoint(_: System) -> tuple[str, dict[str, Any]]:
    return "/v1/webhook_endpoints", {"name": "one", "url": "https://e.test", "event_types": ["eval.run.failed"]}


def _file(_: System) -> tuple[str, dict[str, Any]]:
    return "/v1/files/presigned", {"filename": "rows.jsonl", "purpose": "evals", "bytes": 10}


def _distillation(system: System) -> tuple[str, dict[str, Any]]:
    build.captured(system, [build.record(n, f"q{n}", split=split) for n, split in enumerate(("test", "train") * 12)])
    body = {
        "name": "one",
        "eval_id": acts.new_eval(system),
        "test": build.source("test"),
        "train": build.source("train"),
        "teacher": build.TEACHER,
        "student": "lab-small",
    }
    return "/v1/distillations", body


MAKING = [_eval, _run, _calibration, _filter, _policy, _endpoint, _file, _distillation]


@pytest.mark.parametrize("asked", MAKING, ids=lambda asked: asked.__name__.strip("_"))
def test_a_retry_that_overtakes_its_first_attempt_makes_no_second_object(
    asked: Callable[[System], tuple[str, dict[str, Any]]], shared: System
) -> None:
    """The first attempt was slow before it wrote anything; its caller had given it up and asked again."""
    path, body = asked(shared)
    at = now_ms()
    retried = post(shared, path, body, retry=1, begun_ms=at)
    first = post(shared, path, body, retry=0, begun_ms=at - 800)
    assert first["id"] == retried["id"]


def test_two_retries_and_a_late_first_attempt_make_one_object(shared: System) -> None:
    path, body = _filter(shared)
    body = {**body, "name": "thrice"}
    at = now_ms()
    ids = {post(shared, path, body, retry=retry, begun_ms=at + retry)["id"] for retry in (1, 2, 0)}
    assert len(ids) == 1
    assert [
        filter_["id"] for filter_ in shared.ok("GET", "/v1/filters?limit=100")["data"] if filter_["name"] == "thrice"
    ] == [*ids]


def test_a_new_post_after_a_retry_is_another_object(shared: System) -> None:
    """A caller may want the same thing twice: only what began before the retry is taken for its first attempt."""
    path, body = _filter(shared)
    body = {**body, "name": "anew"}
    at = now_ms()
    retried = post(shared, path, body, retry=1, begun_ms=at)
    anew = post(shared, path, body, retry=0, begun_ms=at + 60_000)
    assert anew["id"] != retried["id"]
