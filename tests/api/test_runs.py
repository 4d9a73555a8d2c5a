"""Runs as the SDK makes and reads them: every data source, both graders, counts, usage, output items."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import httpx
import pytest
from openai import BadRequestError, ConflictError, NotFoundError, OpenAI

from evals.output_items import ROWS_A_CHUNK
from evals.run import Run
from foundation import blobs, table
from tests.api.evals import CHECK, FINE, JUDGE, begun, counts, create, inline, run
from tests.capture import responses
from tests.flow import loop
from tests.flow.system import System

USER = [{"role": "user", "content": "Label this mail: {{ item.input[1].content }}"}]


def capture(system: System, count: int, *, wrong: tuple[int, ...] = (), tag: str = "r") -> list[str]:
    """Completions of the teacher, wrong in some places; their ids."""
    records = [loop.record(number, split="test", tag=tag) for number in range(count)]
    for number in wrong:
        records[number]["response"]["choices"][0]["message"]["content"] = "nonsense"
    pushed = system.ok("POST", "/v1/captures", records)
    system.settle()
    ids: list[str] = pushed["ids"]
    return ids


def stored(tag: str = "r", **fields: Any) -> dict[str, Any]:
    source = {"type": "stored_completions", "metadata": {"tag": tag}, **fields}
    return {"type": "completions", "source": source}


def teach(system: System, model: str, answers: dict[int, str]) -> None:
    """Let the lab replay these answers of `model` to the loop's mails."""
    rows = [{"messages": loop.messages(number), "answers": {model: text}} for number, text in answers.items()]
    body = "\n".join(json.dumps(row) for row in rows)
    httpx.post(f"{system.lab}/lab/recordings", content=body).raise_for_status()


def items(client: OpenAI, run: Any, **wanted: Any) -> list[Any]:
    return list(client.evals.runs.output_items.list(run.id, eval_id=run.eval_id, **wanted))


def usage(run: Any) -> dict[str, tuple[int, int, int, int]]:
    return by_model(run.per_model_usage)


def answers(run: Any) -> dict[str, tuple[int, int, int, int]]:
    """What the graded answers took, whoever paid for them."""
    return by_model(Run.load(run.id).answer_usage)


