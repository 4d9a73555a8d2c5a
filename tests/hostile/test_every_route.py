"""Every route of the API with one unknown field, one unknown parameter and one wrong type each.
None is 2xx that ignores it, none is 5xx. What is kept and given back, or passed on to a provider, is not ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

import capture.handler
import gateway.handler
from api.routes import every_router
from providers.openai_compatible import OpenAICompatible
from tests.capture import responses
from tests.distilling import build
from tests.flow.system import System
from tests.hostile import acts
from tests.hostile.conftest import Held
from tests.rollouts import build as rollouts

pytestmark = pytest.mark.usefixtures("walls")
SURPRISE = "surprise_9f2"
type Route = tuple[str, str]
"""Method and rule, such as `/v1/evals/<eval_id>`."""

EVAL = {
    "name": "walk",
    "data_source_config": {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True},
    "testing_criteria": [acts.CHECK],
    "metadata": {"a": "b"},
}
LABELLED = {"type": "file_content", "content": [{**acts.ROW, "human": True}]}
ENDPOINT = {"name": "walk", "url": "https://walk.test/hook", "event_types": ["eval.run.failed"]}
BODIES: dict[Route, Any] = {
    ("POST", "/v1/chat/completions"): {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "q"}],
        "store": True,
    },
    ("POST", "/v1/responses"): {"model": "gpt-4o", "input": "q", "store": True, "stream": False},
    ("POST", "/v1/captures"): acts.record("chatcmpl-pushed", metadata={"a": "b"}, latency_ms=5, origin="walk"),
    ("POST", "/v1/chat/completions/<completion_id>"): {"metadata": {"a": "b"}},
    ("POST", "/v1/chat/completions/<completion_id>/correction"): {"content": "yes", "note": "n", "by": "ada"},
    ("POST", "/v1/filters"): {"name": "walk", "filter": {"model": "gpt-4o"}},
    ("PUT", "/v1/aliases/<alias>"): {
        "targets": [
            {"model": "lab-small", "weight": 5},
            {"model": "lab-small", "weight": 1, "when": {"topic": "refund"}},
        ],
        "sticky_by": {"header": "x-session", "metadata": "customer"},
        "fallback": "lab-judge",
        "promote_on": "beats_baseline",
        "why": "walk",
        "verdict_id": None,
        "version": 1,
    },
    ("PUT", "/v1/aliases/<alias>/drift"): {"leave_out": ["release"]},
    ("POST", "/v1/aliases/<alias>/rollback"): {"to": 1, "why": "walk", "version": 1},
    ("POST", "/v1/rollouts"): {
        "alias": "walk-rollout",
        "candidate": "lab-small",
        "eval_id": "eval_1",
        "verdict_id": None,
        "share": 0.5,
        "max_usd": 5.0,
        "stages": [0, 100],
        "gates": {"quality_margin": 0.02, "max_latency_p95_ms": 900, "max_cost_ratio": 0.5},
        "min_pairs": 100,
        "min_minutes": 1,
        "no_data_minutes": 60,
    },
    ("POST", "/v1/rollouts/<rollout_id>/freeze"): {"why": "walk"},
    ("POST", "/v1/rollouts/<rollout_id>/resume"): {"why": "walk", "max_usd": 9.0},
    ("POST", "/v1/rollouts/<rollout_id>/rollback"): {"why": "walk"},
    ("POST", "/v1/rollouts/<rollout_id>/cancel"): {"why": "walk"},
    ("POST", "/v1/retention_policies"): {"retention_days": 36_000, "model": "gpt-4o", "metadata": {"a": "b"}},
    ("POST", "/v1/evals"): EVAL,
    ("POST", "/v1/evals/<eval_id>"): {"name": "renamed", "metadata": {"a": "b"}},
    ("POST", "/v1/evals/<eval_id>/runs"): {"name": "walk", "data_source": acts.inline(), "metadata": {"a": "b"}},
    ("POST", "/v1/evals/<eval_id>/runs/<run_id>"): {},
    ("POST", "/v1/evals/<eval_id>/runs/<run_id>/cancel"): {},
    ("POST", "/v1/evals/<eval_id>/calibrations"): {
        "name": "walk",
        "criterion": "correct",
        "source": LABELLED,
        "metadata": {"a": "b"},
    },
    ("POST", "/v1/files/presigned"): {
        "filename": "rows.jsonl",
        "purpose": "evals",
        "bytes": 10,
        "expires_after": {"anchor": "created_at", "seconds": 3600},
    },
    ("POST", "/v1/models/<model>"): {"keep": True},
    ("POST", "/v1/costs"): {"monthly_cap_usd": None, "retire_lost_after_days": 30},
    ("POST", "/v1/health/<queue>/redrive"): {},
    ("POST", "/v1/webhook_endpoints"): ENDPOINT,
    ("POST", "/v1/channels"): {**ENDPOINT, "type": "slack"},
    ("POST", "/v1/channels/<channel_id>"): ENDPOINT,
    ("POST", "/v1/channels/<channel_id>/test"): {},
    ("POST", "/v1/webhook_endpoints/<endpoint_id>"): ENDPOINT,
    ("POST", "/v1/webhook_endpoints/<endpoint_id>/rotate_secret"): {"keep_old_secret_active_for_24_hours": True},
    ("POST", "/v1/datasets"): {
        "source": build.source("train"),
        "recipe": {"steps": [{"rule": "duplicates", "keep": "oldest"}], "seed": 1, "group_by": "user"},
        "held_out": build.source("test"),
        "trainer": "default",
        "dry_run": True,
    },
    ("POST", "/v1/datasets/<dataset_id>/cancel"): {},
    ("POST", "/v1/datasets/<dataset_id>/learning_curves"): {
        "eval_id": "eval_1",
        "student": "lab-small",
        "trainer": "default",
        "hyperparameters": {"n_epochs": 2},
        "seed": 1,
        "max_cost_usd": 5,
    },
    ("POST", "/v1/distillations"): {
        "name": "walk",
        "eval_id": "eval_1",
        "test": build.source("test"),
        "train": build.source("train"),
        "teacher": build.TEACHER,
        "student": "lab-small",
        "contenders": [],
        "trainer": "default",
        "hyperparameters": {"n_epochs": 1},
        "gate": {"margin": 0.02},
        "recipe": {"steps": [{"rule": "duplicates"}]},
        "seed": 1,
        "metadata": {"a": "b"},
    },
    ("POST", "/v1/distillations/<distillation_id>/repeat"): {"name": "elsewhere"},
    ("POST", "/v1/distillations/<distillation_id>/approve"): {},
    ("POST", "/v1/distillations/<distillation_id>/cancel"): {},
    ("POST", "/v1/verdicts/<verdict_id>/recompute"): {},
    ("POST", "/v1/fine_tuning/jobs"): {
        "model": "lab-small",
        "training_file": "file-walk",
        "validation_file": "file-walk",
        "trainer": "default",
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}},
        "suffix": "walk",
        "seed": 1,
        "integrations": [],
        "metadata": {"a": "b"},
        "max_cost_usd": 1.5,
    },
    ("POST", "/v1/fine_tuning/jobs/<job_id>/cancel"): {},
    ("POST", "/v1/fine_tuning/jobs/<job_id>/pause"): {},
    ("POST", "/v1/fine_tuning/jobs/<job_id>/resume"): {},
    ("POST", "/v1/fine_tuning/alpha/graders/validate"): {"grader": acts.CHECK},
    ("POST", "/v1/fine_tuning/alpha/graders/run"): {
        "grader": acts.CHECK,
        "model_sample": "yes",
        "item": acts.ROW["item"],
    },
    ("POST", "/v1/evals/preview"): {
        "testing_criteria": [acts.CHECK],
        "source": build.source("test"),
        "rows": 2,
        "ask_models": False,
    },
    ("POST", "/v1/providers"): {
        "name": "walk",
        "kind": "openai",
        "base_url": "https://models.example/v1",
        "api_key": "sk-0000",
        "models": ["walk-2"],
        "trains_others": "no",
    },
    ("POST", "/v1/providers/<name>"): {"requests_per_second": 1, "models": ["walk-3"]},
    ("POST", "/v1/providers/<name>/test"): {"model": "lab-small"},
    ("POST", "/v1/models"): {
        "id": "walk-1",
        "base": "lab-small",
        "url": "https://models.example/v1",
        "api_key": "sk-0000",
        "job_id": "ftjob-1",
    },
    ("POST", "/v1/keys"): {
        "name": "walk",
        "scopes": ["read"],
        "store": True,
        "metadata": {"a": "b"},
        "fallback_model": "gpt-4o",
    },
}
"""A sound body for every route that takes JSON; the multipart upload has a test of its own."""
FORMS = {("POST", "/v1/files")}
SIGNED = {("POST", "/v1/hooks/<name>")}
"""What others write and sign: unknown fields of it are ignored, and its own tests have the odd ones."""


def table_of_routes() -> list[Route]:
    """From the declarations in the code; a parameter that takes the rest of a path is written as any other.

    Without those that are passed on as they are: what is wrong in them the provider says.
    """
    of_gateway = [routes for routes in gateway.handler.ROUTES if routes.resource != "Passed on"]
    tables = [*every_router(), capture.handler.routes, *of_gateway]
    declared = {(route.method, route.path.replace(":path>", ">")) for table in tables for route in table.declared}
    return sorted(declared)


ROUTES = table_of_routes()


def name_of(route: Any) -> str:
    return f"{route[0]} {route[1]}" if isinstance(route, tuple) else str(route)


NUMBERS = iter(range(10_000, 99_999))
type Ids = dict[str, str]


def _run(system: System, ids: Ids) -> str:
    """It is open still: it can be canceled."""
    return str(system.ok("POST", f"/v1/evals/{ids['eval_id']}/runs", {"data_source": acts.inline()})["id"])


def _item(system: System, ids: Ids) -> str:
    acts.deliver_all(system)
    return str(system.ok("GET", f"/v1/evals/{ids['eval_id']}/runs/{ids['run_id']}/output_items")["data"][0]["id"])


def _calibration(system: System, ids: Ids) -> str:
    body = {"criterion": "correct", "source": LABELLED}
    return str(system.ok("POST", f"/v1/evals/{ids['eval_id']}/calibrations", body)["id"])


def _distillation() -> Any:
    number = next(NUMBERS)
    names = {"dataset_id": f"dataset_{number}", "job_id": f"ftjob-{number}"}
    distillation = build.distillation("blocked", number=number, **names)
    build.dataset(distillation)
    build.job(distillation)
    return distillation


def _completion(system: System) -> str:
    name = f"chatcmpl-walk-{next(NUMBERS)}"
    acts.stored(system, acts.record(name))
    return name


def _response(system: System) -> str:
    name = f"walk_{next(NUMBERS)}"
    acts.stored(system, responses.record(name, "q"))
    return f"resp_{name}"


def _provider(system: System) -> str:
    """There may be fifty."""
    for row in system.ok("GET", "/v1/providers?limit=100")["data"]:
        if row["origin"] == "api":
            system.call("DELETE", f"/v1/providers/{row['id']}")
    body = {**BODIES["POST", "/v1/providers"], "name": f"walk-{next(NUMBERS)}"}
    return str(system.ok("POST", "/v1/providers", body)["id"])


def _alias(system: System) -> str:
    """There may be a hundred."""
    for row in system.ok("GET", "/v1/aliases?limit=100")["data"]:
        system.ok("DELETE", f"/v1/aliases/{row['id']}")
    name = f"walk-{next(NUMBERS)}"
    return str(system.ok("PUT", f"/v1/aliases/{name}", {"targets": [{"model": "lab-small"}]})["id"])


def _rollout() -> str:
    made = rollouts.rollout(id=f"rollout_{next(NUMBERS)}")
    made.create()
    return made.id


def _forget_channels(system: System) -> None:
    """There may be twenty."""
    for channel in system.ok("GET", "/v1/channels")["data"][1:]:
        system.ok("DELETE", f"/v1/channels/{channel['id']}")


def _posted(path: str) -> Callable[[System, Ids], str]:
    return lambda system, _: str(system.ok("POST", path, BODIES["POST", path])["id"])


MAKERS: dict[str, Callable[[System, Ids], str]] = {
    "eval_id": lambda system, _: acts.new_eval(system),
    "run_id": _run,
    "item_id": _item,
    "calibration_id": _calibration,
    "completion_id": lambda system, _: _completion(system),
    "response_id": lambda system, _: _response(system),
    "batch_id": lambda system, _: str(system.ok("POST", "/v1/captures", [acts.record("chatcmpl-batch")])["batch_id"]),
    "filter_id": _posted("/v1/filters"),
    "policy_id": _posted("/v1/retention_policies"),
    "endpoint_id": _posted("/v1/webhook_endpoints"),
    "channel_id": _posted("/v1/channels"),
    "key_id": _posted("/v1/keys"),
    "file_id": lambda system, _: str(acts.upload(system, [acts.ROW])[1]["id"]),
    "distillation_id": lambda *_: str(_distillation().id),
    "verdict_id": lambda *_: build.verdict(_distillation()).id,
    "dataset_id": lambda *_: str(_distillation().dataset_id),
    "other_id": lambda *_: str(_distillation().dataset_id),
    "row_id": lambda system, _: _completion(system),
    "job_id": lambda *_: str(_distillation().job_id),
    "object_id": lambda system, _: _completion(system),
    "model": lambda *_: "lab-small",
    "name": lambda system, _: _provider(system),
    "alias": lambda system, _: _alias(system),
    "rollout_id": lambda *_: _rollout(),
    "queue": lambda *_: "notify",
}
"""How an object is made for each parameter of a path."""


def url_of(system: System, route: Route) -> str:
    """The route's path with the ids of objects that are there, made for this call."""
    _, rule = route
    ids: Ids = {}
    if "/channels" in rule:
        _forget_channels(system)
    for name in re.findall(r"<(\w+)>", rule):
        ids[name] = MAKERS[name](system, ids)
    return re.sub(r"<(\w+)>", lambda parameter: ids[parameter.group(1)], rule)


