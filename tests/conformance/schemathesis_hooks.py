"""A check of schemathesis that notes every place where an answer differs from its schema, rather than the first.

It runs in the suites' own environment. Out, added to the file that NOTES names: `GET /path 200` for an answer, and per
difference `GET /path 200 /data/*/field keyword`, where `*` is any position in a list. An event of a stream is held
against its schema as an answer is, at `event/…`. SPECIFICATION names the file with the schemas.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import schemathesis

_STREAM = "text/event-stream"


@schemathesis.check
def schema_differences(ctx: Any, response: Any, case: Any) -> None:  # noqa: ARG001 - the signature of a check
    label, status = case.operation.label, str(response.status_code)
    if not label.startswith(f"{case.method.upper()} "):
        return  # a method that the path does not have
    _note(f"{label} {status}")
    kind = response.headers["content-type"][0].partition(";")[0]
    validator = _validator(label, status, kind)
    if validator is None:
        return
    for root, document in _events(response.content) if kind == _STREAM else [("", response.json())]:
        for error in validator.iter_errors(document):
            place = "".join("/*" if isinstance(step, int) else f"/{step}" for step in error.instance_path)
            _note(f"{label} {status} {root}{place} {error.schema_path[-1]}")


def _events(stream: bytes) -> Iterator[tuple[str, Any]]:
    for line in stream.decode().splitlines():
        if line.startswith("data: ") and line != "data: [DONE]":
            yield "event", json.loads(line.removeprefix("data: "))


@cache
def _validator(label: str, status: str, kind: str) -> jsonschema_rs.Draft202012Validator | None:
    specification = json.loads(Path(os.environ["SPECIFICATION"]).read_text(encoding="utf-8"))
    method, path = label.split(" ", 1)
    answers = specification["paths"][path][method.lower()]["responses"]
    documented = answers.get(status, {}).get("content", {}).get(kind)
    if documented is None:
        return None
    return jsonschema_rs.Draft202012Validator(documented["schema"] | {"components": specification["components"]})


def _note(line: str) -> None:
    with Path(os.environ["NOTES"]).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
