"""Schemathesis with OpenAI's specification of the chat completions, against the deployed stack.

The specification documents only success; what a server refuses, it leaves open. Here a refusal is documented too, per
operation: 400 where the request is wrong, 404 where what it names is not there, and the body is its `ErrorResponse`.
Any other status is a finding.

It is drawn so often that each of the listed differences is seen. That takes a minute, so the soak alone does it: what
`make test` holds of these routes is the strict client of OpenAI's own suite, and the description of ours.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import REPOSITORY, Run
from tests.conformance.seed import MODEL

pytestmark = [pytest.mark.data, pytest.mark.soak(alone=True)]

SPECIFICATION = REPOSITORY.parent / "shared" / "openai-openapi.json.gz"
REFUSALS = {
    "GET /chat/completions": {"400"},
    "POST /chat/completions": {"400", "404"},
    "GET /chat/completions/{completion_id}": {"404"},
    "POST /chat/completions/{completion_id}": {"400", "404"},
    "DELETE /chat/completions/{completion_id}": {"404"},
    "GET /chat/completions/{completion_id}/messages": {"400", "404"},
}


@pytest.fixture
def specification(tmp_path: Path) -> Path:
    """The part on chat completions, with refusals, metadata as the SDK sends it, a stream, models that are there."""
    if not SPECIFICATION.exists():
        pytest.skip("OpenAI's specification is not beside the checkout")
    document = json.loads(gzip.decompress(SPECIFICATION.read_bytes()))
    paths = {path: document["paths"][path] for path in {label.partition(" ")[2] for label in REFUSALS}}
    refusal = {"$ref": "#/components/schemas/ErrorResponse"}
    answer = {"description": "Refused", "content": {"application/json": {"schema": refusal}}}
    for label, statuses in REFUSALS.items():
        method, _, path = label.partition(" ")
        operation: dict[str, Any] = paths[path][method.lower()]
        operation["responses"] |= dict.fromkeys(statuses, answer)
        for parameter in operation.get("parameters", []):
            if parameter["name"] == "metadata":
                parameter |= {"style": "deepObject", "explode": True}
    asked = {"model": MODEL, "messages": [{"role": "user", "content": "yes?"}], "stream": True, "store": True}
    body = paths["/chat/completions"]["post"]["requestBody"]["content"]["application/json"]
    body["examples"] = {"stream": {"value": asked}}
    document["components"]["schemas"]["ModelIdsShared"] = {"type": "string", "enum": [MODEL, "no-such-model"]}
    restricted = tmp_path / "specification.json"
    restricted.write_text(json.dumps(document | {"paths": paths}), encoding="utf-8")
    return restricted


def test_no_server_error_no_undocumented_status_and_exactly_the_listed_differences(
    specification: Path, front: str, run: Run, listed: Callable[[str], set[str]], *, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    here = Path(__file__).parent
    settings = ("--config-file", str(here / "schemathesis.toml"))

    ended = run(
        *("schemathesis", *settings, "run", str(specification), "--url", front, "--no-color"),
        cwd=tmp_path,
        PYTHONPATH=str(here),
        SCHEMATHESIS_HOOKS="schemathesis_hooks",
        SPECIFICATION=str(specification),
        NOTES=str(notes),
    )

    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr
    noted = set(notes.read_text(encoding="utf-8").splitlines())
    differing = {line for line in noted if line.count(" ") > 2}
    assert differing == listed("openapi_differences.txt")
    assert {f"{label} 200" for label in REFUSALS} <= noted
