"""Choose an alias's target for a call, as Stillhouse's gateway does: the same caller always gets the same one.

In: an alias as Stillhouse shows it, and what is known of a call. Out: the target. Of the targets whose `when` the call
meets, each has a lot, -ln(u) / weight, where u is a hash of the alias's salt, the target and the caller. The least lot
wins.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

_BITS = 52
_HASH_BYTES = 8
_FIRST_MESSAGES = 2


@dataclass(frozen=True)
class Caller:
    """A call: its parameters, the messages that it begins with, its tags, and its headers by lower-case name."""

    parameters: Mapping[str, Any]
    messages: Sequence[Any]
    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def choose(alias: Mapping[str, Any], caller: Caller, *, began_at: str | None = None) -> Mapping[str, Any]:
    """The target that answers this call.

    `began_at` is the target of the response that this call goes on from: it answers again, if it still answers any.
    """
    group = [target for target in _group(alias["targets"], caller.metadata) if target["weight"]]
    again = next((target for target in group if target["model"] == began_at), None)
    if again is not None or len(group) == 1:
        return again or group[0]
    name = _name(alias.get("sticky_by") or {}, caller)
    return min(group, key=lambda target: _lot(alias["salt"], target, name))


def beginning(parameters: Mapping[str, Any]) -> Sequence[Any]:
    """The messages of a chat completion, or the instructions and the input of a response."""
    messages = parameters.get("messages")
    if isinstance(messages, list):
        return messages
    told, given = parameters.get("instructions"), parameters.get("input")
    instructions = [{"role": "system", "content": told}] if told else []
    return [*instructions, *(given if isinstance(given, list) else [{"role": "user", "content": given}])]


def _group(targets: Sequence[Mapping[str, Any]], metadata: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """The targets with the first `when` that the call meets; else those without one."""
    wanted = (target.get("when") or {} for target in targets)
    met: Mapping[str, str] = next((when for when in wanted if when and when.items() <= metadata.items()), {})
    return [target for target in targets if (target.get("when") or {}) == met]


def _name(sticky_by: Mapping[str, Any], caller: Caller) -> str:
    """What all calls that belong together have in common."""
    header, key = sticky_by.get("header"), sticky_by.get("metadata")
    named = (header and caller.headers.get(header.lower())) or (key and caller.metadata.get(key))
    users = (caller.parameters.get(name) for name in ("user", "safety_identifier"))
    user = next((user for user in users if isinstance(user, str) and user), "")
    return named or user or _first(caller.messages)


def _first(messages: Sequence[Any]) -> str:
    """The messages up to the user's first; the first two where it has none."""
    roles = [_member(message, "role") for message in messages]
    own = roles.index("user") + 1 if "user" in roles else _FIRST_MESSAGES
    return "\x1e".join(
        f"{role if isinstance(role, str) else ''}\x1f{_text(_member(message, 'content'))}"
        for role, message in zip(roles[:own], messages, strict=False)
    )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (_member(part, "text") for part in parts)
    return "".join(text for text in texts if isinstance(text, str))


def _member(value: Any, name: str) -> Any:
    """A field of an object; applications give the SDK's own objects as messages, too."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _lot(salt: str, target: Mapping[str, Any], name: str) -> float:
    said = f"{target['model']}\x00{name}".encode(errors="replace")
    number = int.from_bytes(hmac.digest(salt.encode(), said, "sha256")[:_HASH_BYTES], "big") >> (64 - _BITS)
    return -log((number + 0.5) / (1 << _BITS)) / float(target["weight"])
