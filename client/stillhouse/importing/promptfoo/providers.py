"""Convert Promptfoo's providers to models of Stillhouse: `openai:gpt-4o` is `gpt-4o`, `groq:llama-3` `groq/llama-3`.

In: an id, or an object with id and config. Out: the model's name and its sampling parameters. A provider that is no
chat model (a script, an agent, an address) raises Unmapped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stillhouse.importing.source import Unmapped

_NO_MODELS = frozenset(
    {
        "a2a", "browser", "echo", "exec", "file", "golang", "http", "https", "javascript", "manual-input", "mcp",
        "package", "promptfoo", "python", "ruby", "sequence", "simulated-user", "slack", "webhook", "ws", "wss",
    }
)  # fmt: skip
_CHAT = frozenset({"chat", "messages", "responses"})
_EMBEDDING = frozenset({"embedding", "embeddings"})
_NO_CHAT = _EMBEDDING | {"agents", "assistant", "chatkit", "codex-sdk", "completion", "image", "moderation", "realtime",
                         "speech", "transcription", "video"}  # fmt: skip
_SAME = frozenset(
    {"temperature", "top_p", "seed", "max_completion_tokens", "reasoning_effort", "response_format", "tools"}
)
_RENAMED = {"max_tokens": "max_completion_tokens"}
_CARRIED = frozenset({"id", "label", "prompts", "config"})
_PACE = frozenset({"delay"})
_CHANGING = frozenset({"transform", "postprocess"})


@dataclass
class Provider:
    """A model to sample with, for all prompts or those with these labels; `left` lists the keys left out."""

    label: str
    model: str
    parameters: dict[str, Any] = field(default_factory=dict)
    prompts: list[str] | None = None
    left: list[str] = field(default_factory=list)


def provider_of(given: Any) -> Provider:
    """Convert an entry of `providers`. Raises Unmapped if it is no chat model or a script transforms its output."""
    match given:
        case str():
            return Provider(given, model_of(given))
        case {"id": str(name)}:
            options = given
        case dict() if len(given) == 1 and isinstance(next(iter(given.values())), dict):
            ((name, options),) = given.items()
        case _:
            raise Unmapped("a provider without an id")
    provider = Provider(str(options.get("label") or name), model_of(str(options.get("id") or name)))
    if any(options.get(key) for key in _CHANGING):
        raise Unmapped(f"{provider.label}, whose output is transformed by a script first")
    prompts = options.get("prompts")
    provider.prompts = [prompts] if isinstance(prompts, str) else prompts
    provider.left += sorted(options.keys() - _CARRIED - _PACE - _CHANGING)
    for key, value in (options.get("config") or {}).items():
        parameter = _RENAMED.get(key, key)
        if parameter in _SAME and not _outside(value):
            provider.parameters[parameter] = value
        else:
            provider.left.append(key)
    return provider


def model_of(name: str, *, embedding: bool = False) -> str:
    """Return the model of a provider's id. Raises Unmapped if it is no model that Stillhouse can call."""
    vendor, *steps = name.split(":")
    wanted = _EMBEDDING if embedding else _CHAT
    if steps and steps[0] in wanted:
        steps = steps[1:]
    elif embedding or (steps and steps[0] in _NO_CHAT):
        raise Unmapped(f"{name}, which is no {'embedding' if embedding else 'chat'} model")
    if vendor in _NO_MODELS or not steps or not all(steps):
        raise Unmapped(f"{name}, which is no {'embedding' if embedding else 'chat'} model")
    model = ":".join(steps)
    return model if vendor == "openai" else f"{vendor}/{model}"


def grader_of(options: dict[str, Any], kind: str) -> tuple[str | None, list[str]]:
    """Return the provider that the options name for grading (of this kind if several), and the keys left out."""
    given = options.get("provider")
    if isinstance(given, dict) and "id" not in given:
        given = given.get(kind)
    if not isinstance(given, dict):
        return given, []
    return given.get("id"), sorted(given.keys() - {"id", "label"})


def _outside(value: Any) -> bool:
    """Tell whether a value refers to a file or to a variable."""
    text = str(value)
    return "file://" in text or "{{" in text
