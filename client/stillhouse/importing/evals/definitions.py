"""Convert parts of OpenAI's answers about evals and runs to requests of Stillhouse."""

from __future__ import annotations

from itertools import chain
from typing import Any


def config(answered: dict[str, Any]) -> dict[str, Any]:
    """Return the `data_source_config` to create an eval with, from the one that OpenAI answers with."""
    if answered.get("type") in ("logs", "stored_completions"):
        return {"type": answered["type"], "metadata": answered.get("metadata")}
    properties = (answered.get("schema") or {}).get("properties") or {}
    schema = answered.get("item_schema") or properties.get("item") or {"type": "object"}
    samples = bool(answered.get("include_sample_schema") or "sample" in properties)
    return {"type": "custom", "item_schema": schema, "include_sample_schema": samples}


def asks_for_json(source: dict[str, Any]) -> bool:
    """Tell whether a run asked for JSON, by the parameters of chat completions or those of responses."""
    parameters = source.get("sampling_params") or {}
    wanted = parameters.get("response_format") or (parameters.get("text") or {}).get("format") or {}
    return str(wanted.get("type", "")).startswith("json")


def hosted_tools(source: dict[str, Any]) -> list[str]:
    """Return the types of a run's tools that only OpenAI can run, such as web search."""
    parameters, selected = source.get("sampling_params") or {}, source.get("source") or {}
    given = chain(parameters.get("tools") or (), selected.get("tools") or ())
    kinds = {str(tool.get("type")) if isinstance(tool, dict) else str(tool) for tool in given}
    return sorted(kinds - {"function", "custom"})


def named(kind: str, entity: dict[str, Any]) -> str:
    """Name an eval or run for people: its kind, its id, and its name if that is not the id."""
    name = entity.get("name")
    return f"{kind} {entity['id']}" + (f" “{name}”" if name and name != entity["id"] else "")
