"""Rollouts over HTTP: begun, shown with their evidence, frozen, resumed, rolled back, canceled, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from evals import own_rows
from evals.data_sources import CompletionsSource, FileId
from evals.eval import Eval
from evals.run import Run
from foundation import blobs
from foundation.events import RetireModel
from foundation.ids import now
from providers import registry
from providers.model_version import ModelVersion
from providers.spending import spending
from providers.usage import ModelUsage
from rollouts import sums, waiting
from rollouts.advancing import advance
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound, RoundRun
from tests.api.keys import key_with
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System
from tests.rollouts.build import tally
from tuning.retire import retire

URL, ALIAS = "/v1/rollouts", "/v1/aliases/quick-reply"
SHORT = {"type": "regex", "name": "short", "input": "{{ sample.output_text }}", "pattern": "^.{1,80}$"}
RIGHT = {
    "type": "string_check",
    "name": "right",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}
ROWS = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}


@pytest.fixture(autouse=True)
def priced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The lab's models have a price here."""
    registry.forget()
    monkeypatch.setattr("rollouts.starting.is_priced", lambda _: True)
    yield
    registry.forget()


def eval_of(system: System, *criteria: dict[str, Any]) -> str:
    asked = {"name": "replies", "data_source_config": ROWS, "testing_criteria": list(criteria)}
    return str(system.ok("POST", "/v1/evals", asked)["id"])


def asked(system: System, **fields: Any) -> dict[str, Any]:
    """The body of a rollout, with its alias and its eval."""
    system.ok("PUT", ALIAS, {"targets": [{"model": "lab-judge"}]})
    given = {"alias": "quick-reply", "candidate": "lab-small", "max_usd": 5.0}
    return {**given, **({} if "eval_id" in fields else {"eval_id": eval_of(system, SHORT, RIGHT)}), **fields}


def begun(system: System, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = system.ok("POST", URL, asked(system, **fields))
    return made


def refused(system: System, method: str, url: str, body: Any = None, **options: Any) -> tuple[int, str, str]:
    status, answer = system.call(method, url, body, **options)
    return status, answer["error"]["code"], answer["error"]["param"]


def round_with(rollout_id: str, *, worse: int, run_id: str | None = None) -> None:
    rollout = Rollout.load(rollout_id)
    runs = [RoundRun(run_id=run_id, side="stable", sampled=False)] if run_id else []
    fields = {"window": rollout.window, "stage": rollout.stage, "begun_at": rollout.created_at, "runs": runs}
    round_ = RolloutRound(id="round_a", rollout_id=rollout_id, key="a", **fields).begin()
    round_.record(tally(100, worse, usd=0.25))


def test_it_begins_in_the_shadow_without_the_criteria_that_need_a_reference(system: System) -> None:
    made = begun(system)
    assert (made["status"], made["stage"], made["percent"], made["next_percent"]) == ("running", 0, 0, 1)
    assert made["left_out"] == [{"name": "right", "why": "item.reference"}]
    assert [criterion.name for criterion in Eval.load(made["online_eval_id"]).testing_criteria] == ["short"]
    assert [(finding["gate"], finding["state"]) for finding in made["findings"]] == [
        ("quality", "unknown"),
        ("errors", "unknown"),
        ("malformed", "unknown"),
    ]
    assert made["steps"][0]["kind"] == "started"
    assert system.ok("GET", ALIAS)["version"] == 1
    assert system.ok("GET", f"{URL}/{made['id']}")["id"] == made["id"]


def test_its_evidence_is_shown_in_figures(system: System) -> None:
    made = begun(system)
    round_with(made["id"], worse=4)
    shown = system.ok("GET", f"{URL}/{made['id']}")
    quality = shown["findings"][0]
    assert (quality["pairs"], quality["candidate"], quality["stable"]) == (100, 4, 0)
    assert (quality["state"], quality["observed"], quality["limit"]) == ("doubtful", 0.04, 0.02)
    assert quality["interval"][0] < 0.04 < quality["interval"][1]
    assert 0 < quality["evidence"] < 1
    assert (shown["spent_usd"], shown["counts"][0]["pairs"], shown["counts"][0]["worse"]) == (0.25, 100, 4)
    assert "quality: it is worse than allowed so far" in shown["waits_for"]


def test_a_list_is_filtered_by_alias_and_status(system: System) -> None:
    made = begun(system)
    assert [row["id"] for row in system.ok("GET", URL)["data"]] == [made["id"]]
    assert system.ok("GET", f"{URL}?alias=quick-reply&status=running")["data"] != []
    assert system.ok("GET", f"{URL}?alias=other")["data"] == []
    assert system.ok("GET", f"{URL}?status=promoted")["data"] == []
    assert refused(system, "GET", f"{URL}?status=odd") == (400, "invalid_value", "status")


def test_an_alias_has_one_open_rollout(system: System) -> None:
    body = asked(system)
    key = {"idempotency-key": "one"}
    first = system.call("POST", URL, body, headers=key)
    assert system.call("POST", URL, body, headers=key)[1]["id"] == first[1]["id"]
    assert refused(system, "POST", URL, body) == (409, "rollout_open", "alias")
    system.ok("POST", f"{URL}/{first[1]['id']}/cancel", {})
    assert system.ok("POST", URL, body)["id"] != first[1]["id"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"candidate": "lab-judge"}, "candidate"),
        ({"candidate": "quick-reply"}, "candidate"),
        ({"candidate": "nothing-like-it"}, "candidate"),
        ({"candidate": ""}, "candidate"),
        ({"alias": "none"}, "alias"),
        ({"eval_id": "eval_none"}, "eval_id"),
        ({"verdict_id": "verdict_none"}, "verdict_id"),
        ({"stages": [0, 5, 5, 100]}, None),
        ({"stages": [0, 50]}, None),
        ({"max_usd": 0}, "max_usd"),
        ({"share": 0}, "share"),
        ({"eval_id": None}, None),
        ({"gates": {"quality_margin": 1.0}}, "gates.quality_margin"),
        # The interval of what is so improbable would have no end that a float can hold.
        ({"gates": {"alpha": 1e-300}}, "gates.alpha"),
        ({"gates": {"qualty_margin": 0.1}}, "gates.qualty_margin"),
    ],
)
def test_what_cannot_work_is_refused_naming_the_field(system: System, fields: dict[str, Any], param: str) -> None:
    status, answer = system.call("POST", URL, asked(system, **fields))
    assert status in {400, 404}, answer
    assert answer["error"]["param"] == param or param is None
    assert list(Rollout.every()) == []


