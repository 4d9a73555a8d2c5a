"""A run's models are asked where they were when it was planned; a name that moves replays nobody else's answers."""

from __future__ import annotations

from typing import Any

import pytest

from evals.run import Run
from foundation.loop import run as work
from grading.calls import digest_of
from providers import registry
from providers.entry import Entry
from providers.model_version import ModelVersion
from providers.pins import Pin, Pinned, pins_of
from providers.provider import Answer
from providers.routing import Named, Providers
from providers.saved import SavedProvider
from tests.flow.system import System
from tests.providers.runtime import Runtime, answers, running

REQUEST = {"model": "m", "messages": []}


def pin(identity: str = "alpha@1/x") -> Pin:
    return Pin(provider="alpha", model="x", identity=identity)


def test_the_digest_is_that_of_the_model_that_the_name_meant() -> None:
    plain = digest_of(REQUEST)
    assert digest_of(REQUEST, {"other": pin()}) == plain
    pinned = {digest_of(REQUEST, {"m": pin(identity)}) for identity in ("alpha@1/x", "alpha@2/x", "beta@1/x")}
    assert len(pinned | {plain}) == 4
    assert digest_of({**REQUEST, "model": "alias"}, {"alias": pin()}) == digest_of(REQUEST, {"m": pin()})
    assert digest_of({"code": "x"}, {"m": pin()}) == digest_of({"code": "x"})


class Said:
    """A provider that says its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def complete(self, request: dict[str, Any], **_: Any) -> Answer:
        return Answer({"by": self.name, "model": request["model"]}, 1)

    embed = complete


def providers(**listing: str) -> Providers:
    """The default provider and two others, which list these models."""
    named: Any = {name: Named(Said(name), frozenset(listing.get(name, "").split()), name) for name in ("alpha", "beta")}  # type: ignore[arg-type]
    return Providers(Named(Said("default"), place="d"), named)  # type: ignore[arg-type]


def test_a_pin_holds_when_the_name_moves() -> None:
    pins = pins_of(["m", "x", "m"], providers(alpha="m"))
    assert {name: (one.provider, one.model, one.identity) for name, one in pins.items()} == {
        "m": ("alpha", "m", "alpha@alpha/m"),
        "x": ("default", "x", "default@d/x"),
    }
    moved = Pinned(providers(beta="m x"), pins)
    for ask in (moved.complete, moved.embed):
        assert work(ask({"model": "m"}, deadline_s=1)).body == {"by": "alpha", "model": "m"}
        assert work(ask({"model": "x"}, deadline_s=1)).body["by"] == "default"
        assert work(ask({"model": "beta/y"}, deadline_s=1)).body == {"by": "beta", "model": "y"}


def test_a_name_of_several_has_no_pin_and_is_refused_row_by_row() -> None:
    assert pins_of(["m", "x"], providers(alpha="m", beta="m")).keys() == {"x"}


# ------------------------------------------------------------------ in the system


CONFIG = {"type": "custom", "item_schema": {"type": "object"}}
CHECK = {
    "type": "string_check",
    "name": "says",
    "input": "{{ sample.output_text }}",
    "operation": "eq",
    "reference": "alpha",
}
JUDGE = {
    "type": "label_model",
    "name": "judge",
    "model": "judge",
    "input": [{"role": "user", "content": "{{ item.q }}"}],
    "labels": ["yes", "no"],
    "passing_labels": ["yes"],
}


def serve(name: str, runtime: Runtime, *models: str) -> None:
    """A provider of this name that lists these models, which all say the provider's name."""
    runtime.will(answers(name))
    saved = SavedProvider(id=name, created_at=1, updated_at=1, entry=Entry(base_url=runtime.url, models=list(models)))
    if not saved.create():
        saved.change({"entry": saved.entry.model_dump(mode="json")})


