"""Wait for what lasts, and tell what is new of it: a distillation, a run, a dataset, a fine-tuning job or a rollout.

In: an object's path in the API. Out: the object as it ended, or where it waits for a person; meanwhile a line on
standard error at each change, and in a terminal how far it is. Who stops watching stops nothing.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

import typer
from rich.console import Console

from stillhouse import stack
from stillhouse.wording import counted

FAILED = frozenset({"failed", "canceled", "cancelled", "rolled_back"})
ENDED = frozenset({"completed", "succeeded", "ready", "promoted"}) | FAILED
WAITS_FOR_PEOPLE = frozenset({"blocked", "frozen"})
PASSING = frozenset({"no_data", "provider_away"})
"""Why a rollout is paused that goes on by itself."""
FAILED_CODE = 3
BLOCKED_CODE = 4
_A_LOOK_S = 2.0


def until_ended(to: str, object_id: str, path: str, *, wait_s: float = _A_LOOK_S) -> dict[str, Any]:
    """The object once it has ended, or waits for a person."""
    console = Console(stderr=True)
    told = ""
    with console.status(object_id) if console.is_terminal else nullcontext() as spinner:
        while True:
            found = stack.asked(to, "GET", path)
            news = _news(found)
            if news != told:
                told = news
                typer.echo(f"{object_id}: {news}", err=True)
            if found["status"] in ENDED or waits_for_people(found):
                return found
            if spinner is not None:
                spinner.update(f"{object_id}: {how_far(found)}")
            time.sleep(wait_s)


def code(found: dict[str, Any]) -> int:
    """The exit code that says how it ended."""
    status = found["status"]
    return FAILED_CODE if status in FAILED else BLOCKED_CODE if waits_for_people(found) else 0


def waits_for_people(found: dict[str, Any]) -> bool:
    """Whether somebody has to say how it goes on; what was approved stays `blocked` until its queue is served."""
    if found["status"] == "paused" and found.get("pause"):
        return found["pause"]["reason"] not in PASSING
    return found["status"] in WAITS_FOR_PEOPLE and not found.get("approved_at")


def how_far(found: dict[str, Any]) -> str:
    """Its status, and where it is known how much is done and when it will be."""
    progress = found.get("progress") or {}
    parts = [str(found["status"])]
    if progress.get("total"):
        parts.append(f"{progress['rows']} of {counted(progress['total'], 'row')}")
    if progress.get("eta"):
        parts.append(f"about {max(0, progress['eta'] - int(time.time()))} s left")
    if found.get("object") == "rollout":
        parts += rolled(found)
    if found.get("paused"):
        parts.append(f"waits: {found['paused']['reason']}")
    return stack.plain(", ".join(parts)).replace("[", "\\[")


def rolled(rollout: dict[str, Any]) -> list[str]:
    """How far a rollout's stage is, and which gate is nearest to rolling back."""
    here = rollout["counts"][-1]
    nearest = max(rollout["findings"], key=lambda finding: finding["evidence"], default=None)
    far = f"; {nearest['gate']}: {max(0.0, nearest['evidence']):.0%} of what rolls back" if nearest else ""
    return [f"{rollout['percent']}%", f"{here['pairs']} of {counted(rollout['min_pairs'], 'pair')}{far}"]


def _news(found: dict[str, Any]) -> str:
    """What is told of an object once it changes: its status, of a rollout its share of the calls, and why it waits."""
    share = f", {found['percent']}% of the calls" if found.get("object") == "rollout" else ""
    return f"{found['status']}{share}{_why(found)}"


def _why(found: dict[str, Any]) -> str:
    if found.get("pause"):
        return stack.plain(f": {found['pause']['message']}")
    if waits_for_people(found):
        return stack.plain(f": {' '.join((found.get('plan') or {}).get('reasons') or ())}")
    error = found.get("error")
    return stack.plain(f": {error['message']}") if error and error.get("message") else ""