@pytest.fixture
def passed_on(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the gateway sends to a provider."""
    sent: list[Any] = []
    ask = OpenAICompatible._ask

    async def noted(self: Any, method: str, path: str, body: Any, **options: Any) -> Any:
        if method != "POST":
            return await ask(self, method, path, body, **options)
        sent.append(body)
        return acts.record("chatcmpl-answered")["response"]

    monkeypatch.setattr(OpenAICompatible, "_ask", noted)
    return sent


@pytest.fixture(scope="module")
def ready(held: Held) -> System:
    """With what the bodies name."""
    system = held.system()
    records = [build.record(n, f"q{n}", split=split) for n, split in enumerate(("test", "train") * 12)]
    build.captured(system, records)
    build.distillation("queued", number=1)
    return system


def test_the_walk_has_a_body_and_an_object_for_every_route() -> None:
    assert {route for route in ROUTES if route[0] in {"POST", "PUT"}} == BODIES.keys() | FORMS | SIGNED
    assert {name for _, rule in ROUTES for name in re.findall(r"<(\w+)>", rule)} == MAKERS.keys()


def heeded(answered: tuple[int, Any], sent: list[Any]) -> None:
    """It was refused, or it is part of the answer or of what a provider is asked."""
    status, answer = answered
    assert status < 500, answer
    if status < 400:
        assert SURPRISE in json.dumps(answer, default=str) or any(SURPRISE in str(body) for body in sent), (
            "answered as if it had not been there"
        )


@pytest.mark.parametrize("route", sorted(BODIES), ids=name_of)
def test_an_unknown_field_is_not_ignored(route: Route, ready: System, passed_on: list[Any]) -> None:
    url = url_of(ready, route)
    heeded(ready.call(route[0], url, {**BODIES[route], SURPRISE: 1}), passed_on)


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in FORMS], ids=name_of)
def test_an_unknown_parameter_is_not_ignored(route: Route, ready: System, passed_on: list[Any]) -> None:
    url = url_of(ready, route)
    status, answer = ready.call(route[0], f"{url}?{SURPRISE}=1", BODIES.get(route))
    assert 400 <= status < 500, (status, answer, passed_on[:0])
    assert SURPRISE in json.dumps(answer), answer


@pytest.mark.parametrize("route", [route for route in sorted(BODIES) if BODIES[route]], ids=name_of)
def test_a_wrong_type_is_refused_by_name(route: Route, ready: System, passed_on: list[Any]) -> None:
    sound = BODIES[route]
    url = url_of(ready, route)
    taken = []
    for field in sound:
        wrong: list[Any] = [7, "x"] if isinstance(sound[field], dict) else [{"wrong": ["type"]}, [[1]]]
        for value in wrong:
            status, answer = ready.call(route[0], url, {**sound, field: value})
            if not 400 <= status < 500 or field not in (acts.refusal(answer)["param"] or ""):
                taken.append((field, value, status, acts.refusal(answer)["param"]))
    assert taken == []
    assert passed_on == []


ODD: tuple[Any, ...] = (
    None,
    [],
    {},
    "",
    "\U0001d4b3" * 300,
    "\x00/#?\n",
    -1,
    10**40,
    1e308,
    True,
    [None],
    [[]],
    {"": ""},
    {"type": []},
    "{{" * 50,
)


def places(body: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a body, however deep it lies."""
    inside = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for step, value in inside:
        yield (*at, step)
        yield from places(value, (*at, step))


def with_odd(body: Any, place: tuple[Any, ...], odd: Any) -> Any:
    changed = deepcopy(body)
    here = changed
    for step in place[:-1]:
        here = here[step]
    here[place[-1]] = odd
    return changed


@pytest.mark.parametrize("route", [route for route in sorted(BODIES) if BODIES[route]], ids=name_of)
def test_an_odd_value_in_any_place_is_no_failure_of_the_server(
    route: Route, ready: System, passed_on: list[Any]
) -> None:
    assert passed_on == []
    url = url_of(ready, route)
    failed = [
        (place, odd, status)
        for place in places(BODIES[route])
        for odd in ODD
        if (status := ready.call(route[0], url, with_odd(BODIES[route], place, odd))[0]) >= 500
    ]
    assert failed == []


BODIES_THAT_ARE_NONE = (b"[]", b'"x"', b"5", b"null", b"{", b"\xff\xfe")


@pytest.mark.parametrize("route", sorted(BODIES), ids=name_of)
def test_a_body_that_is_no_object_is_refused(route: Route, ready: System) -> None:
    url = url_of(ready, route)
    answered = {body: ready.call(route[0], url, body)[0] for body in BODIES_THAT_ARE_NONE}
    assert {body: status for body, status in answered.items() if not 400 <= status < 500} == {}


@pytest.mark.parametrize("route", sorted(BODIES), ids=name_of)
def test_a_body_without_a_field_is_no_failure_of_the_server(route: Route, ready: System) -> None:
    status, answer = ready.call(route[0], url_of(ready, route), {})
    assert status < 500, answer


LISTS = [route for route in ROUTES if route[0] == "GET" and "<" not in route[1].rsplit("/", 1)[1]]
QUERIES = ("limit=many", "limit=1e3", "order=up", "limit=")


@pytest.mark.parametrize("route", LISTS, ids=name_of)
def test_a_parameter_of_a_wrong_type_is_refused(route: Route, ready: System) -> None:
    """Where a route knows the parameter its value is wrong; where it does not, the name is."""
    url = url_of(ready, route)
    answered = {query: ready.call("GET", f"{url}?{query}") for query in QUERIES}
    taken = [query for query, (status, _) in answered.items() if not 400 <= status < 500]
    assert taken == []
    unnamed = [query for query, (_, answer) in answered.items() if query.partition("=")[0] not in json.dumps(answer)]
    assert unnamed == []


@pytest.mark.parametrize("route", [route for route in ROUTES if "<" in route[1]], ids=name_of)
def test_an_id_that_nothing_has_is_4xx(route: Route, ready: System) -> None:
    paths = [re.sub(r"<\w+>", odd, route[1]) for odd in ("nothing", "x" * 1_100, "%F0%9F%98%80", "%00")]
    answered = {path[:80]: ready.call(route[0], path, BODIES.get(route))[0] for path in paths}
    assert {path: status for path, status in answered.items() if not 400 <= status < 500} == {}


def test_an_unknown_field_of_an_upload_is_refused(shared: System) -> None:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nevals\r\n'
        b'--x\r\nContent-Disposition: form-data; name="' + SURPRISE.encode() + b'"\r\n\r\n1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n{"item": {}}\r\n--x--\r\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=x"}
    status, answer = shared.call("POST", "/v1/files", form, headers=headers)
    assert 400 <= status < 500, answer
    assert SURPRISE in answer["error"]["param"]


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/v1/evals/{eval}/runs", {"data_source": {**acts.inline(), SURPRISE: 1}}),
        (
            "/v1/evals/{eval}/runs",
            {"data_source": {"type": "jsonl", "source": {**acts.inline()["source"], SURPRISE: 1}}},
        ),
        ("/v1/evals/{eval}/calibrations", {"criterion": "correct", "source": {**LABELLED, SURPRISE: 1}}),
        ("/v1/evals", {**EVAL, "testing_criteria": [{**acts.CHECK, SURPRISE: 1}]}),
        ("/v1/evals", {**EVAL, "data_source_config": {**EVAL["data_source_config"], SURPRISE: 1}}),  # type: ignore[dict-item]
        ("/v1/filters", {"name": "walk", "filter": {"model": "m", SURPRISE: 1}}),
        ("/v1/distillations", {**BODIES["POST", "/v1/distillations"], "train": {**build.source("train"), SURPRISE: 1}}),
        ("/v1/distillations", {**BODIES["POST", "/v1/distillations"], "gate": {SURPRISE: 1}}),
        (
            "/v1/files/presigned",
            {
                **BODIES["POST", "/v1/files/presigned"],
                "expires_after": {"anchor": "created_at", "seconds": 3600, SURPRISE: 1},
            },
        ),
    ],
    ids=["run", "run-source", "labels", "criterion", "config", "filter", "train", "gate", "expiry"],
)
def test_an_unknown_field_deeper_inside_is_not_ignored(path: str, inside: dict[str, Any], ready: System) -> None:
    heeded(ready.call("POST", path.format(eval=acts.new_eval(ready)), inside), [])