def started(system: System, eval_id: str, model: str) -> str:
    rows = {"type": "file_content", "content": [{"item": {"q": "?"}}]}
    template = {"type": "template", "template": [{"role": "user", "content": "{{ item.q }}"}]}
    source = {"type": "completions", "model": model, "source": rows, "input_messages": template}
    run = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"data_source": source})
    registry.forget()
    return str(run["id"])


def passed(system: System, run_id: str) -> int:
    system.settle()
    run = Run.load(run_id)
    assert run.status == "completed", run.error
    return run.result_counts.passed


@pytest.fixture
def two(system: System) -> Any:
    """Two providers; the first serves the model m."""
    assert system
    registry.forget()
    with running() as alpha, running() as beta:
        serve("alpha", alpha, "m")
        serve("beta", beta, "other")
        yield alpha, beta
    registry.forget()


def test_a_run_asks_where_it_was_planned_and_the_next_one_pays_anew(system: System, two: Any) -> None:
    alpha, beta = two
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": CONFIG, "testing_criteria": [CHECK]})
    first = started(system, eval_["id"], "m")
    system.deliver("PLAN")
    shown = system.ok("GET", f"/v1/evals/{eval_['id']}/runs/{first}")
    assert shown["served_by"] == {"m": "alpha/m"}
    # The name moves to the other provider before the rows are graded.
    serve("alpha", alpha, "unlisted")
    serve("beta", beta, "m")
    registry.forget()
    assert (passed(system, first), len(alpha.asked), len(beta.asked)) == (1, 1, 0)
    second = started(system, eval_["id"], "m")
    assert (passed(system, second), len(alpha.asked), len(beta.asked)) == (0, 1, 1)
    # It moves back: that model's answer is paid for already.
    serve("alpha", alpha, "m")
    serve("beta", beta, "unlisted")
    registry.forget()
    third = started(system, eval_["id"], "m")
    assert (passed(system, third), len(alpha.asked), len(beta.asked)) == (1, 0, 0)


def test_a_version_that_moves_replays_nobody_s_answers(system: System, two: Any) -> None:
    alpha, beta = two
    version = ModelVersion(id="ft:m", created_at=1, provider="alpha", served_as="m", base="small", trainer="")
    version.create()
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": CONFIG, "testing_criteria": [CHECK]})
    registry.forget()
    assert passed(system, started(system, eval_["id"], "ft:m")) == 1
    version.change({"provider": "beta", "served_as": "other"})
    assert passed(system, started(system, eval_["id"], "ft:m")) == 0
    assert (len(alpha.asked), len(beta.asked)) == (1, 1)


def test_a_judge_is_pinned_too(system: System, two: Any) -> None:
    alpha, beta = two
    serve("alpha", alpha, "m")
    serve("beta", beta, "judge")
    registry.forget()
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": CONFIG, "testing_criteria": [CHECK, JUDGE]})
    run_id = started(system, eval_["id"], "m")
    system.deliver("PLAN")
    pins = {name: one.provider for name, one in Run.load(run_id).pins.items()}
    assert pins == {"m": "alpha", "judge": "beta"}


def test_a_retired_model_starts_no_run(system: System, two: Any) -> None:
    assert two
    ModelVersion(id="ft:m", created_at=1, provider="alpha", base="small", trainer="", retired_at=2).create()
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": CONFIG, "testing_criteria": [CHECK]})
    rows = {"type": "file_content", "content": [{"item": {"q": "?"}}]}
    template = {"type": "template", "template": [{"role": "user", "content": "{{ item.q }}"}]}
    source = {"type": "completions", "model": "ft:m", "source": rows, "input_messages": template}
    status, answer = system.call("POST", f"/v1/evals/{eval_['id']}/runs", {"data_source": source})
    assert (status, answer["error"]["code"]) == (404, "model_retired")
    assert answer["error"]["param"] == "data_source.model"
    asked = {"model": "ft:m", "messages": [{"role": "user", "content": "?"}]}
    status, answer = system.call("POST", "/v1/chat/completions", asked)
    assert (status, answer["error"]["code"]) == (404, "model_retired")
