"""What an output item shows of the question: the messages and parameters with which its row was sampled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from evals.eval import Eval
from evals.output_item import OutputItem
from evals.run import Run
from grading.calls import Calls
from grading.item import grade_row
from providers import ProviderRefused
from tests.flow.system import System
from tests.grading.build import CHECK, MODEL, Counting

TEMPLATE = {
    "type": "template",
    "template": [
        {"role": "developer", "content": "Answer yes or no."},
        {"role": "user", "content": "Is it {{ item.question }}?"},
    ],
}
RENDERED = [
    {"role": "developer", "content": "Answer yes or no."},
    {"role": "user", "content": "Is it late?"},
]
ROW = {"item": {"question": "late", "reference": "yes"}}


def graded(
    system: System, row: dict[str, Any], provider: Any, *, distillation_id: str | None = None, **source: Any
) -> dict[str, Any]:
    """The sample of the output item that this row becomes in a run with this data source."""
    config = {"type": "custom", "item_schema": {"type": "object"}}
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": [CHECK]})
    rows = {"type": "file_content", "content": [row]}
    body = {"data_source": {"type": "completions", "source": rows, **source}}
    run = Run.load(system.ok("POST", f"/v1/evals/{eval_['id']}/runs", body)["id"])
    run.distillation_id = distillation_id
    calls = Calls(f"runs/{run.id}/calls/", provider, 10)
    item = asyncio.run(grade_row(run, Eval.load(run.eval_id), 0, row, calls)).item
    return OutputItem.model_validate(item).sample


def shown(sample: dict[str, Any]) -> dict[str, Any]:
    return {name: sample[name] for name in ("temperature", "top_p", "seed", "max_completion_tokens")}


def test_a_sampled_row_shows_the_rendered_prompt_and_the_run_s_parameters(system: System) -> None:
    parameters = {"temperature": 0.2, "top_p": 0.9, "seed": 7, "max_completions_tokens": 50}
    source = {"model": MODEL, "input_messages": TEMPLATE, "sampling_params": parameters}
    sample = graded(system, ROW, Counting(), **source)
    assert sample["input"] == RENDERED
    assert shown(sample) == {"temperature": 0.2, "top_p": 0.9, "seed": 7, "max_completion_tokens": 50}


class Sure(Counting):
    """Gives log-probabilities, or refuses to be asked for them."""

    def __init__(self, *, refuses: int = 0) -> None:
        super().__init__()
        self.refuses = refuses
        self.wanted: list[Any] = []

    async def complete(self, request: dict[str, Any], **how: Any) -> Any:
        self.wanted.append(request.get("logprobs"))
        if self.refuses and "logprobs" in request:
            raise ProviderRefused(self.refuses, b'{"error": {"message": "logprobs is unknown"}}', {})
        answer = await super().complete(request, **how)
        choice = {**answer.body["choices"][0], "finish_reason": "stop"}
        tokens = {"content": [{"token": "y", "logprob": -0.5}, {"token": "es", "logprob": -0.25}]}
        logprobs = tokens if request.get("logprobs") else None
        return answer._replace(body={**answer.body, "choices": [{**choice, "logprobs": logprobs}]})


WANTS = {"model": MODEL, "input_messages": TEMPLATE, "sampling_params": {"logprobs": True}}


def test_how_sure_the_model_was_is_kept_where_it_says_so(system: System) -> None:
    assert graded(system, ROW, Sure(), **WANTS)["confidence"] == -0.375
    assert "confidence" not in graded(system, ROW, Sure(), **{**WANTS, "sampling_params": {}})


@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_distilled_model_that_refuses_to_say_how_sure_it_is_is_asked_without(status: int, system: System) -> None:
    refusing = Sure(refuses=status)
    sample = graded(system, ROW, refusing, distillation_id="distill_1", **WANTS)
    assert (refusing.wanted, sample["error"], "confidence" in sample) == ([True, None], None, False)


@pytest.mark.parametrize(("status", "waits_for"), [(400, None), (404, "distill_1")])
def test_who_asks_for_it_himself_hears_of_the_refusal(status: int, waits_for: str | None, system: System) -> None:
    refusing = Sure(refuses=status)
    sample = graded(system, ROW, refusing, distillation_id=waits_for, **WANTS)
    assert (refusing.wanted, sample["error"]["code"]) == ([True], f"provider_{status}")


def test_a_refused_row_shows_what_was_refused(system: System) -> None:
    class Refusing(Counting):
        async def complete(self, *_: Any, **__: Any) -> Any:
            raise ProviderRefused(400, b'{"error": {"message": "no"}}', {})

    sample = graded(system, ROW, Refusing(), model=MODEL, input_messages=TEMPLATE, sampling_params={"seed": 7})
    assert sample["error"]["code"] == "provider_400"
    assert (sample["input"], sample["seed"]) == (RENDERED, 7)


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_a_stored_sample_shows_the_parameters_of_its_request(system: System, limit: str) -> None:
    row = {**ROW, "request": {"temperature": 0, limit: 20}, "sample": {"output_text": "yes"}}
    assert shown(graded(system, row, Counting())) == {
        "temperature": 0,
        "top_p": None,
        "seed": None,
        "max_completion_tokens": 20,
    }


def test_a_row_whose_prompt_cannot_be_built_shows_its_item_alone(system: System) -> None:
    row = {"item": {"input": [{"role": "user", "content": "late?"}]}}
    sample = graded(system, row, Counting(), model=MODEL, input_messages=TEMPLATE)
    assert sample["error"]["code"]
    assert sample["input"] == row["item"]["input"]


def test_an_output_that_its_provider_found_malformed_fails_and_says_so(system: System) -> None:
    class Malformed(Counting):
        async def complete(self, *args: Any, **how: Any) -> Any:
            answer = await super().complete(*args, **how)
            answer.body["choices"][0]["malformed"] = "malformed_tool_use"
            return answer

    config = {"type": "custom", "item_schema": {"type": "object"}}
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": [CHECK]})
    source = {"model": MODEL, "input_messages": TEMPLATE, "source": {"type": "file_content", "content": [ROW]}}
    url = f"/v1/evals/{eval_['id']}/runs"
    run = Run.load(system.ok("POST", url, {"data_source": {"type": "completions", **source}})["id"])
    calls = Calls(f"runs/{run.id}/calls/", Malformed(), 10)
    row = asyncio.run(grade_row(run, Eval.load(run.eval_id), 0, ROW, calls))
    assert row.item["sample"]["finish_reason"] == "malformed_tool_use"
    assert (row.item["status"], row.passed, row.errored) == ("pass", False, False)