def test_an_eval_that_only_knows_references_is_refused_with_the_remedy(system: System) -> None:
    body = asked(system, eval_id=eval_of(system, RIGHT))
    status, answer = system.call("POST", URL, body)
    assert (status, answer["error"]["code"], answer["error"]["param"]) == (400, "needs_reference", "eval_id")
    assert "a judge, a schema" in answer["error"]["message"]


def test_an_alias_that_several_models_answer_is_refused(system: System) -> None:
    body = asked(system)
    system.ok("PUT", ALIAS, {"targets": [{"model": "lab-judge"}, {"model": "lab-small"}]})
    assert refused(system, "POST", URL, body) == (400, "invalid_value", "alias")


def test_an_alias_without_a_place_for_the_candidate_is_refused(system: System) -> None:
    body = asked(system)
    slices = [{"model": "lab-small", "when": {"topic": str(number)}} for number in range(19)]
    system.ok("PUT", ALIAS, {"targets": [{"model": "lab-judge"}, *slices]})
    assert refused(system, "POST", URL, body) == (400, "invalid_value", "alias")
    assert system.ok("POST", URL, {**body, "stages": [0, 100]})["status"] == "running"


def cascading(to: str) -> dict[str, Any]:
    return {"to": to, "by": "logprob", "threshold": -0.1}


@pytest.mark.parametrize("model", ["lab-judge", "lab-small"])
def test_an_alias_with_a_cascade_is_refused(system: System, model: str) -> None:
    body = asked(system)
    stable: dict[str, Any] = {"model": "lab-judge", "weight": 1}
    candidate: dict[str, Any] = {"model": "lab-small", "weight": 0}
    for target, other in ((stable, candidate), (candidate, stable)):
        target["cascade"] = cascading(other["model"]) if target["model"] == model else None
    system.ok("PUT", ALIAS, {"targets": [stable, candidate]})
    assert refused(system, "POST", URL, body) == (400, "invalid_value", "alias")


def test_a_rollout_is_not_resumed_over_a_cascade(system: System) -> None:
    made = begun(system)
    at = f"{URL}/{made['id']}"
    system.ok("POST", f"{at}/freeze", {})
    targets = system.ok("GET", ALIAS)["targets"]
    kept = [{name: target[name] for name in ("model", "weight", "when")} for target in targets]
    system.ok("PUT", ALIAS, {"targets": [{**target, "cascade": cascading("lab-small")} for target in kept]})
    assert refused(system, "POST", f"{at}/resume", {}) == (409, "alias_changed", "alias")
    system.ok("PUT", ALIAS, {"targets": kept})
    assert system.ok("POST", f"{at}/resume", {})["status"] == "running"


