"""A call by an alias's name, as a call of the model that the alias gives it.

In: a request, its policy, and the messages that it begins with. Out: the request with the name of the chosen target,
and the policy with the alias's fallback, which a header or the key's own comes before, the target's cascade, and what
is captured of the alias. A request that names a model stays as it is. A header's or a key's fallback may be an alias,
too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aliases.alias import captured
from aliases.choosing import Call, choose
from aliases.known import known_aliases
from gateway.policy import Policy

_ANSWERED_BY = "x-stillhouse-alias"


def aliased(request: dict[str, Any], policy: Policy, messages: Sequence[Any]) -> tuple[dict[str, Any], Policy]:
    """The request and the policy as they are where the request's model is an alias, or the fallback is one."""
    call = Call(request, messages, policy.metadata, policy.headers)
    policy = policy._replace(fallback_model=_standing_in(policy.fallback_model, call))
    alias = known_aliases.find(request["model"])
    if alias is None:
        return request, policy
    routing = alias.routing
    chosen = choose(routing, alias.salt, call)
    target = chosen.model
    # Who is asked anyway stands in for nobody: the alias's own fallback then does.
    named = (policy.fallback_model, routing.fallback)
    fallback = next((model for model in named if model not in {None, *chosen.models}), None)
    policy = policy._replace(fallback_model=fallback, alias=captured(alias, target), cascade=chosen.cascade)
    return {**request, "model": target}, policy


def _standing_in(name: str | None, call: Call) -> str | None:
    """The model that stands in: of an alias its target for this call; of a cascade, who answers what it is not sure of.

    The alias's own fallback is nobody's: what stands in is asked once.
    """
    alias = known_aliases.find(name) if name is not None else None
    return name if alias is None else choose(alias.routing, alias.salt, call).unjudged


def alias_header(policy: Policy) -> dict[str, str]:
    """The header that names the alias and its version, where the call was made by one."""
    alias = policy.alias
    return {_ANSWERED_BY: f"{alias['name']}@{alias['version']}"} if alias else {}


def alias_field(policy: Policy) -> dict[str, Any]:
    """The field by which a captured completion says the same."""
    return {"alias": policy.alias} if policy.alias else {}
