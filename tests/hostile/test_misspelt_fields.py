"""A misspelt field or parameter never widens the scope in silence: it is refused with the nearest valid name.
A retention policy over everything is asked for in so many words.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.distilling import build
from tests.flow.system import System
from tests.hostile import acts


def refused(answered: tuple[int, Any], wrong: str, nearest: str) -> None:
    status, answer = answered
    assert status == 400, (status, answer)
    assert wrong in answer["error"]["param"], answer
    assert nearest in answer["error"]["message"], answer


@pytest.mark.parametrize(
    ("body", "wrong", "nearest"),
    [
        ({"retention_days": 1, "metdata": {"team": "a"}}, "metdata", "metadata"),
        ({"retention_days": 1, "modle": "gpt-4o"}, "modle", "model"),
        ({"retention_days": 1, "model": "gpt-4o", "retention_day": 9}, "retention_day", "retention_days"),
    ],
)
def test_a_misspelt_retention_policy_keeps_everything(
    body: dict[str, Any], wrong: str, nearest: str, shared: System
) -> None:
    before = shared.ok("GET", "/v1/retention_policies?limit=100")["data"]
    refused(shared.call("POST", "/v1/retention_policies", body), wrong, nearest)
    assert shared.ok("GET", "/v1/retention_policies?limit=100")["data"] == before


@pytest.mark.parametrize(
    "body",
    [
        {"retention_days": 1},
        {"retention_days": 1, "metadata": {}},
        {"retention_days": 1, "model": None},
        {"retention_days": 1, "model": ""},
        {"retention_days": 1, "all": False},
    ],
)
def test_a_policy_over_everything_wants_all(body: dict[str, Any], shared: System) -> None:
    status, answer = shared.call("POST", "/v1/retention_policies", body)
    assert status == 400, answer
    assert "all" in answer["error"]["message"]


def test_a_policy_over_everything_is_made_when_all_is_said(shared: System) -> None:
    status, answer = shared.call("POST", "/v1/retention_policies", {"retention_days": 36_500, "all": True})
    assert status in {200, 201}, answer
    assert answer["all"] is True


@pytest.mark.parametrize("both", [{"model": "gpt-4o"}, {"metadata": {"team": "a"}}])
def test_all_and_a_scope_contradict_each_other(both: dict[str, Any], shared: System) -> None:
    status, answer = shared.call("POST", "/v1/retention_policies", {"retention_days": 36_500, "all": True, **both})
    assert (status, acts.refusal(answer)["param"]) == (400, "all"), answer


QUERIES = [
    ("modell=gpt-4o", "modell", "model"),
    ("modle=gpt-4o", "modle", "model"),
    ("metdata[feature]=x", "metdata", "metadata"),
    ("metadata.feature=x", "metadata.feature", "metadata[feature]"),
    ("metadata[feature=x", "metadata[feature", "metadata[feature]"),
    ("created_afer=1", "created_afer", "created_after"),
    ("has_eror=true", "has_eror", "has_error"),
    ("Model=gpt-4o", "Model", "model"),
]


@pytest.mark.parametrize(("query", "wrong", "nearest"), QUERIES)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/usage", "/v1/exports/completions"])
def test_a_misspelt_condition_lists_nothing(path: str, query: str, wrong: str, nearest: str, shared: System) -> None:
    refused(shared.call("GET", f"{path}?metadata[team]=a&{query}"), wrong, nearest)


@pytest.mark.parametrize(
    ("path", "wrong", "nearest"),
    [
        ("/v1/usage?groupby=day", "groupby", "group_by"),
        ("/v1/evals?oder=desc", "oder", "order"),
        ("/v1/evals?orderby=updated_at", "orderby", "order_by"),
        ("/v1/files?purpos=evals", "purpos", "purpose"),
        ("/v1/evals/{eval}/runs?state=failed", "state", "status"),
        ("/v1/evals/{eval}/runs/{run}/output_items?statu=fail", "statu", "status"),
        ("/v1/evals/{eval}/runs/{run}/slices?bye=team", "bye", "by"),
        ("/v1/evals/{eval}/runs/{run}/comparison?baselin=x", "baselin", "baseline"),
        ("/v1/evals/{eval}/power?diference=0.1", "diference", "difference"),
        ("/v1/keys?afte=x", "afte", "after"),
    ],
)
def test_a_misspelt_parameter_is_refused(path: str, wrong: str, nearest: str, shared: System) -> None:
    if not shared.ok("GET", "/v1/evals")["data"]:
        acts.graded(shared, acts.new_eval(shared), acts.inline())
    eval_id = shared.ok("GET", "/v1/evals")["data"][0]["id"]
    run_id = shared.ok("GET", f"/v1/evals/{eval_id}/runs")["data"][0]["id"]
    refused(shared.call("GET", path.format(eval=eval_id, run=run_id)), wrong, nearest)


@pytest.mark.parametrize(
    ("change", "wrong", "nearest"),
    [
        ({"train": {**build.source("train"), "metdata": {"team": "a"}}}, "train.metdata", "metadata"),
        ({"test": {**build.source("test"), "created_befor": 5}}, "test.created_befor", "created_before"),
        ({"studnet": "lab-small"}, "studnet", "student"),
        ({"hyperparameter": {"n_epochs": 1}}, "hyperparameter", "hyperparameters"),
        ({"gate": {"max_cost_us": 1}}, "gate.max_cost_us", "max_cost_usd"),
    ],
    ids=["train", "test", "student", "hyperparameters", "gate"],
)
def test_a_misspelt_field_of_a_distillation_is_refused(
    change: dict[str, Any], wrong: str, nearest: str, shared: System
) -> None:
    build.captured(shared, [build.record(n, f"q{n}", split=split) for n, split in enumerate(("test", "train") * 12)])
    body = {
        "name": "misspelt",
        "eval_id": acts.new_eval(shared),
        "test": build.source("test"),
        "train": build.source("train"),
        "teacher": build.TEACHER,
        "student": "lab-small",
        **change,
    }
    refused(shared.call("POST", "/v1/distillations", body), wrong, nearest)


@pytest.mark.parametrize(
    ("path", "body", "wrong", "nearest"),
    [
        ("/v1/filters", {"name": "f", "filter": {"model": "m"}, "metdata": {}}, "metdata", "filter"),
        ("/v1/filters", {"name": "f", "filter": {"metdata": {"a": "b"}}}, "filter.metdata", "metadata"),
        ("/v1/keys", {"name": "k", "scopes": ["read"], "metdata": {}}, "metdata", "metadata"),
        ("/v1/keys", {"name": "k", "scopes": ["read"], "fallback": "m"}, "fallback", "fallback_model"),
    ],
    ids=["filter-field", "condition", "key-tag", "key-fallback"],
)
def test_a_misspelt_field_of_ours_is_refused(
    path: str, body: dict[str, Any], wrong: str, nearest: str, shared: System
) -> None:
    refused(shared.call("POST", path, body), wrong, nearest)


@pytest.mark.parametrize(
    "source",
    [
        {"type": "stored_completions", "metdata": {"team": "a"}},
        {"type": "stored_completions", "modell": "gpt-4o"},
        {"type": "stored_completions", "metadata": {"team": "a"}, "created_afer": 5},
        {"type": "stored_completions", "limits": 5},
    ],
    ids=["metdata", "modell", "created_afer", "limits"],
)
def test_a_near_miss_of_a_filter_is_refused_on_the_routes_of_openai_too(source: dict[str, Any], shared: System) -> None:
    acts.push(shared, acts.record("chatcmpl-1", metadata={"team": "a"}))
    wrong = next(name for name in source if name not in {"type", "metadata"})
    body = {"data_source": {"type": "completions", "source": source}}
    answered = shared.call("POST", f"/v1/evals/{acts.new_eval(shared)}/runs", body)
    refused(answered, wrong, wrong[:5].replace("metda", "metad"))


def test_a_misspelt_tag_map_of_a_push_is_refused(shared: System) -> None:
    status, answer = acts.push(shared, acts.record("chatcmpl-tags", metdata={"team": "a"}))
    assert status == 400, answer
    assert answer["error"]["param"] == "metdata"
    assert "metadata" in answer["error"]["message"]