def test_a_model_without_a_price_is_refused(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollouts.starting.is_priced", lambda model: model != "lab-small")
    assert refused(system, "POST", URL, asked(system)) == (400, "no_price", "max_usd")


@pytest.mark.parametrize(("answers", "limit"), [(20, 2850), (19, None)])
def test_a_latency_limit_is_taken_from_what_the_stable_model_took(
    system: System, answers: int, limit: int | None
) -> None:
    body = asked(system)
    records = [loop.record(number, split="train", tag="slow") for number in range(answers)]
    label = {"name": "quick-reply", "version": 1, "target": "lab-judge"}
    for number, record in enumerate(records):
        record["request"]["model"] = record["response"]["model"] = "lab-judge"
        record |= {"latency_ms": 100 * (number + 1), "alias": label}
    system.ok("POST", "/v1/captures", records)
    system.settle()
    assert system.ok("POST", URL, body)["gates"]["max_latency_p95_ms"] == limit


def test_a_verdict_names_candidate_and_eval(system: System) -> None:
    distillation = build.distillation("completed", model="lab-small")
    distillation.eval_id = eval_of(system, SHORT)
    verdict = build.verdict(distillation)
    body = {**asked(system, eval_id=None), "candidate": None, "verdict_id": verdict.id}
    made = system.ok("POST", URL, body)
    assert (made["candidate"], made["eval_id"], made["verdict_id"], made["distillation_id"]) == (
        "lab-small",
        distillation.eval_id,
        verdict.id,
        distillation.id,
    )


def test_freeze_and_resume_and_roll_back_are_steps_and_change_nothing_twice(system: System) -> None:
    made = begun(system)
    at = f"{URL}/{made['id']}"
    frozen = system.ok("POST", f"{at}/freeze", {"why": "a holiday"})
    assert (frozen["status"], frozen["steps"][-1]["why"], frozen["steps"][-1]["by"]) == ("frozen", "a holiday", "first")
    assert len(system.ok("POST", f"{at}/freeze", {})["steps"]) == 2
    round_with(made["id"], worse=60)
    assert advance(made["id"]).status == "frozen"
    resumed = system.ok("POST", f"{at}/resume", {})
    assert (resumed["status"], resumed["windows"]) == ("running", 2)
    assert advance(made["id"]).status == "rolled_back"
    again = system.ok("POST", f"{at}/rollback", {})
    assert (again["status"], again["ended"]["gate"]) == ("rolled_back", "quality")
    for verb in ("freeze", "resume", "cancel"):
        assert refused(system, "POST", f"{at}/{verb}", {}) == (409, "rollout_ended", None)


def test_it_is_canceled_in_the_shadow_and_rolled_back_after(system: System) -> None:
    made = begun(system, stages=[5, 100])
    assert [target["weight"] for target in system.ok("GET", ALIAS)["targets"]] == [95, 5]
    assert refused(system, "POST", f"{URL}/{made['id']}/cancel", {}) == (409, "rollout_serves", None)
    rolled_back = system.ok("POST", f"{URL}/{made['id']}/rollback", {"why": "a complaint"})
    assert (rolled_back["ended"]["why"], rolled_back["percent"]) == ("a complaint", 0)
    alias = system.ok("GET", ALIAS)
    assert [(target["model"], target["weight"]) for target in alias["targets"]] == [("lab-judge", 1)]
    assert (alias["version"], alias["by"]) == (3, "rollout")


def test_what_was_promoted_is_rolled_back_too(system: System) -> None:
    made = begun(system, stages=[100], min_minutes=0)
    round_with(made["id"], worse=0)
    assert advance(made["id"]).status == "promoted"
    alias = system.ok("GET", ALIAS)
    assert ([target["model"] for target in alias["targets"]], alias["fallback"]) == (["lab-small"], "lab-judge")
    system.ok("POST", f"{URL}/{made['id']}/rollback", {})
    alias = system.ok("GET", ALIAS)
    assert ([target["model"] for target in alias["targets"]], alias["fallback"]) == (["lab-judge"], None)


def test_a_spent_budget_needs_a_larger_one_to_go_on(system: System) -> None:
    made = begun(system, max_usd=0.2)
    round_with(made["id"], worse=0)
    assert advance(made["id"]).pause.reason == "budget"
    at = f"{URL}/{made['id']}/resume"
    for body in ({}, {"max_usd": 0.25}):
        assert refused(system, "POST", at, body) == (400, "invalid_value", "max_usd")
    resumed = system.ok("POST", at, {"max_usd": 1.0})
    assert (resumed["status"], resumed["max_usd"]) == ("running", 1.0)


def test_after_a_change_by_hand_it_goes_on_with_that_if_it_can(system: System) -> None:
    made = begun(system, stages=[5, 100])
    both = [{"model": "lab-judge", "weight": 50}, {"model": "lab-small", "weight": 50}]
    system.ok("PUT", ALIAS, {"targets": [{"model": "lab-judge"}]})
    assert advance(made["id"]).pause.reason == "alias_changed"
    at = f"{URL}/{made['id']}/resume"
    assert refused(system, "POST", at, {}) == (409, "alias_changed", "alias")
    system.ok("PUT", ALIAS, {"targets": both})
    assert system.ok("POST", at, {})["alias_version"] == 4


def test_what_an_open_rollout_needs_stays(system: System) -> None:
    ModelVersion(id="ft:own", created_at=1, base="lab-small", trainer="").create()
    made = begun(system)
    rollout = Rollout.load(made["id"])
    rollout.change({"candidate": "ft:own"})
    assert refused(system, "DELETE", ALIAS) == (409, "rollout_open", "alias")
    assert refused(system, "DELETE", "/v1/models/ft:own") == (409, "model_in_use", "model")
    assert refused(system, "DELETE", f"/v1/evals/{made['online_eval_id']}")[:2] == (409, "eval_in_use")
    retire(RetireModel(model_id="ft:own"))
    assert ModelVersion.load("ft:own").retired_at is None
    system.ok("POST", f"{URL}/{made['id']}/cancel", {})
    system.ok("DELETE", ALIAS)
    retire(RetireModel(model_id="ft:own"))
    assert ModelVersion.load("ft:own").retired_at is not None


def test_it_is_deleted_with_its_runs_once_it_has_ended(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    made = begun(system)
    eval_id = made["online_eval_id"]
    source = {"type": "jsonl", "source": {"type": "file_content", "content": [{"item": {"input": "q"}, "sample": {}}]}}
    run = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"name": "round", "data_source": source})
    round_with(made["id"], worse=0, run_id=run["id"])
    at = f"{URL}/{made['id']}"
    assert refused(system, "DELETE", at) == (409, "rollout_open", None)
    monkeypatch.setattr(sums, "ENOUGH", 1)
    system.settle()
    sums.fold(made["id"])
    assert system.ok("GET", at)["counts"][0]["rounds"] == 1
    system.ok("POST", f"{at}/cancel", {})
    # It came in just as the rollout ended.
    waiting.add(made["id"], "completions/late", calls=1, nanodollars=0)
    assert system.ok("DELETE", at) == {"id": made["id"], "object": "rollout.deleted", "deleted": True}
    assert system.call("GET", at)[0] == 404
    assert (Run.find(run["id"]), Eval.find(eval_id), list(RolloutRound.every(made["id"]))) == (None, None, [])
    assert sums.counted(made["id"]) == ([], [])
    assert not waiting.is_any(made["id"])


