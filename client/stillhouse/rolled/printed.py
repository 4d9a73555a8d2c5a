"""A rollout, and a pair of its answers, as a person reads them in a terminal.

In: the API's documents. Out: lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stillhouse import stack
from stillhouse.wording import counted

_A_LINE = 120


def line(rollout: dict[str, Any]) -> str:
    """A rollout in one line."""
    models = f"{rollout['stable']} -> {rollout['candidate']}"
    state = f"{rollout['status'].replace('_', ' ')}, {share(rollout['percent'])}"
    return stack.plain(f"{rollout['id']}  {state}  {rollout['alias']}: {models}")


def share(percent: int) -> str:
    """The candidate's share of the calls in words."""
    return f"{percent}% of the calls" if percent else "no calls of users"


def whole(rollout: dict[str, Any]) -> Iterator[str]:
    """A rollout with its stages, its gates and what it waits for."""
    yield line(rollout)
    yield f"  {_stages(rollout)}"
    if rollout["waits_for"]:
        yield stack.plain(f"  {rollout['waits_for']}")
    yield from _end(rollout)
    yield from (f"  {gate(finding)}" for finding in rollout["findings"])
    yield from (f"  {_counts(counts, rollout)}" for counts in rollout["counts"])
    yield f"  ${rollout['spent_usd']:.4f} of ${rollout['max_usd']:.2f} spent on second answers and judges"
    yield from (stack.plain(f"  left out: {left['name']}, which needs {left['why']}") for left in rollout["left_out"])
    yield from (f"  {step(taken)}" for taken in rollout["steps"])


def gate(finding: dict[str, Any]) -> str:
    """How a gate stands, and how far it is from rolling back."""
    far = f"{max(0.0, finding['evidence']):.0%} of the evidence that rolls back"
    return stack.plain(f"{finding['gate']:<9}  {finding['state']:<8}  {finding['sentence']} {far}.")


def step(taken: dict[str, Any]) -> str:
    """One step: when, what, who and why."""
    kind = taken["kind"].replace("_", " ")
    version = f"  alias version {taken['alias_version']}" if taken["alias_version"] else ""
    return stack.plain(
        f"{stack.at(taken['at'])}  {kind}, {share(taken['percent'])}  by {taken['by']}{version}  {taken['why']}"
    )


def pair(found: dict[str, Any]) -> Iterator[str]:
    """A pair: which request, then each model's answer and what every criterion said of it."""
    lost = "  lost" if found["lost"] else ""
    yield stack.plain(f"{found['id']}  {stack.at(found['at'])}{lost}")
    for side in ("stable", "candidate"):
        answer = found[side]
        item, real = answer["item"], "users got" if found["user_got"] == side else "asked afterwards"
        state = {True: "pass", False: "fail", None: "not graded"}[answer["passed"]]
        grades = "; ".join(f"{grade['name']}: {'pass' if grade['passed'] else 'fail'}" for grade in item["results"])
        said = [" ".join(str(message.get("content") or "").split()) for message in item["sample"]["output"]]
        yield stack.plain(f"  {state}  {answer['model']} ({real}): {' '.join(said)[:_A_LINE]}  [{grades}]")


def _stages(rollout: dict[str, Any]) -> str:
    """`shadow > [1%] > 25%`: the current stage stands in brackets."""
    names = [f"{percent}%" if percent else "shadow" for percent in rollout["stages"]]
    now = rollout["stage"] if rollout["ended_at"] is None else None
    return " > ".join(f"[{name}]" if number == now else name for number, name in enumerate(names))


def _end(rollout: dict[str, Any]) -> Iterator[str]:
    ended = rollout["ended"]
    if ended:
        yield stack.plain(f"  {ended['why']}")
        yield from (stack.plain(f"  {figure}") for figure in ended["figures"])
        if ended["pairs"]:
            yield stack.plain(f"  answered worse: {', '.join(ended['pairs'])}")


def _counts(counts: dict[str, Any], rollout: dict[str, Any]) -> str:
    name = f"{counts['percent']}%" if counts["percent"] else "shadow"
    got = ", ".join(f"{counts[side]['answered_users']} of {rollout[side]}" for side in ("stable", "candidate"))
    ungraded = f", {counts['ungraded']} not graded" if counts["ungraded"] else ""
    compared = f"{counted(counts['pairs'], 'pair')}, {counts['worse']} worse, {counts['better']} better{ungraded}"
    return stack.plain(f"{name:<6}  {compared}; users got {got}")
