"""The API's description: it is fresh, it covers every route, its examples are sound, and real answers match it.

`RECORD_EXAMPLES=1` writes the examples anew from the answers of the tour; `make examples` sets it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from local.reference.files import DOCUMENT, EXAMPLES, written
from tests.api.tour import examples, tour
from tests.flow.system import System

API: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in API["paths"].items()
    for method, operation in methods.items()
}

PASSED_ON = {label for label, operation in OPERATIONS.items() if operation["tags"] == ["Passed on"]}
"""Their answers are the provider's: they have no example, and no schema that could be held against an answer."""


def faults(schema: Any, document: Any) -> Iterator[str]:
    """Where a document differs from a schema of the description."""
    validator = Draft202012Validator({**schema, "components": API["components"]})
    return (f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document))


def test_the_description_and_the_reference_are_what_make_reference_writes() -> None:
    stale = [path.name for path, text in written().items() if not path.exists() or path.read_text("utf-8") != text]
    assert not stale, "run 'make reference'"


def test_every_route_is_described_with_its_answer_and_its_errors() -> None:
    for label, operation in OPERATIONS.items():
        success = [status for status in operation["responses"] if status < "400" and status != "303"]
        assert len(success) == 1, label
        assert "content" in operation["responses"][success[0]] or success == ["307"], label
        assert {"500", "503"} <= set(operation["responses"]), label
        # A webhook has a signature in place of a key.
        asks_who = bool(operation["security"]) or label == "POST /hooks/{name}"
        assert ("401" in operation["responses"]) == asks_who, label


def test_what_may_be_too_large_for_an_answer_says_that_it_comes_by_a_link() -> None:
    linked = {label for label, operation in OPERATIONS.items() if "303" in operation["responses"]}
    assert {"GET /chat/completions/{completion_id}", "POST /evals", "GET /files"} <= linked
    assert not linked & {"POST /captures", "POST /chat/completions", "GET /exports/completions", "GET /openapi.json"}


def test_every_query_parameter_that_is_read_is_described() -> None:
    described = {
        parameter["name"] for operation in OPERATIONS.values() for parameter in operation.get("parameters", [])
    }
    read = {
        name
        for path in (DOCUMENT.parent).glob("*.py")
        for name in re.findall(r'(?:query_of|names_of|_share)\((?:router, )?"(\w+)"', path.read_text("utf-8"))
    }
    assert len(read) > 10
    assert read <= described


def test_a_real_answer_of_every_route_matches_its_schema_and_a_documented_status(system: System) -> None:
    visits = tour(system)
    assert {visit.label for visit in visits} == OPERATIONS.keys() - PASSED_ON
    collected = []
    for visit in visits:
        answers = OPERATIONS[visit.label]["responses"]
        assert str(visit.status) in answers, (visit.label, visit.status, visit.answer)
        assert visit.status < 400, (visit.label, visit.answer)
        content = answers[str(visit.status)].get("content", {})
        if "application/json" in content:
            collected += [
                f"{visit.label} {fault}" for fault in faults(content["application/json"]["schema"], visit.answer)
            ]
    assert not collected, "\n".join(collected)
    if os.environ.get("RECORD_EXAMPLES"):
        text = json.dumps(examples(visits), indent=1, ensure_ascii=False)
        EXAMPLES.write_text(text + "\n", encoding="utf-8")


@pytest.mark.parametrize("label", sorted(OPERATIONS.keys() - PASSED_ON))
def test_examples_are_there_and_match_their_schemas(label: str) -> None:
    operation = OPERATIONS[label]
    bodies = operation.get("requestBody", {}).get("content", {})
    answers = [answer.get("content", {}) for status, answer in operation["responses"].items() if status < "400"]
    for content in (bodies, *answers):
        if label != "GET /openapi.json" and "application/json" in content:
            described = content["application/json"]
            assert not list(faults(described["schema"], described["example"])), label


def test_the_description_is_answered_without_a_key_and_names_this_stack(system: System) -> None:
    status, answer = system.call("GET", "/v1/openapi.json", key=None)
    assert status == 200
    assert answer["openapi"] == "3.1.0"
    assert answer["servers"] == [{"url": "https://api.test/v1"}]
    assert answer["paths"] == API["paths"]
