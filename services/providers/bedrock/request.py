"""The request of a chat completion as one of Bedrock's Converse.

In: a request in OpenAI's shape. Out: the parameters of boto3's `converse`. What has no counterpart raises Unsupported,
which names the field; nothing that could change an answer is left out in silence. Fields of `_WITHOUT_EFFECT` are left
out: they say who asks and how the answer travels. `additionalModelRequestFields` and `guardrailConfig` are Bedrock's
own, and go to it as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from providers.bedrock.content import TOOL_NAME, calls_tools, system_blocks, turns
from providers.unsupported import Unsupported

_WITHOUT_EFFECT = frozenset(
    {"prompt_cache_key", "prompt_cache_retention", "safety_identifier", "store", "stream", "stream_options", "user"}
)
_NATIVE = frozenset({"additionalModelRequestFields", "guardrailConfig"})
# Values that ask for nothing, by field. Any other value of these is refused.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "modalities": (["text"],),
    "parallel_tool_calls": (True,),
    "verbosity": ("medium",),
}
_MAPPED = frozenset(
    {
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "reasoning_effort",
        "response_format",
        "service_tier",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
    }
)
_TIERS = frozenset({"priority", "default", "flex", "reserved"})
_METADATA = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,\-.]{0,256}")
_MOST_PAIRS = 16
_MOST_STOPS = 2500
_LONGEST_EFFORT = 16
_NO_PARAMETERS = {"type": "object", "properties": {}}
JSON_ONLY = "Answer with one JSON object, and with nothing before or after it."
"""What a model is told where JSON without a schema is asked for, which Converse cannot ask for."""


def converse_request(request: dict[str, Any]) -> dict[str, Any]:
    """The parameters of `converse`."""
    _refuse_unmapped(request)
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Unsupported("messages", "a list of messages is expected.", code="invalid_type")
    system = system_blocks(messages)
    if _format(request) == "json_object":
        system.append({"text": JSON_ONLY})
    made = {
        "modelId": request["model"],
        "messages": turns(messages),
        "system": system,
        "inferenceConfig": dict(_inference(request)),
        "toolConfig": _tool_config(request, calls_tools(messages)),
        "outputConfig": dict(_output(request)),
        "requestMetadata": _metadata(request.get("metadata")),
        "serviceTier": _tier(request.get("service_tier")),
        **{name: request[name] for name in _NATIVE if request.get(name)},
    }
    return {name: value for name, value in made.items() if value}


def _refuse_unmapped(request: dict[str, Any]) -> None:
    for name, value in request.items():
        if value is None or name in _MAPPED or name in _WITHOUT_EFFECT or name in _NATIVE:
            continue
        if value not in _NEUTRAL.get(name, ()):
            raise Unsupported(
                name[:64], "Bedrock's Converse has no counterpart. Leave it out, or ask another provider."
            )


def _inference(request: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    most = request.get("max_completion_tokens") or request.get("max_tokens")
    if most is not None:
        if type(most) is not int or most < 1:
            raise Unsupported("max_completion_tokens", "a whole number above 0 is expected.", code="invalid_value")
        yield "maxTokens", most
    for name, there in (("temperature", "temperature"), ("top_p", "topP")):
        value = request.get(name)
        if value is not None:
            if type(value) not in {int, float} or not 0 <= value <= 1:
                raise Unsupported(name, "Bedrock takes 0 to 1.", code="unsupported_value")
            yield there, value
    stops = _stops(request.get("stop"))
    if stops:
        yield "stopSequences", stops


def _stops(stop: Any) -> list[str]:
    stops = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(stops, list) or not all(isinstance(text, str) and text for text in stops):
        raise Unsupported("stop", "a text or a list of texts is expected, none of them empty.", code="invalid_value")
    if len(stops) > _MOST_STOPS:
        raise Unsupported("stop", f"Bedrock takes at most {_MOST_STOPS}.", code="unsupported_value")
    return stops


def _tool_config(request: dict[str, Any], called: bool) -> dict[str, Any]:
    tools = request.get("tools") or []
    if not isinstance(tools, list):
        raise Unsupported("tools", "a list of tools is expected.", code="invalid_type")
    specs = [{"toolSpec": _spec(tool, f"tools[{number}]")} for number, tool in enumerate(tools)]
    choice = request.get("tool_choice")
    if called and not specs:
        raise Unsupported("tools", "Bedrock wants the tools that earlier messages call. Send them again.")
    if choice == "none":
        if called:
            raise Unsupported(
                "tool_choice",
                "Bedrock cannot be told to call none of the tools that earlier messages call. Leave it out, or answer "
                "the calls in a message of the user.",
            )
        return {}
    if not specs:
        return {}
    return {"tools": specs, **({"toolChoice": _choice(choice)} if choice is not None else {})}


def _spec(tool: Any, place: str) -> dict[str, Any]:
    match tool:
        case {"type": "function", "function": {"name": str(name), **function}}:
            if not TOOL_NAME.fullmatch(name):
                raise Unsupported(f"{place}.function.name", "Bedrock takes 1 to 64 of a-z, A-Z, 0-9, _ and -.")
            spec: dict[str, Any] = {"name": name, "inputSchema": {"json": function.get("parameters") or _NO_PARAMETERS}}
            if function.get("description"):
                spec["description"] = function["description"]
            if function.get("strict"):
                spec["strict"] = True
            return spec
        case {"type": str(kind)} if kind != "function":
            raise Unsupported(f"{place}.type", "Converse takes functions alone.")
        case _:
            raise Unsupported(place, "a function with a name is expected.", code="invalid_type")


def _choice(choice: Any) -> dict[str, Any]:
    match choice:
        case "auto":
            return {"auto": {}}
        case "required":
            return {"any": {}}
        case {"type": "function", "function": {"name": str(name)}}:
            if not TOOL_NAME.fullmatch(name):
                raise Unsupported("tool_choice.function.name", "it is none of the tools.", code="invalid_value")
            return {"tool": {"name": name}}
        case _:
            raise Unsupported("tool_choice", "Converse takes auto, required, none and the name of one function.")


def _format(request: dict[str, Any]) -> str:
    wanted = request.get("response_format")
    if wanted is None:
        return "text"
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind not in {"text", "json_object", "json_schema"}:
        raise Unsupported("response_format.type", "use text, json_object or json_schema.", code="invalid_value")
    return str(kind)


def _output(request: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if _format(request) == "json_schema":
        yield "textFormat", {"type": "json_schema", "structure": {"jsonSchema": _schema(request["response_format"])}}
    effort = request.get("reasoning_effort")
    if effort is not None:
        if not isinstance(effort, str) or len(effort) > _LONGEST_EFFORT:
            raise Unsupported("reasoning_effort", "a word of at most 16 letters is expected.", code="invalid_value")
        yield "effort", effort


def _schema(wanted: dict[str, Any]) -> dict[str, Any]:
    given = wanted.get("json_schema")
    if not isinstance(given, dict) or not isinstance(given.get("schema"), dict):
        raise Unsupported(
            "response_format.json_schema.schema", "a schema is expected.", code="missing_required_parameter"
        )
    named = {name: given[name] for name in ("name", "description") if isinstance(given.get(name), str) and given[name]}
    return {"schema": orjson.dumps(given["schema"]).decode(), **named}


def _metadata(metadata: Any) -> dict[str, str]:
    if not metadata:
        return {}
    if not isinstance(metadata, dict) or len(metadata) > _MOST_PAIRS:
        raise Unsupported("metadata", f"at most {_MOST_PAIRS} pairs of texts are expected.", code="invalid_value")
    for name, value in metadata.items():
        if not name or not isinstance(value, str) or not (_METADATA.fullmatch(name) and _METADATA.fullmatch(value)):
            raise Unsupported(
                f"metadata.{name[:64]}", "Bedrock takes 256 letters, digits, spaces and :_@$#=/+,-. of them."
            )
    return metadata


def _tier(tier: Any) -> dict[str, Any]:
    if tier in {None, "auto"}:
        return {}
    if tier not in _TIERS:
        raise Unsupported("service_tier", f"Bedrock has auto, {', '.join(sorted(_TIERS))}.", code="unsupported_value")
    return {"type": tier}
