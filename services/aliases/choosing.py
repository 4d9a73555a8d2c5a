"""Which target of an alias answers a call: the same one for calls that belong together, by a keyed hash.

In: a routing, the alias's salt, and what is known of a call. Out: the target. Each target has a lot for the caller,
-ln(u) / weight, where u in (0, 1) is a hash of the salt, the target's model and the caller; the least lot wins
(rendezvous hashing with weights). A lot is exponential with the weight as its rate, so a target wins with the
probability weight / sum. A weight that grows makes only its own target's lots smaller: callers move to that target, and
none away from it.

The wrappers of applications choose in the same way: `tests/data/alias_choices.json` holds all of them together.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from math import inf, log
from typing import Any, NamedTuple

from aliases.alias import Routing, StickyBy, Target

_BITS = 52
_HASH_BYTES = 8
_FIRST_MESSAGES = 2
_USER_FIELDS = ("user", "safety_identifier")


class Call(NamedTuple):
    """What is known of a call: its headers by lower-case name, its tags, its request, and the messages it begins with.

    Of a response the messages are its items, and those of the responses before it.
    """

    request: Mapping[str, Any]
    messages: Sequence[Any]
    metadata: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}


def choose(routing: Routing, salt: str, call: Call) -> Target:
    """The target that answers this call."""
    group = [target for target in routing.group_of(call.metadata) if target.weight]
    if len(group) == 1:
        return group[0]
    caller = caller_of(routing.sticky_by, call)
    return min(group, key=lambda target: _lot(salt, target, caller))


def caller_of(sticky_by: StickyBy | None, call: Call) -> str:
    """What all calls that belong together have in common."""
    named = sticky_by and (
        (sticky_by.header and call.headers.get(sticky_by.header.lower()))
        or (sticky_by.metadata and call.metadata.get(sticky_by.metadata))
    )
    users = (call.request.get(field) for field in _USER_FIELDS)
    return named or next((user for user in users if isinstance(user, str) and user), "") or _beginning(call.messages)


def _beginning(messages: Sequence[Any]) -> str:
    """The messages up to the user's first, behind which the model's answers come; the first two where it has none."""
    roles = [message.get("role") if isinstance(message, dict) else None for message in messages]
    own = roles.index("user") + 1 if "user" in roles else _FIRST_MESSAGES
    begun = zip(roles[:own], messages, strict=False)
    return "\x1e".join(f"{role if isinstance(role, str) else ''}\x1f{_text(message)}" for role, message in begun)


def _text(message: Any) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def _lot(salt: str, target: Target, caller: str) -> float:
    if not target.weight:
        return inf
    said = f"{target.model}\x00{caller}".encode(errors="replace")
    number = int.from_bytes(hmac.digest(salt.encode(), said, "sha256")[:_HASH_BYTES]) >> (64 - _BITS)
    return -log((number + 0.5) / (1 << _BITS)) / target.weight
