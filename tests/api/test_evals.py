"""Evals as the SDK makes and reads them, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from tests.api.evals import CHECK, CONFIG, JUDGE, create
from tests.flow.system import System


def test_an_eval_is_created_and_read_back(client: OpenAI) -> None:
    made = create(client, CHECK, JUDGE, name="triage", metadata={"team": "mail"})
    assert made.object == "eval"
    assert made.id.startswith("eval_")
    assert (made.name, made.metadata) == ("triage", {"team": "mail"})
    schema = made.data_source_config.schema_
    assert schema["properties"]["item"] == CONFIG["item_schema"]
    assert schema["required"] == ["item", "sample"]
    first, second = (criterion.model_dump() for criterion in made.testing_criteria)
    assert first["id"].startswith("correct-")
    assert first.items() >= CHECK.items()
    assert second["labels"] == JUDGE["labels"]
    assert client.evals.retrieve(made.id).model_dump() == made.model_dump()


def test_creating_answers_201(system: System) -> None:
    body = {"data_source_config": CONFIG, "testing_criteria": [CHECK]}
    status, made = system.call("POST", "/v1/evals", body)
    assert (status, made["name"]) == (201, made["id"])
    assert made["metadata"] is None


@pytest.mark.parametrize("kind", ["stored_completions", "logs"])
def test_an_eval_of_stored_completions_says_its_filter(kind: str, client: OpenAI) -> None:
    config: Any = {"type": kind, "metadata": {"tag": "a"}}
    made = client.evals.create(data_source_config=config, testing_criteria=[CHECK])  # type: ignore[list-item]
    answered = made.data_source_config.model_dump()
    assert (answered["type"], answered["metadata"]) == (kind, {"tag": "a"})


def test_evals_are_listed_page_by_page_in_both_orders(client: OpenAI) -> None:
    made = [create(client, name=str(number)).id for number in range(5)]
    listed = [eval_.id for eval_ in client.evals.list(limit=2)]
    assert sorted(listed) == sorted(made)
    assert [eval_.id for eval_ in client.evals.list(limit=2, order="desc")] == listed[::-1]
    assert [eval_.id for eval_ in client.evals.list(after=listed[1], limit=1)] == listed[2:]
    assert client.evals.list(after="after").data == []


def test_an_unknown_eval_is_not_found(client: OpenAI) -> None:
    with pytest.raises(NotFoundError) as refusal:
        client.evals.retrieve("eval_nobody")
    assert (refusal.value.param, refusal.value.code) == ("eval_id", "not_found")


def test_a_judge_that_the_provider_does_not_have_is_refused(client: OpenAI) -> None:
    with pytest.raises(NotFoundError) as refusal:
        create(client, CHECK, {**JUDGE, "model": "nobody"})
    assert (refusal.value.code, refusal.value.param) == ("model_not_found", "testing_criteria[1].model")
    assert client.evals.list().data == []


def test_a_judge_that_is_an_alias_is_its_main_model_for_ever(system: System) -> None:
    targets = [{"model": "lab-small", "weight": 1}, {"model": "lab-judge", "weight": 9}]
    system.ok("PUT", "/v1/aliases/our-judge", {"targets": targets})
    inner = {**JUDGE, "name": "a", "model": "our-judge"}
    several = {"type": "multi", "name": "m", "graders": {"a": inner}, "calculate_output": "a", "pass_threshold": 0.5}
    body = {"data_source_config": CONFIG, "testing_criteria": [{**JUDGE, "model": "our-judge"}, several]}
    made = system.ok("POST", "/v1/evals", body)
    system.ok("PUT", "/v1/aliases/our-judge", {"targets": targets[:1]})
    plain, multi = system.ok("GET", f"/v1/evals/{made['id']}")["testing_criteria"]
    assert (plain["model"], multi["graders"]["a"]["model"]) == ("lab-judge", "lab-judge")
    grader = {"grader": {**JUDGE, "model": "our-judge"}}
    assert system.ok("POST", "/v1/fine_tuning/alpha/graders/validate", grader)["grader"] == grader["grader"]


def message(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


SWAP = {"first": "item.reference", "second": "sample.output_text", "labels": {"correct": "incorrect"}}
BAD = {
    "no criteria": ({"testing_criteria": []}, "testing_criteria"),
    "no configuration": ({"data_source_config": None}, "data_source_config"),
    "an unknown source": ({"data_source_config": {"type": "moon"}}, "data_source_config"),
    "no schema": ({"data_source_config": {"type": "custom"}}, "data_source_config.item_schema"),
    "an unknown grader": ({"testing_criteria": [{"type": "guess", "name": "x"}]}, "testing_criteria[0]"),
    "no operation": (
        {"testing_criteria": [CHECK, {**CHECK, "operation": None}]},
        "testing_criteria[1].operation",
    ),
    "no labels": ({"testing_criteria": [{**JUDGE, "labels": []}]}, "testing_criteria[0].labels"),
    "passing is no label": ({"testing_criteria": [{**JUDGE, "passing_labels": ["yes"]}]}, "testing_criteria[0]"),
    "a criterion without name": ({"testing_criteria": [{**CHECK, "name": ""}]}, "testing_criteria[0].name"),
    "a place that is no path, beside a swap": (
        {"testing_criteria": [{**JUDGE, "input": [*JUDGE["input"], message("{{ item.. }}")], "swap": SWAP}]},
        "testing_criteria[0]",
    ),
    "a role that is a list": (
        {"testing_criteria": [{**JUDGE, "input": [{"role": ["x"], "content": "Judge."}]}]},
        "testing_criteria[0].input",
    ),
    "a part of unknown type": (
        {"testing_criteria": [{**JUDGE, "input": [message([{"type": "video"}])]}]},
        "testing_criteria[0].input",
    ),
    "two criteria of one id": (
        {"testing_criteria": [{**CHECK, "id": "one"}, {**JUDGE, "id": "one"}]},
        "testing_criteria[1].id",
    ),
    "a number in metadata": ({"metadata": {"a": 1}}, "metadata.a"),
    "17 pairs": ({"metadata": {str(n): "v" for n in range(17)}}, "metadata"),
    "an endless value": ({"metadata": {"a": "v" * 513}}, "metadata.a"),
    "an endless key": ({"metadata": {"k" * 65: "v"}}, "metadata"),
    "name is a number": ({"name": 5}, "name"),
}


def test_a_bad_eval_is_refused_naming_its_field(system: System) -> None:
    wrong = {}
    for case, (fields, param) in BAD.items():
        body = {"data_source_config": CONFIG, "testing_criteria": [CHECK], **fields}
        status, refusal = system.call("POST", "/v1/evals", {k: v for k, v in body.items() if v is not None})
        named = str(refusal.get("error", {}).get("param"))
        if status != 400 or not named.startswith(param):
            wrong[case] = (status, named)
    assert wrong == {}
    assert system.ok("GET", "/v1/evals")["data"] == []


def test_a_bad_request_reaches_the_sdk_as_its_error(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as refusal:
        client.evals.create(data_source_config=CONFIG, testing_criteria=[])  # type: ignore[arg-type]
    assert (refusal.value.type, refusal.value.param) == ("invalid_request_error", "testing_criteria")


def test_an_eval_is_renamed_and_keeps_the_rest(client: OpenAI) -> None:
    made = create(client, name="old", metadata={"a": "b"})
    renamed = client.evals.update(made.id, name="new")
    assert (renamed.name, renamed.metadata) == ("new", {"a": "b"})
    assert client.evals.update(made.id, metadata=None).metadata is None
    last = client.evals.retrieve(made.id)
    assert (last.name, last.metadata, last.testing_criteria) == ("new", None, made.testing_criteria)
    with pytest.raises(BadRequestError):
        client.evals.update(made.id, metadata={"a": "v" * 513})


def test_evals_are_listed_by_their_last_update(client: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_790_000_000, 1_790_000_100))
    monkeypatch.setattr("api.evals.now", lambda: next(clock))
    made = [create(client, name=str(number)).id for number in range(4)]
    client.evals.update(made[1], name="touched")
    expected = [made[0], made[2], made[3], made[1]]
    assert [eval_.id for eval_ in client.evals.list(order_by="updated_at", limit=2)] == expected
    assert [eval_.id for eval_ in client.evals.list(order_by="updated_at", order="desc", limit=3)] == expected[::-1]
    assert [eval_.id for eval_ in client.evals.list(order_by="created_at")] == made
    assert client.evals.list(order_by="updated_at", after="after").data == []
    with pytest.raises(BadRequestError) as refusal:
        client.evals.list(order_by="name")  # type: ignore[arg-type]
    assert refusal.value.param == "order_by"


def test_a_deleted_eval_is_gone(client: OpenAI) -> None:
    made, other = create(client), create(client)
    gone = client.evals.delete(made.id)
    assert gone.model_dump() == {"object": "eval.deleted", "deleted": True, "eval_id": made.id}
    for call in (client.evals.retrieve, client.evals.delete, client.evals.runs.list):
        with pytest.raises(NotFoundError):
            call(made.id)
    assert [eval_.id for eval_ in client.evals.list()] == [other.id]


def test_an_eval_too_large_for_the_table_is_refused(system: System) -> None:
    config = {**CONFIG, "item_schema": {"type": "object", "description": "x" * 400_000}}
    status, refusal = system.call("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": [CHECK]})
    assert (status, refusal["error"]["code"]) == (413, "eval_too_large")