def by_model(usages: Any) -> dict[str, tuple[int, int, int, int]]:
    return {
        usage.model_name: (usage.invocation_count, usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
        for usage in usages
    }


def lab_calls(system: System) -> Counter[str]:
    return Counter(loop.lab_calls(system)["chat"])


def test_stored_answers_are_graded_as_they_were_given(client: OpenAI, system: System) -> None:
    ids = capture(system, 7, wrong=(2, 5))
    before = lab_calls(system)
    eval_ = create(client)
    ended = run(client, system, eval_.id, stored(), name="as stored", metadata={"who": "me"})
    assert ended.status == "completed"
    assert (ended.name, ended.metadata, ended.error) == ("as stored", {"who": "me"}, None)
    assert counts(ended) == (7, 5, 2, 0)
    assert (usage(ended), answers(ended)) == ({}, {loop.TEACHER: (7, 140, 7, 147)}), "whoever asked it has paid"
    (criterion,) = ended.per_testing_criteria_results
    assert (criterion.testing_criteria, criterion.passed, criterion.failed) == (
        eval_.testing_criteria[0].model_dump()["id"],
        5,
        2,
    )
    graded = items(client, ended)
    assert [item.datasource_item["completion_id"] for item in graded] == ids
    assert [item.datasource_item_id for item in graded] == list(range(7))
    assert [item.status for item in graded] == ["pass", "pass", "fail", "pass", "pass", "fail", "pass"]
    assert graded[2].sample.output[0].content == "nonsense"
    assert lab_calls(system) == before


def test_a_filter_and_its_limit_choose_the_rows(client: OpenAI, system: System) -> None:
    ids = capture(system, 6)
    eval_ = create(client)
    times = {"created_after": 1_790_000_001, "created_before": 1_790_000_004}
    for fields, expected in (({"limit": 2}, ids[:2]), (times, ids[1:5]), ({"model": loop.TEACHER}, ids)):
        ended = run(client, system, eval_.id, stored(**fields))
        assert [item.datasource_item["completion_id"] for item in items(client, ended)] == expected


@pytest.mark.parametrize("how", ["item_reference", "default"])
def test_stored_prompts_are_sampled_again(how: str, client: OpenAI, system: System) -> None:
    capture(system, 5)
    teach(system, f"again-{how}", {0: "billing", 1: "login", 2: "billing", 3: "billing", 4: "wrong"})
    source = {**stored(), "model": f"again-{how}"}
    if how == "item_reference":
        source["input_messages"] = {"type": "item_reference", "item_reference": "item.input"}
    before = lab_calls(system)
    ended = run(client, system, create(client).id, source)
    assert ended.model == f"again-{how}"
    assert counts(ended) == (5, 3, 2, 0)
    assert lab_calls(system) - before == {f"again-{how}": 5}
    sampled = items(client, ended)
    assert [item.sample.output[0].content for item in sampled] == ["billing", "login", "billing", "billing", "wrong"]
    assert {item.sample.model for item in sampled} == {f"again-{how}"}
    booked = [item.sample.usage for item in sampled]
    total = (
        5,
        sum(usage.prompt_tokens for usage in booked),
        sum(usage.completion_tokens for usage in booked),
        sum(usage.total_tokens for usage in booked),
    )
    assert total[1] > 5
    assert usage(ended) == {f"again-{how}": total}


def test_a_template_makes_the_prompt_of_each_row(client: OpenAI, system: System) -> None:
    capture(system, 3)
    texts = [loop.messages(number)[1]["content"] for number in range(3)]
    rows = [
        {"messages": [{"role": "user", "content": f"Label this mail: {text}"}], "answers": {"templated": label}}
        for text, label in zip(texts, loop.LABELS, strict=True)
    ]
    body = "\n".join(json.dumps(row) for row in rows)
    httpx.post(f"{system.lab}/lab/recordings", content=body).raise_for_status()
    template = {"type": "template", "template": USER}
    ended = run(client, system, create(client).id, {**stored(), "model": "templated", "input_messages": template})
    assert counts(ended) == (3, 3, 0, 0)


def test_rows_given_inline_are_graded_with_their_own_samples(client: OpenAI, system: System) -> None:
    rows = [
        {"item": {"reference": "yes"}, "sample": {"output_text": "yes"}},
        {"item": {"reference": "yes"}, "sample": {"output_text": "no"}},
        {"item": {"reference": 7}, "sample": {"output_text": "7"}},
    ]
    ended = run(client, system, create(client).id, inline(*rows))
    assert counts(ended) == (3, 2, 1, 0)
    assert usage(ended) == {}
    assert [item.sample.output[0].content for item in items(client, ended)] == ["yes", "no", "7"]


def test_rows_given_inline_are_sampled_where_a_model_is_named(client: OpenAI, system: System) -> None:
    teach(system, "inline-model", {0: "billing", 1: "shipping"})
    rows = [{"item": {"input": loop.messages(n), "reference": loop.LABELS[n]}} for n in range(2)]
    ended = run(client, system, create(client).id, inline(*rows, kind="completions", model="inline-model"))
    assert counts(ended) == (2, 1, 1, 0)


def test_a_judge_grades_and_its_calls_are_booked(client: OpenAI, system: System) -> None:
    capture(system, 4, wrong=(3,))
    before = lab_calls(system)
    eval_ = create(client, CHECK, JUDGE)
    ended = run(client, system, eval_.id, stored())
    assert counts(ended) == (4, 3, 1, 0)
    asked = lab_calls(system) - before
    assert asked == {"lab-judge": 4}
    booked = usage(ended)
    judgements = [item.results[1].model_dump() for item in items(client, ended)]
    assert [item["sample"]["label"] for item in judgements] == ["correct", "correct", "correct", "incorrect"]
    assert [item["score"] for item in judgements] == [1.0, 1.0, 1.0, 0.0]
    spent = [item["sample"]["usage"] for item in judgements]
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    assert booked == {"lab-judge": (4, *(sum(usage[name] for usage in spent) for name in names))}
    assert answers(ended) == {loop.TEACHER: (4, 80, 4, 84)}


def test_an_item_passes_when_every_criterion_does(client: OpenAI, system: System) -> None:
    loose = {**CHECK, "name": "contains", "operation": "ilike"}
    rows = [{"item": {"reference": "yes"}, "sample": {"output_text": text}} for text in ("yes", "YES, sure", "no")]
    ended = run(client, system, create(client, CHECK, loose).id, inline(*rows))
    assert counts(ended) == (3, 1, 2, 0)
    by_criterion = [(criterion.passed, criterion.failed) for criterion in ended.per_testing_criteria_results]
    assert by_criterion == [(1, 2), (2, 1)]


def test_a_row_that_cannot_be_sampled_or_graded_is_errored_with_the_reason(client: OpenAI, system: System) -> None:
    capture(system, 3)
    teach(system, "half", {0: "billing", 2: "shipping"})
    ended = run(client, system, create(client).id, {**stored(), "model": "half"})
    assert ended.status == "completed"
    assert counts(ended) == (3, 2, 0, 1)
    broken = items(client, ended, status="fail")
    assert [item.datasource_item_id for item in broken] == [1]
    assert broken[0].sample.error.code == "provider_404"
    assert "No answer of 'half'" in broken[0].sample.error.message
    assert usage(ended)["half"][0] == 2

    missing = {"item": {"other": 1}, "sample": {"output_text": "yes"}}
    fine = {"item": {"reference": "yes"}, "sample": {"output_text": "yes"}}
    ended = run(client, system, create(client).id, inline(missing, fine))
    assert counts(ended) == (2, 1, 0, 1)
    (broken,) = items(client, ended, status="fail")
    assert broken.results[0].sample["error"]["code"] == "invalid_variable_error"
    assert "reference" in broken.results[0].sample["error"]["message"]


def test_a_sample_that_is_missing_is_an_error_and_not_an_empty_answer(client: OpenAI, system: System) -> None:
    ended = run(client, system, create(client).id, inline({"item": {"reference": "yes"}}))
    assert counts(ended) == (1, 0, 0, 1)


def test_runs_are_listed_page_by_page_and_by_status(client: OpenAI, system: System) -> None:
    eval_ = create(client)
    fine = {"item": {"reference": "yes"}, "sample": {"output_text": "yes"}}
    made = [client.evals.runs.create(eval_.id, data_source=inline(fine)).id for _ in range(5)]  # type: ignore[arg-type]
    system.settle()
    waiting = client.evals.runs.create(eval_.id, data_source=inline(fine)).id  # type: ignore[arg-type]
    other = create(client)
    client.evals.runs.create(other.id, data_source=inline(fine))  # type: ignore[arg-type]
    listing = client.evals.runs.list
    every = [run.id for run in listing(eval_.id, limit=2)]
    assert sorted(every) == sorted([*made, waiting])
    assert [run.id for run in listing(eval_.id, limit=2, order="desc")] == every[::-1]
    assert [run.id for run in listing(eval_.id, after=every[3])] == every[4:]
    completed = [run.id for run in listing(eval_.id, status="completed", limit=2)]
    assert sorted(completed) == sorted(made)
    for limit in (1, 2, 100):  # also where whole pages hold none of this status
        assert [run.id for run in listing(eval_.id, status="queued", limit=limit)] == [waiting]
    assert listing(eval_.id, status="failed").data == []


def test_output_items_are_paged_filtered_and_read_alone(client: OpenAI, system: System) -> None:
    texts = ["yes" if number % 3 else "no" for number in range(60)]
    rows = [{"item": {"reference": "yes", "n": n}, "sample": {"output_text": text}} for n, text in enumerate(texts)]
    ended = run(client, system, create(client).id, inline(*rows))
    assert counts(ended) == (60, 40, 20, 0)
    every = items(client, ended, limit=7)
    assert [item.datasource_item["n"] for item in every] == list(range(60))
    assert len({item.id for item in every}) == 60
    backwards = items(client, ended, limit=11, order="desc")
    assert [item.id for item in backwards] == [item.id for item in every][::-1]
    failed = items(client, ended, status="fail", limit=3)
    assert [item.datasource_item["n"] for item in failed] == list(range(0, 60, 3))
    passed = items(client, ended, status="pass", limit=100)
    assert len(passed) == 40
    behind = items(client, ended, after=every[51].id)
    assert [item.id for item in behind] == [item.id for item in every[52:]]
    reading = client.evals.runs.output_items
    assert reading.list(ended.id, eval_id=ended.eval_id, after="after").data == []
    page = reading.list(ended.id, eval_id=ended.eval_id, limit=60)
    assert (len(page.data), page.has_more) == (60, False)
    alone = reading.retrieve(every[53].id, eval_id=ended.eval_id, run_id=ended.id)
    assert alone.model_dump() == every[53].model_dump()
    assert (alone.object, alone.run_id, alone.status) == ("eval.run.output_item", ended.id, "pass")


def test_a_run_says_how_far_it_is(client: OpenAI, system: System) -> None:
    rows = [{"item": {"reference": "yes"}, "sample": {"output_text": "yes"}} for _ in range(60)]
    eval_ = create(client)
    made = client.evals.runs.create(eval_.id, data_source=inline(*rows))  # type: ignore[arg-type]
    system.deliver("PLAN")
    begun = client.evals.runs.retrieve(made.id, eval_id=eval_.id)
    assert (begun.status, counts(begun)) == ("in_progress", (0, 0, 0, 0))
    system.settle()
    ended = client.evals.runs.retrieve(made.id, eval_id=eval_.id)
    assert (ended.status, counts(ended)) == ("completed", (60, 60, 0, 0))


def test_unknown_ids_name_their_parameter(client: OpenAI, system: System) -> None:
    fine = {"item": {"reference": "yes"}, "sample": {"output_text": "yes"}}
    eval_, other = create(client), create(client)
    ended = run(client, system, eval_.id, inline(fine))
    runs, output_items = client.evals.runs, client.evals.runs.output_items
    for call, param in (
        (lambda: runs.create("eval_nobody", data_source=inline(fine)), "eval_id"),  # type: ignore[arg-type]
        (lambda: runs.list("eval_nobody"), "eval_id"),
        (lambda: runs.retrieve("evalrun_nobody", eval_id=eval_.id), "run_id"),
        (lambda: runs.retrieve(ended.id, eval_id=other.id), "run_id"),
        (lambda: output_items.list("evalrun_nobody", eval_id=eval_.id), "run_id"),
        (lambda: output_items.retrieve("outputitem_no", eval_id=eval_.id, run_id=ended.id), "output_item_id"),
    ):
        with pytest.raises(NotFoundError) as refusal:
            call()
        assert (refusal.value.param, refusal.value.code) == (param, "not_found")


def template(content: Any) -> dict[str, Any]:
    return {"type": "template", "template": [{"role": "user", "content": content}]}


def test_a_filter_that_selects_nothing_is_refused_with_where_to_look(client: OpenAI, system: System) -> None:
    capture(system, 1)
    with pytest.raises(BadRequestError, match=r"GET /v1/chat/completions shows what there is") as refusal:
        client.evals.runs.create(create(client).id, data_source=stored("nobody"))  # type: ignore[arg-type]
    assert refusal.value.code == "no_rows"


def test_what_could_never_run_is_refused_before_a_run_exists(client: OpenAI, system: System) -> None:
    capture(system, 2)
    fine = {"item": {"reference": "yes"}}
    bad: dict[str, tuple[dict[str, Any], int, str, str]] = {
        "unknown model": ({**stored(), "model": "nobody"}, 404, "data_source.model", "model_not_found"),
        "selects nothing": (stored("nobody"), 400, "data_source.source", "no_rows"),
        "no rows": (inline(), 400, "data_source", "invalid_value"),
        "no content": ({"type": "jsonl", "source": {"type": "file_content"}}, 400, "data_source", ""),
        "no item": (inline({"sample": {}}), 400, "data_source", "missing_required_parameter"),
        "unknown file": (
            {"type": "jsonl", "source": {"type": "file_id", "id": "file-nobody"}},
            404,
            "data_source.source.id",
            "not_found",
        ),
        "messages without a model": (
            {**stored(), "input_messages": {"type": "template", "template": USER}},
            400,
            "data_source.model",
            "missing_required_parameter",
        ),
        "a reference outside the item": (
            {
                **inline(fine, kind="completions", model="lab-small"),
                "input_messages": {"type": "item_reference", "item_reference": "sample.x"},
            },
            400,
            "data_source",
            "invalid_value",
        ),
        "a template without content": (
            {**stored(), "model": "lab-small", "input_messages": template(None)},
            400,
            "data_source.input_messages.template[0].content",
            "invalid_value",
        ),
        "an image without address": (
            {**stored(), "model": "lab-small", "input_messages": template([{"type": "input_image"}])},
            400,
            "data_source.input_messages.template[0].content",
            "invalid_value",
        ),
        **{
            f"sampled with {parameters}": (
                {**inline(fine, kind="responses", model="lab-small"), "sampling_params": parameters},
                400,
                f"data_source.sampling_params.{next(iter(parameters))}",
                "invalid_value",
            )
            for parameters in ({"text": "json"}, {"text": {"format": {"name": "x"}}}, {"tools": 5})
        },
        "an unknown type": ({"type": "moon"}, 400, "data_source", "invalid_value"),
        "limit 0": (stored(limit=0), 400, "data_source", "invalid_value"),
    }
    eval_ = create(client)
    wrong = {}
    for case, (source, status, param, code) in bad.items():
        answered, refusal = system.call("POST", f"/v1/evals/{eval_.id}/runs", {"data_source": source})
        error = refusal.get("error", {})
        if (answered, code or error.get("code")) != (status, error.get("code")) or not str(
            error.get("param")
        ).startswith(param):
            wrong[case] = (answered, error)
    assert wrong == {}
    assert client.evals.runs.list(eval_.id).data == []


def test_list_parameters_name_themselves(client: OpenAI, system: System) -> None:
    fine = {"item": {"reference": "yes"}, "sample": {"output_text": "yes"}}
    ended = run(client, system, create(client).id, inline(fine))
    runs = f"/v1/evals/{ended.eval_id}/runs"
    for path in ("/v1/evals", runs, f"{runs}/{ended.id}/output_items"):
        for name, value in (("order", "newest"), ("limit", "many")):
            status, refusal = system.call("GET", f"{path}?{name}={value}")
            assert (status, refusal["error"]["param"]) == (400, name), path


@pytest.mark.parametrize("path", ["/cancel", ""])
def test_a_canceled_run_stops_with_exact_counts(path: str, client: OpenAI, system: System) -> None:
    eval_ = create(client)
    made = begun(client, eval_.id)
    system.deliver("PLAN")
    graded = 0

    def only_one(_: str, call: Any) -> Any:
        nonlocal graded
        graded += 1
        if graded == 2:  # the first chunk is graded, the others wait
            answer = system.ok("POST", f"/v1/evals/{eval_.id}/runs/{made.id}{path}")
            assert (answer["object"], answer["status"]) == ("eval.run", "canceled")
        return call()

    system.around = only_one
    system.deliver("GRADE")
    system.settle()
    ended = client.evals.runs.retrieve(made.id, eval_id=eval_.id)
    assert ended.status == "canceled"
    item = items(client, ended)
    assert counts(ended) == (len(item), len(item), 0, 0)
    assert len(item) in {20, ROWS_A_CHUNK}
    assert [run.id for run in client.evals.runs.list(eval_.id, status="canceled")] == [made.id]
    assert blobs.find(f"runs/{made.id}/summary.json")
    assert not any(system.dead(name) for name in system.queues)
    again = client.evals.runs.cancel(made.id, eval_id=eval_.id)
    assert counts(again) == counts(ended)


def test_a_run_that_is_over_cannot_be_canceled(client: OpenAI, system: System) -> None:
    ended = run(client, system, create(client).id, inline(FINE))
    with pytest.raises(ConflictError) as refusal:
        client.evals.runs.cancel(ended.id, eval_id=ended.eval_id)
    assert refusal.value.code == "already_ended"
    assert system.headers["x-should-retry"] == "false"


def test_a_distillation_fails_when_its_run_is_canceled(client: OpenAI, system: System) -> None:
    loop.capture(system, "stop", train=24, test=6)
    started = loop.distill(system, "stop")
    system.deliver("DISTILLING")
    begun_ = loop.fetched(system, started["id"])
    assert begun_["status"] == "measuring"
    with pytest.raises(ConflictError) as refusal:
        client.evals.runs.delete(begun_["runs"]["baseline"], eval_id=begun_["eval_id"])
    assert refusal.value.code == "run_in_use"
    with pytest.raises(ConflictError):
        client.evals.delete(begun_["eval_id"])
    client.evals.runs.cancel(begun_["runs"]["baseline"], eval_id=begun_["eval_id"])
    system.settle()
    ended = loop.fetched(system, started["id"])
    assert (ended["status"], ended["error"]["code"]) == ("failed", "run_failed")
    assert "canceled" in ended["error"]["message"]


def test_a_deleted_run_leaves_nothing(client: OpenAI, system: System) -> None:
    eval_ = create(client)
    ended, waiting = run(client, system, eval_.id, inline(FINE)), begun(client, eval_.id)
    system.deliver("PLAN")
    for run_ in (ended, waiting):
        gone = client.evals.runs.delete(run_.id, eval_id=eval_.id)
        assert gone.model_dump() == {"object": "eval.run.deleted", "deleted": True, "run_id": run_.id}
        with pytest.raises(NotFoundError):
            client.evals.runs.retrieve(run_.id, eval_id=eval_.id)
    system.settle()
    assert client.evals.runs.list(eval_.id).data == []
    for run_ in (ended, waiting):
        assert list(blobs.keys(f"runs/{run_.id}/")) == []
        assert list(table.query(run_.id)) == []
    assert not any(system.dead(name) for name in system.queues)


def test_a_deleted_eval_ends_its_runs(client: OpenAI, system: System) -> None:
    eval_ = create(client)
    waiting = begun(client, eval_.id)
    system.deliver("PLAN")
    client.evals.delete(eval_.id)
    system.settle()
    assert list(table.query(waiting.id)) == []
    with pytest.raises(NotFoundError) as refusal:
        client.evals.runs.retrieve(waiting.id, eval_id=eval_.id)
    assert refusal.value.param == "eval_id"
    assert not any(system.dead(name) for name in system.queues)


def test_many_rows_given_inline_are_kept_as_a_file(client: OpenAI, system: System) -> None:
    rows = [{**FINE, "item": {"reference": "yes", "text": "x" * 5000}} for _ in range(120)]
    ended = run(client, system, create(client).id, inline(*rows))
    assert counts(ended) == (120, 120, 0, 0)
    file = client.files.retrieve(ended.data_source.source.id)
    assert (file.purpose, file.filename) == ("evals", f"{ended.id}.jsonl")


def test_the_evals_own_filter_narrows_its_runs(client: OpenAI, system: System) -> None:
    ids = capture(system, 2, tag="mine")
    capture(system, 3, tag="theirs")
    config: Any = {"type": "logs", "metadata": {"tag": "mine"}}
    eval_ = client.evals.create(data_source_config=config, testing_criteria=[CHECK])  # type: ignore[list-item]
    source = {"type": "completions", "source": {"type": "stored_completions", "metadata": {"split": "test"}}}
    ended = run(client, system, eval_.id, source)
    assert [item.datasource_item["completion_id"] for item in items(client, ended)] == ids
    assert ended.data_source.source.metadata == {"split": "test", "tag": "mine"}
    with pytest.raises(BadRequestError) as refusal:
        client.evals.runs.create(eval_.id, data_source=stored("theirs"))  # type: ignore[arg-type]
    assert (refusal.value.code, refusal.value.param) == ("no_rows", "data_source.source.metadata.tag")


def test_a_run_points_to_itself(client: OpenAI, system: System) -> None:
    ended = run(client, system, create(client).id, inline(FINE))
    assert ended.report_url == f"https://api.test/evals/{ended.eval_id}/runs/{ended.id}"


# ---------------------------------------------------------------- responses


def captured_responses(system: System) -> None:
    """Two responses and a chat completion, all with one tag."""
    tool = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
    pushed = [
        responses.record("one", "Hello?", instructions="Be Kind.", temperature=0.5, user="ann", tools=[tool]),
        responses.record("two", [responses.user("And you?")], reasoning={"effort": "low"}, top_p=0.9),
    ]
    for record in pushed:
        record["response"].pop("tools")
        record["metadata"] = {"tag": "resp"}
    system.ok("POST", "/v1/captures", [*pushed, loop.record(1, split="test", tag="resp")])
    system.settle()


def of_responses(**fields: Any) -> dict[str, Any]:
    source = {"type": "responses", "metadata": {"tag": "resp"}, "model": None, **fields}
    return {"type": "responses", "source": source}


def test_captured_responses_are_graded_as_they_were_given(client: OpenAI, system: System) -> None:
    captured_responses(system)
    check = {**CHECK, "reference": "answer {{ item.metadata.tag }}", "operation": "ne"}
    ended = run(client, system, create(client, check).id, of_responses())
    assert counts(ended) == (2, 2, 0, 0)
    first, second = items(client, ended)
    assert first.datasource_item["input"][0]["content"] == [{"type": "input_text", "text": "Hello?"}]
    assert second.datasource_item["input"] == [responses.user("And you?")]
    assert [run_.sample.output[0].content for run_ in (first, second)] == ["answer one", "answer two"]
    assert (usage(ended), answers(ended)) == ({}, {"gpt-5-2025-08-07": (2, 18, 10, 28)})


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"instructions_search": "kind"}, ["resp_one"]),
        ({"temperature": 0.5}, ["resp_one"]),
        ({"top_p": 0.9}, ["resp_two"]),
        ({"reasoning_effort": "low"}, ["resp_two"]),
        ({"tools": ["weather"]}, ["resp_one"]),
        ({"users": ["ann", "bob"]}, ["resp_one"]),
        ({"model": "gpt-5"}, ["resp_one", "resp_two"]),
        ({"limit": 1, "top_p": None}, ["resp_one"]),
    ],
)
def test_responses_are_chosen_by_what_they_say(
    asked: dict[str, Any], expected: list[str], client: OpenAI, system: System
) -> None:
    captured_responses(system)
    ended = run(client, system, create(client).id, of_responses(**asked))
    assert [item.datasource_item["completion_id"] for item in items(client, ended)] == expected