def test_what_its_last_rounds_cost_is_booked_before_it_is_deleted(system: System) -> None:
    made = begun(system)
    rollout = Rollout.load(made["id"])
    used = ModelUsage(model_name="gpt-4.1", invocation_count=1, prompt_tokens=1000, completion_tokens=100)
    source = CompletionsSource(type="completions", source=FileId(type="file_id", id="file-1"))
    run = Run(id="evalrun_1", created_at=now(), eval_id=made["online_eval_id"], name="round", data_source=source)
    run.status, run.per_model_usage, run.rollout_id = "completed", [used], rollout.id
    run.create()
    runs = [RoundRun(run_id=run.id, side="stable", sampled=False)]
    RolloutRound(id="round_1", rollout_id=rollout.id, key="a", window=1, stage=0, begun_at=now(), runs=runs).begin()
    own_rows.write_rows(run.id, "rows.jsonl", lambda: iter([{"item": {"completion_id": "chatcmpl-1"}}]))
    system.ok("POST", f"{URL}/{rollout.id}/cancel", {})
    assert refused(system, "DELETE", f"{URL}/{rollout.id}") == (409, "rollout_open", None)
    system.settle()
    system.ok("DELETE", f"{URL}/{rollout.id}")
    assert spending().rollouts_usd == pytest.approx(0.0028)


def test_rows_whose_run_was_never_begun_are_deleted_with_it(system: System) -> None:
    made = begun(system)
    round_with(made["id"], worse=0, run_id="evalrun_never_begun")
    own_rows.write_rows("evalrun_never_begun", "rows.jsonl", lambda: iter([{"item": {"input": "a secret"}}]))
    at = f"{URL}/{made['id']}"
    system.ok("POST", f"{at}/cancel", {})
    system.ok("DELETE", at)
    assert not list(blobs.keys("runs/evalrun_never_begun/"))


def test_a_key_that_reads_begins_nothing(system: System) -> None:
    body = asked(system)
    assert system.call("POST", URL, body, key=key_with("read"))[0] == 403
    assert system.call("GET", URL, key=key_with("read"))[0] == 200
