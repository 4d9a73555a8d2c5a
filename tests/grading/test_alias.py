"""A run whose model is an alias asks each row of the target that the alias gives it, in one version throughout."""

from __future__ import annotations

import pytest

from aliases import changing
from aliases.changing import Said
from evals.data_sources import CompletionsSource, FileContent
from evals.eval import Eval
from evals.run import Run, new_run
from evals.sources import check_source, with_one_model
from foundation.errors import ApiError
from grading.plan import plan
from grading.sample import asked_of
from tests.aliases.build import routing
from tests.flow import loop
from tests.flow.system import System

MESSAGES = [{"role": "user", "content": "q"}]


def source(**fields: object) -> CompletionsSource:
    rows = [{"item": {"input": MESSAGES, "metadata": {"topic": "refund"}}}, {"item": {"input": MESSAGES}}]
    content = {"type": "file_content", "content": rows}
    return CompletionsSource.model_validate({"type": "completions", "source": content, "model": "quick", **fields})


def test_each_row_is_asked_of_its_target_in_the_version_of_the_plan(system: System) -> None:
    changing.put("quick", routing(("lab-small", 1), ("lab-judge", 1, {"topic": "refund"})), Said("ada"))
    check_source(source())
    run = new_run("evalrun_1", Eval.load(loop.create_eval(system)), name="r", data_source=source())
    assert run.create()
    plan(run.id)
    changing.put("quick", routing(("lab-judge", 1)), Said("ada"))
    plan(run.id)
    planned = Run.load(run.id)
    assert planned.alias
    assert (planned.model, planned.alias.version) == ("quick", 1)
    assert {name: pin.model for name, pin in planned.pins.items() if name.startswith("lab-")}.keys() >= {
        "lab-small",
        "lab-judge",
    }
    kept = planned.data_source
    assert isinstance(kept.source, FileContent)
    asked = [asked_of(row.model_dump(), kept, planned.alias)["model"] for row in kept.source.content]
    assert asked == ["lab-judge", "lab-small"]


def test_a_batch_asks_one_model(system: System) -> None:
    assert system
    changing.put("quick", routing(("lab-small", 1)), Said("ada"))
    assert with_one_model(source(batch=True)).model == "lab-small"
    assert with_one_model(source()).model == "quick"
    assert with_one_model(source(batch=True, model="lab-judge")).model == "lab-judge"
    changing.put("quick", routing(("lab-small", 1), ("lab-judge", 1, {"topic": "refund"})), Said("ada"))
    with pytest.raises(ApiError, match="a batch asks one") as refusal:
        check_source(with_one_model(source(batch=True)))
    assert refusal.value.param == "data_source.batch"


def test_a_run_over_http_is_graded_by_its_targets(system: System) -> None:
    changing.put("quick", routing(("lab-small", 1)), Said("ada"))
    eval_id = loop.create_eval(system)
    body = {"data_source": source().model_dump(mode="json", exclude_none=True)}
    made = system.ok("POST", f"/v1/evals/{eval_id}/runs", body)
    system.settle()
    run = system.ok("GET", f"/v1/evals/{eval_id}/runs/{made['id']}")
    assert (run["status"], run["model"]) == ("completed", "quick")
    assert run["served_by"]["lab-small"] == "default/lab-small"
    assert {use["model_name"] for use in run["per_model_usage"]} == {"lab-small"}