def test_no_fitting_response_ends_the_run_with_the_reason(client: OpenAI, system: System) -> None:
    captured_responses(system)
    ended = run(client, system, create(client).id, of_responses(users=["nobody"]))
    assert (ended.status, ended.error.code) == ("failed", "no_rows")


def test_stored_responses_are_sampled_again_by_chat(client: OpenAI, system: System) -> None:
    captured_responses(system)
    asked = [{"role": "system", "content": "Be Kind."}, {"role": "user", "content": "Hello?"}]
    body = json.dumps({"messages": asked, "answers": {"again-resp": "kindly"}})
    httpx.post(f"{system.lab}/lab/recordings", content=body).raise_for_status()
    reference = {"type": "item_reference", "item_reference": "item.input"}
    params = {"temperature": 0, "text": {"format": {"type": "text"}}}
    source = {**of_responses(limit=1), "model": "again-resp", "input_messages": reference, "sampling_params": params}
    ended = run(client, system, create(client).id, source)
    assert [item.sample.output[0].content for item in items(client, ended)] == ["kindly"]
    hosted = {**source, "sampling_params": {"tools": [{"type": "web_search"}]}}
    with pytest.raises(BadRequestError) as refusal:
        client.evals.runs.create(ended.eval_id, data_source=hosted)  # type: ignore[arg-type]
    assert refusal.value.param == "data_source.sampling_params.tools[0]"
