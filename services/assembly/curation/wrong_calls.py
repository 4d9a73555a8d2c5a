"""`wrong_calls`: drops an answer that calls a tool that was not offered, or with arguments that break its schema.

Calls of custom tools have no schema; that they name an offered tool is all that can be asked of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from assembly.curation.rule import Candidate, Finding, Known
from assembly.schemas import problem_with
from completions.messages import calls_of
from distillations.recipe import WrongCalls


def judge(candidate: Candidate, settings: WrongCalls, known: Known) -> Finding | None:  # noqa: ARG001
    offered = dict(_offered(candidate.completion.request))
    problems = (_problem(call, offered) for call in calls_of(candidate.message))
    problem = next((problem for problem in problems if problem), None)
    return Finding(problem) if problem else None


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
