"""Aliases over HTTP: made, changed by versions, rolled back, deleted, never hiding a model nor hidden by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aliases.alias import MOST_ALIASES, Alias
from aliases.known import known_aliases
from foundation.events import RetireModel
from foundation.ids import now
from foundation.settings import settings
from providers import registry
from providers.model_version import ModelVersion
from tests.api.keys import key_with
from tests.flow.system import System
from tuning.retire import retire

URL = "/v1/aliases/quick-reply"
BIG = {"model": "lab-judge", "weight": 95}
SMALL = {"model": "lab-small", "weight": 5}
NEW: dict[str, Any] = {"targets": [BIG, SMALL], "sticky_by": {"metadata": "customer"}, "fallback": "lab-judge"}


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    registry.forget()
    known_aliases.forget()
    yield
    registry.forget()


def put(system: System, url: str = URL, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = system.ok("PUT", url, {**NEW, **fields})
    return made


def refused(system: System, method: str, url: str, body: Any = None, **options: Any) -> tuple[int, str, str]:
    status, answer = system.call(method, url, body, **options)
    return status, answer["error"]["code"], answer["error"]["param"]


def trained(name: str, **fields: Any) -> ModelVersion:
    version = ModelVersion(id=name, created_at=1, base="lab-small", trainer="", **fields)
    version.create()
    return version


def test_it_is_made_shown_and_listed(system: System) -> None:
    made = put(system, why="a first canary")
    place = {"provider": "default", "base_url": made["targets"][0]["base_url"]}
    assert made == {
        "id": "quick-reply",
        "object": "alias",
        "version": 1,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
        "by": "first",
        "why": "a first canary",
        "verdict_id": None,
        "rolled_back_to": None,
        "salt": made["salt"],
        "targets": [
            {**target, "when": {}, "cascade": None, "model_there": target["model"], **place}
            for target in NEW["targets"]
        ],
        "sticky_by": {"header": None, "metadata": "customer"},
        "fallback": "lab-judge",
        "fallback_place": {"model": "lab-judge", "model_there": "lab-judge", **place},
        "promote_on": None,
    }
    assert place["base_url"].startswith("http://127.0.0.1")
    assert system.ok("GET", URL) == made
    assert system.ok("GET", "/v1/aliases")["data"] == [made]
    model = system.ok("GET", "/v1/models/quick-reply")
    assert model == {
        "id": "quick-reply",
        "object": "model",
        "created": made["created_at"],
        "owned_by": "alias",
        "alias": {"version": 1, "models": ["lab-judge", "lab-small"]},
    }
    assert model in system.ok("GET", "/v1/models")["data"]


def test_each_change_is_a_version_and_the_salt_stays(system: System) -> None:
    first = put(system)
    changed = {**NEW, "targets": [BIG, {**SMALL, "weight": 25}], "why": "25%"}
    status, second = system.call("PUT", URL, changed, key=key_with("write"))
    assert (status, second["version"], second["by"], second["why"]) == (200, 2, "write", "25%")
    assert (second["salt"], second["created_at"]) == (first["salt"], first["created_at"])
    versions = system.ok("GET", f"{URL}/versions")["data"]
    assert [version["id"] for version in versions] == ["quick-reply@2", "quick-reply@1"]
    assert [version["targets"][1]["weight"] for version in versions] == [25, 5]
    assert [version["by"] for version in versions] == ["write", "first"]
    page = system.ok("GET", f"{URL}/versions?limit=1")
    assert (page["has_more"], page["last_id"]) == (True, "quick-reply@2")
    assert system.ok("GET", f"{URL}/versions?after=quick-reply@2")["data"] == versions[1:]
    assert system.ok("GET", f"{URL}/versions?after=nothing")["data"] == []


def test_the_same_again_is_no_version(system: System) -> None:
    assert put(system) == put(system, why="again")
    assert len(system.ok("GET", f"{URL}/versions")["data"]) == 1


def test_a_retry_after_somebody_elses_change_changes_nothing(system: System) -> None:
    key = {"idempotency-key": "one"}
    assert system.call("PUT", URL, NEW, headers=key)[1]["version"] == 1
    other = put(system, targets=[BIG])
    assert system.call("PUT", URL, NEW, headers=key) == (200, other)


def test_a_change_of_another_version_is_refused(system: System) -> None:
    put(system)
    changed = {**NEW, "targets": [BIG]}
    for version in (0, 2):
        assert refused(system, "PUT", URL, {**changed, "version": version}) == (412, "alias_changed", "version")
    for tag in ('"3"', 'W/"7"'):
        assert refused(system, "PUT", URL, changed, headers={"if-match": tag})[:2] == (412, "alias_changed")
    assert refused(system, "PUT", URL, changed, headers={"if-match": "one"}) == (400, "invalid_value", "If-Match")
    assert refused(system, "PUT", "/v1/aliases/none", {**changed, "version": 1})[:2] == (412, "alias_changed")
    assert system.call("PUT", URL, changed, headers={"if-match": '"1"'})[1]["version"] == 2
    assert refused(system, "DELETE", URL, headers={"if-match": '"1"'})[:2] == (412, "alias_changed")


def test_one_call_goes_back_and_another_one_further_back(system: System) -> None:
    for weight in (5, 25, 50):
        put(system, targets=[BIG, {**SMALL, "weight": weight}])
    back = system.ok("POST", f"{URL}/rollback", {"why": "worse on refunds"})
    assert (back["version"], back["rolled_back_to"], back["targets"][1]["weight"]) == (4, 2, 25)
    assert back["why"] == "worse on refunds"
    further = system.ok("POST", f"{URL}/rollback")
    assert (further["version"], further["rolled_back_to"], further["targets"][1]["weight"]) == (5, 1, 5)
    assert refused(system, "POST", f"{URL}/rollback") == (409, "nothing_before", None)
    assert system.ok("POST", f"{URL}/rollback", {"to": 3})["targets"][1]["weight"] == 50
    assert refused(system, "POST", f"{URL}/rollback", {"to": 17}) == (400, "invalid_value", "to")
    assert refused(system, "POST", f"{URL}/rollback", {"version": 5})[:2] == (412, "alias_changed")
    assert refused(system, "POST", "/v1/aliases/none/rollback") == (404, "not_found", "alias")


def test_a_retried_rollback_goes_back_once(system: System) -> None:
    for weight in (5, 25, 50):
        put(system, targets=[BIG, {**SMALL, "weight": weight}])
    first = system.call("POST", f"{URL}/rollback", {}, headers={"idempotency-key": "back"})
    assert system.call("POST", f"{URL}/rollback", {}, headers={"idempotency-key": "back"}) == first
    assert first[1]["version"] == 4


def test_it_goes_back_while_its_provider_is_away(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    put(system)
    put(system, targets=[BIG])
    monkeypatch.setenv("PROVIDER_BASE_URL", "http://127.0.0.1:9/v1")
    settings.cache_clear()
    registry.forget()
    assert system.ok("POST", f"{URL}/rollback")["version"] == 3
    assert put(system, targets=[BIG, {**SMALL, "weight": 0}])["version"] == 4
    for url, param in ((URL, "targets[0].model"), ("/v1/aliases/new", "alias")):
        status, refusal = system.call("PUT", url, {**NEW, "targets": [{"model": "other"}]})
        assert (status, refusal["error"]["code"], refusal["error"]["param"]) == (503, "provider_away", param)
        assert "'default' is away" in refusal["error"]["message"]


def test_nobody_goes_back_to_a_retired_model(system: System) -> None:
    version = trained("student", served_as="lab-small")
    put(system, targets=[{"model": "student"}])
    put(system)
    version.change({"retired_at": now()})
    registry.forget()
    assert refused(system, "POST", f"{URL}/rollback") == (400, "model_retired", "to")


def test_a_deleted_one_answers_no_more_and_its_versions_go_on(system: System) -> None:
    put(system)
    assert system.ok("DELETE", URL) == {"id": "quick-reply", "object": "alias.deleted", "deleted": True}
    assert refused(system, "GET", URL) == (404, "not_found", "alias")
    assert refused(system, "DELETE", URL) == (404, "not_found", "alias")
    assert system.ok("GET", "/v1/aliases")["data"] == []
    assert system.call("GET", "/v1/models/quick-reply")[0] == 404
    assert [version["deleted"] for version in system.ok("GET", f"{URL}/versions")["data"]] == [True, False]
    again = put(system)
    assert (again["version"], system.ok("POST", f"{URL}/rollback")["version"]) == (3, 4)
    assert system.call("GET", "/v1/aliases/none/versions")[0] == 404


BAD: list[tuple[dict[str, Any], str]] = [
    ({"targets": []}, "targets"),
    ({"targets": [{"model": ""}]}, "targets[0].model"),
    ({"targets": [{"model": "é" * 129}]}, "targets[0].model"),
    ({"targets": [{**BIG, "weight": -1}]}, "targets[0].weight"),
    ({"targets": [{**BIG, "weight": 0.5}]}, "targets[0].weight"),
    ({"targets": [{**BIG, "weight": True}]}, "targets[0].weight"),
    ({"targets": [{**BIG, "weight": 10**9}]}, "targets[0].weight"),
    ({"targets": [BIG, {**BIG, "weight": 1}]}, "targets[1].model"),
    ({"targets": [{**BIG, "weight": 0}]}, "targets[0].weight"),
    ({"targets": [BIG, {**SMALL, "weight": 0, "when": {"a": "b"}}]}, "targets[1].weight"),
    ({"targets": [{**BIG, "when": {"a": "b"}}]}, "targets"),
    ({"targets": [{**BIG, "when": {"a": 1}}]}, "targets[0].when.a"),
    ({"targets": [{**BIG, "when": {str(n): "b" for n in range(5)}}]}, "targets[0].when"),
    ({"targets": [{**BIG, "when": {"a": "x" * 513}}]}, "targets[0].when.a"),
    ({"targets": [{**BIG, "wieght": 1}]}, "targets[0].wieght"),
    ({"targets": [{"model": f"m{n}"} for n in range(21)]}, "targets"),
    ({"targets": [{"model": "nobody"}]}, "targets[0].model"),
    ({"targets": [{"model": "quick-reply"}]}, "targets[0].model"),
    ({"targets": [BIG, {"model": "other"}]}, "targets[1].model"),
    ({"fallback": "other"}, "fallback"),
    ({"fallback": "nobody"}, "fallback"),
    ({"fallback": "gone"}, "fallback"),
    ({"targets": [{"model": "gone"}]}, "targets[0].model"),
    ({"sticky_by": {}}, "sticky_by"),
    ({"sticky_by": {"header": "x y"}}, "sticky_by.header"),
    ({"sticky_by": {"metadata": ""}}, "sticky_by.metadata"),
    ({"promote_on": "always"}, "promote_on"),
    ({"why": "x" * 2049}, "why"),
    ({"verdict_id": "verdict_none"}, "verdict_id"),
    ({"version": -1}, "version"),
]


def test_what_cannot_be_is_refused_by_its_field(system: System) -> None:
    put(system, "/v1/aliases/other")
    trained("gone", retired_at=7)
    for fields, param in BAD:
        status, answer = system.call("PUT", URL, {**NEW, **fields})
        assert (status in {400, 404}, answer["error"]["param"]) == (True, param), (fields, answer)
    assert system.call("GET", URL)[0] == 404


CASCADE = {"to": "lab-judge", "by": "logprob", "threshold": -0.125}


def test_a_cascade_is_kept_shown_and_gone_back_to(system: System) -> None:
    made = put(system, targets=[{**SMALL, "cascade": CASCADE}], fallback=None)
    place = {name: made["targets"][0]["cascade"]["place"][name] for name in ("provider", "model", "model_there")}
    assert made["targets"][0]["cascade"].items() >= CASCADE.items()
    assert place == {"provider": "default", "model": "lab-judge", "model_there": "lab-judge"}
    assert put(system, targets=[{**SMALL, "cascade": CASCADE}], fallback=None)["version"] == 1
    assert put(system, targets=[SMALL], fallback=None)["targets"][0]["cascade"] is None
    back = system.ok("POST", f"{URL}/rollback", {})
    assert back["targets"][0]["cascade"].items() >= CASCADE.items()
    versions = system.ok("GET", f"{URL}/versions")["data"]
    assert [version["targets"][0]["cascade"] for version in versions] == [CASCADE, None, CASCADE]
    assert system.ok("GET", "/v1/models/quick-reply")["alias"]["models"] == ["lab-small", "lab-judge"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"to": "lab-small"}, "to"),
        ({"to": "nobody"}, "to"),
        ({"to": "quick-reply"}, "to"),
        ({"to": ""}, "to"),
        ({"by": "judge"}, "by"),
        ({"threshold": 0.1}, "threshold"),
        ({"threshold": "low"}, "threshold"),
        ({"threshold": None}, "threshold"),
        ({"least": 1}, "least"),
    ],
)
def test_a_cascade_that_cannot_be_is_refused_by_its_field(wrong: dict[str, Any], field: str, system: System) -> None:
    target = {**SMALL, "cascade": {**CASCADE, **wrong}}
    status, answer = system.call("PUT", URL, {"targets": [target]})
    assert (status in {400, 404}, answer["error"]["param"]) == (True, f"targets[0].cascade.{field}")


def test_the_teacher_of_a_cascade_is_not_retired(system: System) -> None:
    system.ok("POST", "/v1/providers", {"name": "alpha", "base_url": "https://alpha.example/v1", "models": ["m"]})
    registry.forget()
    trained("teacher", provider="alpha", served_as="m")
    put(system, targets=[{**SMALL, "cascade": {**CASCADE, "to": "teacher"}}], fallback=None)
    assert refused(system, "DELETE", "/v1/models/teacher") == (409, "model_in_use", "model")


@pytest.mark.parametrize("name", ["a%2Fb", "ft:x", "-a", "a" * 65, "%C3%A9", "a%20b", "a%0A"])
def test_a_name_that_none_can_have_is_refused(system: System, name: str) -> None:
    assert refused(system, "PUT", f"/v1/aliases/{name}", NEW) == (400, "invalid_value", "alias")
    assert system.call("GET", f"/v1/aliases/{name}")[0] == 404


def test_it_hides_no_model_and_no_model_hides_it(system: System) -> None:
    trained("student")
    for taken in ("lab-small", "student"):
        assert refused(system, "PUT", f"/v1/aliases/{taken}", NEW) == (409, "model_exists", "alias")
    put(system)
    hidden = {"id": "quick-reply", "base": "lab-small", "url": "http://127.0.0.1:9/v1"}
    assert refused(system, "POST", "/v1/models", hidden) == (409, "alias_exists", "id")
    listing = {"name": "alpha", "base_url": "https://alpha.example/v1", "models": ["quick-reply"]}
    assert refused(system, "POST", "/v1/providers", listing) == (409, "alias_exists", "models")
    system.ok("POST", "/v1/providers", {**listing, "models": []})
    assert refused(system, "POST", "/v1/providers/alpha", {"models": ["quick-reply"]})[1] == "alias_exists"


def test_what_it_points_at_is_not_retired_nor_its_provider_removed(system: System) -> None:
    system.ok("POST", "/v1/providers", {"name": "alpha", "base_url": "https://alpha.example/v1", "models": ["m"]})
    registry.forget()
    trained("student", provider="alpha", served_as="m")
    put(system, targets=[BIG], fallback="student")
    assert refused(system, "DELETE", "/v1/models/student") == (409, "model_in_use", "model")
    assert refused(system, "DELETE", "/v1/providers/alpha")[:2] == (409, "provider_needed")
    retire(RetireModel(model_id="student"))
    assert ModelVersion.load("student").retired_at is None
    put(system, fallback=None)
    assert system.ok("DELETE", "/v1/models/student")["deleted"] is True


def test_there_are_only_so_many(system: System) -> None:
    kept = put(system)
    for number in range(MOST_ALIASES - 1):
        fields = {**Alias.load("quick-reply").model_dump(), "id": f"a{number}"}
        Alias.model_validate(fields).create()
    assert refused(system, "PUT", "/v1/aliases/more", NEW) == (409, "too_many_aliases", "alias")
    assert put(system, targets=[BIG])["version"] == kept["version"] + 1


def test_its_models_and_its_verdict_are_its_lineage(system: System) -> None:
    put(system)
    graph = system.ok("GET", "/v1/lineage/quick-reply")
    above = {(node["kind"], node["id"]) for node in graph["nodes"] if node["side"] == "up"}
    assert above == {("model", "lab-judge"), ("model", "lab-small")}
    below = system.ok("GET", "/v1/lineage/lab-small")["nodes"]
    assert {"id": "quick-reply", "kind": "alias", "side": "down"} in below
