"""What OpenAI's answers say of evals and runs, as Stillhouse is asked for the same."""

from __future__ import annotations

from itertools import chain
from typing import Any


def config(found: dict[str, Any]) -> dict[str, Any]:
    """The data source of an eval as it is given, from one as it is answered."""
    if found.get("type") in ("logs", "stored_completions"):
        return {"type": found["type"], "metadata": found.get("metadata")}
    properties = (found.get("schema") or {}).get("properties") or {}
    schema = found.get("item_schema") or properties.get("item") or {"type": "object"}
    samples = bool(found.get("include_sample_schema") or "sample" in properties)
    return {"type": "custom", "item_schema": schema, "include_sample_schema": samples}


def asks_for_json(source: dict[str, Any]) -> bool:
    """Whether a run's samples were held to JSON, as chat completions or responses say it."""
    parameters = source.get("sampling_params") or {}
    wanted = parameters.get("response_format") or (parameters.get("text") or {}).get("format") or {}
    return str(wanted.get("type", "")).startswith("json")


def hosted_tools(source: dict[str, Any]) -> list[str]:
    """The tools that only OpenAI can run."""
    parameters, selected = source.get("sampling_params") or {}, source.get("source") or {}
    given = chain(parameters.get("tools") or (), selected.get("tools") or ())
    kinds = {str(tool.get("type")) if isinstance(tool, dict) else str(tool) for tool in given}
    return sorted(kinds - {"function", "custom"})


def named(kind: str, found: dict[str, Any]) -> str:
    """For people: the kind, the id, and the name where it says more."""
    name = found.get("name")
    return f"{kind} {found['id']}" + (f" “{name}”" if name and name != found["id"] else "")
