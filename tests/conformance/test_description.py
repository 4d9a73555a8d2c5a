"""Schemathesis with our own description, against the system in process: the stack's handlers on AWS in memory.

No answer is a server error, every status is documented, and every answer matches its schema. Most requests name objects
that exist; the others show how what does not exist is refused.

Without `--soak` every third operation is asked, once. `tests/api/test_description.py` holds a real answer of each, and
`System.call` every status that any test gets.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.reference.files import DOCUMENT
from tests.api.tour import Visit, tour
from tests.conformance.conftest import Run
from tests.conformance.in_process import served
from tests.flow.system import System

FEW = 1
ONE_IN = 3
METHODS = frozenset({"get", "put", "post", "delete", "patch"})
OURS = Path(__file__).with_name("schemathesis_ours.toml")


def known_ids(visits: list[Visit]) -> dict[str, str]:
    """An object that the tour leaves behind for each parameter of a path."""
    distillation = next(visit.answer for visit in visits if visit.label == "GET /distillations/{distillation_id}")
    return {
        "completion_id": "chatcmpl-tour-0",
        "distillation_id": distillation["id"],
        "dataset_id": distillation["dataset_id"],
        "job_id": distillation["job_id"],
        "model": distillation["student"],
        "object_id": distillation["model"],
        "eval_id": distillation["eval_id"],
        "run_id": distillation["runs"]["teacher"],
    }


def with_ids(ids: dict[str, str]) -> str:
    """The settings, with a dictionary for each parameter."""
    dictionaries = [f"{name} = {{ values = [{json.dumps(value)}] }}" for name, value in ids.items()]
    parameters = [f'"path.{name}" = {{ dictionary = "{name}", probability = 0.7 }}' for name in ids]
    added = ["", "[dictionaries]", *dictionaries, "", "[parameters]", *parameters]
    return OURS.read_text(encoding="utf-8") + "\n".join(added) + "\n"


def described(one_in: int) -> dict[str, Any]:
    """The description, of whose operations one in so many is kept."""
    document: dict[str, Any] = json.loads(DOCUMENT.read_bytes())
    labels = [(path, name) for path, item in document["paths"].items() for name in item if name in METHODS]
    for path, name in {*labels} - {*labels[::one_in]}:
        del document["paths"][path][name]
    return document


@pytest.mark.soak
def test_no_server_error_no_undocumented_status_and_every_answer_matches(
    system: System, run: Run, tmp_path: Path, soak: bool
) -> None:
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(with_ids(known_ids(tour(system))), encoding="utf-8")

    few = () if soak else ("--max-examples", str(FEW))
    description = tmp_path / "openapi.json"
    description.write_text(json.dumps(described(1 if soak else ONE_IN)), encoding="utf-8")
    with served(system) as url:
        ended = run(
            *(
                "schemathesis",
                "--config-file",
                str(settings),
                "run",
                str(description),
                "--url",
                url,
                "--no-color",
                *few,
            ),
            cwd=tmp_path,
        )

    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr
