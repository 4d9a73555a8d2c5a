"""What `stillhouse doctor` looks at, and what it says of it.

In: the API of a stack. Out: findings, each `ok`, `warn` or `wrong`, with a remedy where something can be done. A check
that the key may not make is a finding too: nothing is passed over in silence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from stillhouse import stack
from stillhouse.importing.stopped import Stopped
from stillhouse.wording import counted

type State = Literal["ok", "warn", "wrong"]

API_VERSION = "1"
_CLOCK_S = 30
"""Signatures of requests to AWS hold five minutes, a tag of time `--since` a minute: half a minute is told of early."""
_SLOW_S = 900
"""A message that waits longer than any function may run."""


class Finding(NamedTuple):
    """What one check found."""

    check: str
    state: State
    says: str
    remedy: str = ""


def findings(to: str, *, ask_providers: bool) -> Iterator[Finding]:
    """Everything that is looked at, in the order in which a fault of one makes those after it pointless."""
    yield from _guarded("address", lambda: [_description(to)])
    sent = time.time()
    try:
        health = stack.asked(to, "GET", "/health")
    except Stopped as stopped:
        yield Finding("health", "wrong", str(stopped), "use a key with the scope admin: stillhouse login")
        return
    yield _clock(health["at"], (sent + time.time()) / 2)
    yield from _queues(health["queues"])
    yield from _open(health["open"])
    yield from _alarms(health["alarms"])
    yield from _guarded("providers", lambda: _providers(to, ask=ask_providers))


def redriven(to: str, queue: str) -> dict[str, Any]:
    """Put the dead letters of a queue back into it."""
    return stack.asked(to, "POST", f"{stack.place('health', queue)}/redrive")


def _guarded(check: str, look: Callable[[], Any]) -> Iterator[Finding]:
    try:
        yield from look()
    except Stopped as stopped:
        yield Finding(check, "wrong", str(stopped))


def _description(to: str) -> Finding:
    version = stack.asked(to, "GET", "/openapi.json")["info"]["version"]
    if version == API_VERSION:
        return Finding("address", "ok", f"{to} answers, version {version} of the API")
    remedy = "install the command of that stack's checkout: make wheel"
    return Finding("address", "warn", f"the API has version {version}, this command knows {API_VERSION}", remedy)


def _clock(there: int, here: float) -> Finding:
    apart = abs(there - here)
    if apart <= _CLOCK_S:
        return Finding("clock", "ok", "this machine's clock is right")
    return Finding("clock", "warn", f"this machine's clock is {apart:.0f} s off AWS's", "set it by NTP")


def _queues(queues: list[dict[str, Any]]) -> Iterator[Finding]:
    for queue in queues:
        name = f"queue {queue['name']}"
        if queue["dead"]:
            reasons = sorted({letter["reason"] for letter in queue["dead_letters"] if letter["reason"]})
            why = f": {'; '.join(reasons)}" if reasons else ""
            remedy = f"mend what they say, then stillhouse doctor --redrive {queue['name']}"
            yield Finding(name, "wrong", f"{counted(queue['dead'], 'dead letter')}{why}", remedy)
        elif (queue["oldest_seconds"] or 0) > _SLOW_S:
            waiting = counted(queue["waiting"], "waiting message")
            says = f"{waiting}, the oldest for {queue['oldest_seconds']} s"
            yield Finding(name, "warn", says, "look whether the account's concurrency is used up")
    if not any(queue["dead"] for queue in queues):
        yield Finding("queues", "ok", f"{len(queues)} queues without a dead letter")


def _open(work: list[dict[str, Any]]) -> Iterator[Finding]:
    for one in work:
        if one["waits_for"]:
            since = f" since {stack.at(one['waits_since'])}" if one["waits_since"] else ""
            yield Finding(one["id"], "warn", f"{one['status']}{since}: {one['waits_for']}")
    yield Finding("open work", "ok", f"{len(work)} open")


def _alarms(alarms: list[dict[str, Any]]) -> Iterator[Finding]:
    raised = [alarm for alarm in alarms if alarm["state"] == "alarm"]
    yield from (Finding(alarm["name"], "wrong", alarm["about"]) for alarm in raised)
    if not alarms:
        yield Finding("alarms", "warn", "this stack has none, as a local one")
    elif not raised:
        yield Finding("alarms", "ok", f"{len(alarms)} alarms, none raised")


def _providers(to: str, *, ask: bool) -> Iterator[Finding]:
    for provider in stack.asked(to, "GET", "/providers")["data"]:
        name = f"provider {provider['id']}"
        if not ask:
            yield Finding(name, "ok", "is configured; --ask-providers asks it one short question, which is paid for")
            continue
        if not provider["models"]:
            yield Finding(name, "ok", "is configured, and not asked, since it lists no models")
            continue
        tried = stack.asked(to, "POST", f"{stack.place('providers', provider['id'])}/test", {})
        if tried["ok"]:
            yield Finding(name, "ok", f"{tried['model']} answered in {tried['latency_ms']} ms")
        else:
            yield Finding(name, "wrong", f"{tried['status']} {tried['message'] or tried['code'] or 'no answer'}")
