"""Where a call by an alias's name goes: to the application's own client, to another one, or through the gateway.

In: a call's parameters. Out: the ways on which it is made, one after the other: the target that the alias chooses for
it, and the fallback, which is asked where the provider of the first one is away. A target at the provider of the
application's client is just another name there; one elsewhere is asked by the client that the application gave for that
provider, and without one through Stillhouse's gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openai import APIConnectionError, AsyncOpenAI, InternalServerError, OpenAI, RateLimitError

from stillhouse.capturing.aliases import Aliases
from stillhouse.capturing.choosing import Caller, beginning, choose
from stillhouse.capturing.conversations import Conversations
from stillhouse.capturing.endpoint import Endpoint

AWAY = (APIConnectionError, RateLimitError, InternalServerError)
"""What the SDK raises, after its own retries, where a provider is busy, broken or silent."""


_BY = "logprob"


@dataclass(frozen=True)
class Way:
    """Who is asked for a model, and under which name. `client` is None for the application's own."""

    model: str
    model_there: str
    client: OpenAI | AsyncOpenAI | None = None
    through_gateway: bool = False


@dataclass(frozen=True)
class Plan:
    """The ways of one call, and the alias as it is captured; None where nothing is known of it."""

    ways: list[Way]
    alias: dict[str, Any] | None
    first: Way | None = None
    """The target of a cascade, which is asked before; the ways are then those of what it is not sure of."""
    cascade: Mapping[str, Any] | None = None
    """Its `to`, `by` and `threshold`."""


class Ways:
    """Finds the ways of the calls by aliases. `clients` are those that the application gave, by their providers."""

    def __init__(self, aliases: Aliases, endpoint: Endpoint, clients: Mapping[str, OpenAI | AsyncOpenAI]) -> None:
        self._aliases = aliases
        self._endpoint = endpoint
        self._clients = dict(clients)
        self._conversations = Conversations()

    def names(self, request: Mapping[str, Any]) -> str | None:
        """The alias that a request names, if the application has said that it is one."""
        body = request.get("body")
        model = body.get("model") if isinstance(body, dict) else None
        return model if isinstance(model, str) and model in self._aliases.defaults else None

    def plan(self, name: str, client: OpenAI | AsyncOpenAI, caller: Caller) -> Plan:
        return self._plan(name, self._aliases.find(name), client, caller)

    async def aplan(self, name: str, client: OpenAI | AsyncOpenAI, caller: Caller) -> Plan:
        return self._plan(name, await self._aliases.afind(name), client, caller)

    def _plan(self, name: str, alias: dict[str, Any] | None, client: OpenAI | AsyncOpenAI, caller: Caller) -> Plan:
        default = self._aliases.defaults[name]
        if alias is None:
            return Plan([Way(default, default)], None)
        target = choose(alias, caller, began_at=self._conversations.target_of(caller.parameters))
        cascade = target.get("cascade")
        answering = cascade["place"] if cascade else target
        places = [place for place in (answering, alias.get("fallback_place")) if place]
        # A model that nobody serves was retired meanwhile: as in the gateway, the fallback then answers.
        served = [place for place in places if place.get("provider")] or places
        ways = [self._way(place, client) for place in served]
        distinct = [way for number, way in enumerate(ways) if way not in ways[:number]]
        captured = {"name": name, "version": alias["version"], "target": target["model"]}
        # Of a way to be sure that this version does not know, or a target that nobody serves, nothing is kept.
        judged = cascade and cascade["by"] == _BY and target.get("provider")
        return Plan(distinct, captured, self._way(target, client) if judged else None, cascade if judged else None)

    def answered(self, plan: Plan, way: Way, answer: Any) -> None:
        """Note who answered a response, so that the next one of the conversation is asked there, too."""
        if plan.alias is not None and way is plan.ways[0]:
            self._conversations.watch(answer, plan.alias["target"])

    def _way(self, place: Mapping[str, Any], client: OpenAI | AsyncOpenAI) -> Way:
        model, there = place["model"], place.get("model_there") or place["model"]
        # Two providers may answer at one URL, for two keys: a client that was given for one is the right one.
        given = self._clients.get(place.get("provider") or "")
        if given is not None:
            return Way(model, there, given)
        if place.get("base_url") and _is_at(client, place["base_url"]):
            return Way(model, there)
        gateway = self._endpoint.async_stored if isinstance(client, AsyncOpenAI) else self._endpoint.stored
        return Way(model, model, gateway, through_gateway=True)


def caller_of(request: Mapping[str, Any], client: OpenAI | AsyncOpenAI, metadata: Mapping[str, str]) -> Caller:
    """What is known of a call that the SDK posts."""
    options = request.get("options") or {}
    parameters = {**request["body"], **(options.get("extra_json") or {})}
    given = {**client.default_headers, **(options.get("headers") or {})}
    headers = {name.lower(): value for name, value in given.items() if isinstance(value, str)}
    return Caller(parameters, beginning(parameters), metadata, headers)


def _is_at(client: OpenAI | AsyncOpenAI, base_url: str) -> bool:
    return str(client.base_url).rstrip("/") == base_url.rstrip("/")
