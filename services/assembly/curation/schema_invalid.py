"""`schema_invalid`: drops an answer that is not what the request's own `response_format` asked for.

An answer that only calls tools is none in that format. A schema that cannot be used says nothing about the answer.
"""

from __future__ import annotations

from typing import Any

import orjson

from assembly.curation.rule import Candidate, Finding, Known
from assembly.schemas import problem_with
from completions.messages import calls_of, text_of
from distillations.recipe import SchemaInvalid


def judge(candidate: Candidate, settings: SchemaInvalid, known: Known) -> Finding | None:  # noqa: ARG001
    asked = candidate.completion.request.get("response_format")
    kind = asked.get("type") if isinstance(asked, dict) else None
    if kind not in ("json_object", "json_schema") or calls_of(candidate.message):
        return None
    try:
        answer = orjson.loads(text_of(candidate.message.get("content")))
    except orjson.JSONDecodeError:
        return Finding("The request asked for JSON, and the answer is none.")
    if kind == "json_object":
        return None if isinstance(answer, dict) else Finding("The request asked for a JSON object.")
    problem = problem_with(answer, _schema(asked))
    return Finding(f"The answer breaks the request's schema: {problem}.") if problem else None


def _schema(asked: Any) -> Any:
    described = asked.get("json_schema")
    return described.get("schema") if isinstance(described, dict) else None
