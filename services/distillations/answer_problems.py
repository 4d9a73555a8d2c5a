"""What is wrong with an answer by its own request: not the format that was asked for, or calls that cannot be made.

In: the message of an answer, and the request that it answers. Out: the first fault in a sentence, without a word of the
answer; None where there is none. Of captured answers curation drops what has one; a correction with one is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from completions.messages import calls_of, text_of
from distillations.schemas import problem_with


def format_problem(message: dict[str, Any], request: dict[str, Any]) -> str | None:
    """How the answer breaks the request's `response_format`.

    An answer that only calls tools is none in that format. A schema that cannot be used says nothing about the answer.
    """
    asked = request.get("response_format")
    kind = asked.get("type") if isinstance(asked, dict) else None
    if kind not in ("json_object", "json_schema") or calls_of(message):
        return None
    try:
        answer = orjson.loads(text_of(message.get("content")))
    except orjson.JSONDecodeError:
        return "The request asked for JSON, and the answer is none."
    if kind == "json_object":
        return None if isinstance(answer, dict) else "The request asked for a JSON object."
    problem = problem_with(answer, _schema(asked))
    return f"The answer breaks the request's schema: {problem}." if problem else None


def _schema(asked: Any) -> Any:
    described = asked.get("json_schema")
    return described.get("schema") if isinstance(described, dict) else None


def calls_problem(message: dict[str, Any], request: dict[str, Any]) -> str | None:
    """Which call of the answer names no tool that was offered, or has arguments that break the tool's schema.

    Calls of custom tools have no schema; that they name an offered tool is all that can be asked of them.
    """
    offered = dict(_offered(request))
    problems = (_problem(call, offered) for call in calls_of(message))
    return next((problem for problem in problems if problem), None)


def _offered(request: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The name and the schema of each tool that was offered."""
    for field in ("tools", "functions"):
        tools = request.get(field)
        for tool in tools if isinstance(tools, list) else []:
            described = (tool.get("function") or tool.get("custom") or tool) if isinstance(tool, dict) else None
            if isinstance(described, dict) and isinstance(described.get("name"), str):
                yield described["name"], described.get("parameters")


def _problem(call: Any, offered: dict[str, Any]) -> str | None:
    """What is wrong with a call; None where nothing is, or where it is no call and another rule says so."""
    function = call.get("function") if isinstance(call, dict) else None
    custom = call.get("custom") if isinstance(call, dict) else None
    named = function if isinstance(function, dict) else custom
    if not isinstance(named, dict):
        return None
    if named["name"] not in offered:
        return "It calls a tool that was not offered."
    if named is custom:
        return None
    try:
        arguments = orjson.loads(named["arguments"])
    except orjson.JSONDecodeError:
        return "The arguments of a call are no JSON."
    problem = problem_with(arguments, offered[named["name"]])
    return f"The arguments of a call break the tool's schema: {problem}." if problem else None
