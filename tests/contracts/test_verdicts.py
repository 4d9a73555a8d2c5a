"""A verdict is what its published schema says: `events/verdicts/` has a message of each outcome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from distillations.telling import Notification
from distillations.verdict import Decision, Verdict
from local.reference.files import VERDICT, verdict_schema
from tests.distillations.documents import verdict

SAMPLES = {path.stem: path for path in (Path(__file__).parents[2] / "events" / "verdicts").glob("*.json")}
SCHEMA = json.loads(VERDICT.read_text(encoding="utf-8"))


def faults(document: Any) -> list[str]:
    return [error.json_path for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)]


def _holds(document: Any, older: Any) -> bool:
    """Whether a document says what an older one says, new fields aside."""
    if isinstance(document, dict) and isinstance(older, dict):
        return all(name in document and _holds(document[name], value) for name, value in older.items())
    if isinstance(document, list) and isinstance(older, list):
        return len(document) == len(older) and all(map(_holds, document, older))
    return bool(document == older)


def test_the_published_schema_is_that_of_the_code() -> None:
    assert verdict_schema() == SCHEMA


def test_every_outcome_has_its_sample() -> None:
    assert set(SAMPLES) == set(get_args(Decision.__value__))


@pytest.mark.parametrize("outcome", sorted(SAMPLES))
def test_a_sample_is_a_message_whose_verdict_is_valid(outcome: str) -> None:
    message = json.loads(SAMPLES[outcome].read_text(encoding="utf-8"))
    assert message["verdict"]["outcome"] == outcome
    assert faults(message["verdict"]) == []
    document = Notification(at=0, **message).document()
    # A field that is new has its empty value in what was written before it.
    assert _holds(document["verdict"], message["verdict"])
    assert {**document, "verdict": message["verdict"]} == message


@pytest.mark.parametrize("broken", [{"outcome": "best"}, {"gain": "much"}, {"schema_version": "0"}, {"rows": None}])
def test_what_is_no_verdict_is_not_valid(broken: dict[str, Any]) -> None:
    [[name, _]] = broken.items()
    assert faults(verdict().model_dump(mode="json") | broken) == [f"$.{name}"]


def test_a_verdict_of_before_is_valid_when_it_is_read() -> None:
    """What was stored without the newer fields gets their empty values."""
    newer = {"cascade", "graders", "calls", "saving", "training_set", "reuse", "schema_version"}
    stored = {name: value for name, value in verdict().model_dump(mode="json").items() if name not in newer}
    assert faults(Verdict.model_validate(stored).model_dump(mode="json")) == []
