"""`stillhouse alias list|show|set|versions|rollback|drift|delete`: who answers for the names that applications call.

In: Stillhouse's URL and a key with the scope `write`. Out: lines for people, or JSON with --json. The exit code is 1
where Stillhouse refuses, also because somebody else has changed the alias meanwhile, or cannot be reached.
"""

from __future__ import annotations

from itertools import islice
from math import inf, isfinite
from typing import Annotated, Any

import typer

from stillhouse import stack
from stillhouse.aliased.printed import drift_lines
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.stack import AsJson

app = typer.Typer(no_args_is_help=True, help="Point the names that applications call at models, and go back.")

Name = Annotated[str, typer.Argument(help="The alias's name.")]
Why = Annotated[str | None, typer.Option(help="Why, for those who read its versions.")]
_SETTINGS = ("sticky_by", "fallback", "promote_on")
_NONE = "none"


@app.command("list")
def list_(*, to: To, as_json: AsJson = False) -> None:
    """List the aliases with the models that answer for them."""
    with errors_in_one_line():
        stack.show_list(stack.every(to, "/aliases"), _line, limit=None, as_json=as_json)


@app.command()
def show(name: Name, *, to: To, as_json: AsJson = False) -> None:
    """Show one alias: its targets with their shares, what holds calls together, and who made this version."""
    with errors_in_one_line():
        _show(stack.asked(to, "GET", _path(name)), as_json=as_json)


@app.command("set", epilog="Example: stillhouse alias set quick-reply gpt-4.1=95 student=5 --why 'a first share'")
def set_(
    name: Name,
    target: Annotated[list[str], typer.Argument(help="MODEL or MODEL=WEIGHT, such as gpt-6=95 student=5.")],
    *,
    to: To,
    slice_: Annotated[
        list[str] | None,
        typer.Option(
            "--slice",
            metavar="'KEY=VALUE MODEL[=WEIGHT]'",
            help="Who answers calls with this metadata, such as 'topic=refund student'; may be repeated.",
        ),
    ] = None,
    cascade: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'MODEL=THRESHOLD TEACHER'",
            help="What MODEL is less sure of than THRESHOLD, a mean log-probability, goes to TEACHER; 'MODEL=none': "
            "nothing does. May be repeated.",
        ),
    ] = None,
    sticky_header: Annotated[str | None, typer.Option(help="The header by which calls belong together.")] = None,
    sticky_metadata: Annotated[str | None, typer.Option(help="The metadata key by which they do.")] = None,
    fallback: Annotated[
        str | None, typer.Option(help="Who is asked where a provider is away; 'none' for nobody.")
    ] = None,
    promote_on: Annotated[
        str | None, typer.Option(help="beats_baseline: a verdict changes it by itself; 'none': no verdict does.")
    ] = None,
    why: Why = None,
    as_json: AsJson = False,
) -> None:
    """Point an alias at models; it is made where there is none. These replace its targets; other settings stay.

    A target that is named again keeps its cascade.
    """
    with errors_in_one_line():
        current = _current(to, name)
        body: dict[str, Any] = {field: current[field] for field in _SETTINGS if current and current[field] is not None}
        body["version"] = current["version"] if current else 0
        body["targets"] = [_target(text) for text in target] + [
            {**_target(text), "when": _pair(pair)} for pair, _, text in map(_halves, slice_ or [])
        ]
        _cascade(body["targets"], current, cascade or [])
        if sticky_header or sticky_metadata:
            body["sticky_by"] = {"header": sticky_header, "metadata": sticky_metadata}
        for field, given in (("fallback", fallback), ("promote_on", promote_on), ("why", why)):
            if given is not None:
                body[field] = None if given == _NONE else given
        _show(stack.asked(to, "PUT", _path(name), body), as_json=as_json)


@app.command()
def versions(
    name: Name,
    *,
    to: To,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the versions of an alias: who changed it, why, and what it said."""
    with errors_in_one_line():
        found = list(islice(stack.every(to, f"{_path(name)}/versions"), limit))
        stack.show_list(found, _version, limit=None, as_json=as_json)


@app.command()
def rollback(
    name: Name,
    *,
    to: To,
    to_version: Annotated[int | None, typer.Option("--version", min=1, help="Which; else the one before.")] = None,
    why: Why = None,
    as_json: AsJson = False,
) -> None:
    """Go back to the version before the current one, in one call."""
    with errors_in_one_line():
        body = {field: value for field, value in (("to", to_version), ("why", why)) if value is not None}
        _show(stack.asked(to, "POST", f"{_path(name)}/rollback", body), as_json=as_json)


@app.command()
def drift(
    name: Name,
    *,
    to: To,
    distill: Annotated[
        bool,
        typer.Option("--distill", help="Start the next distillation as it is filled in, of one slice."),
    ] = False,
    slice_: Annotated[
        list[str] | None,
        typer.Option("--slice", help="With --distill: KEY=VALUE of the slice; may be repeated. Else the other calls."),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="A metadata key that is not compared from the next look on, such as a release; may be repeated. These "
            "replace those before; 'none': all are compared.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show whether the traffic has moved away from what the alias's model learnt from, and what has moved."""
    with errors_in_one_line():
        if leave_out:
            body = {"leave_out": [] if leave_out == [_NONE] else leave_out}
            found = stack.asked(to, "PUT", f"{_path(name)}/drift", body)
        else:
            found = stack.asked(to, "GET", f"{_path(name)}/drift")
        if not distill:
            stack.show(found, as_json=as_json, lines=drift_lines(found))
            return
        when = {key: value for text in slice_ or [] for key, value in _pair(text, "KEY=VALUE").items()}
        begun = stack.asked(to, "POST", "/distillations", _next(found, when)["body"])
        stack.show(begun, as_json=as_json, lines=[f"{begun['id']}  {begun['status']}  {stack.plain(begun['name'])}"])


@app.command()
def delete(name: Name, *, to: To, as_json: AsJson = False) -> None:
    """Delete an alias: nobody answers for its name any more. Its versions stay."""
    with errors_in_one_line():
        gone = stack.asked(to, "DELETE", _path(name))
        stack.show(gone, as_json=as_json, lines=[f"deleted: {gone['id']}"])


def _next(found: dict[str, Any], when: dict[str, str]) -> dict[str, Any]:
    """The next distillation of the slice with this metadata. Raises Stopped where it cannot be started."""
    every = [found, *found["slices"]]
    drift = next((one for one in every if one["when"] == when), None)
    ready: dict[str, Any] | None = drift and drift["next"]
    if ready and not ready["lacks"]:
        return ready
    if drift is None:
        why = "no trained model answers such calls, or they have more metadata than was given"
    else:
        why = ready["lacks"] if ready else f"there is nothing to distill anew: {drift['sentence']}"
    others = [one["next"]["command"] for one in every if one["next"] and not one["next"]["lacks"]]
    raise Stopped(f"{why.rstrip('.')}. Ready are: {'; '.join(others)}" if others else why)


def _current(to: str, name: str) -> dict[str, Any] | None:
    """The alias as it is, by which a change is refused that somebody else was faster than; None where there is none."""
    listed = stack.every(to, "/aliases")
    return next((alias for alias in listed if alias["id"] == name), None)


def _target(text: str) -> dict[str, Any]:
    model, equals, weight = text.rpartition("=")
    if not equals:
        return {"model": text}
    if not model or not weight.isdecimal():
        raise Stopped(f"'{text}' is no target: give MODEL or MODEL=WEIGHT, the weight a whole number")
    return {"model": model, "weight": int(weight)}


def _cascade(targets: list[dict[str, Any]], current: dict[str, Any] | None, given: list[str]) -> None:
    """Give each target the cascade that is given for its model, or the one that it has."""
    asked = dict(_sent_on(text) for text in given)
    wrong = next((model for model in asked if all(target["model"] != model for target in targets)), None)
    if wrong is not None:
        raise Stopped(f"'{wrong}' is no target of the alias: --cascade names a target first")
    for target in targets:
        place = target["model"], target.get("when") or {}
        known = (old for old in (current or {}).get("targets", []) if (old["model"], old["when"]) == place)
        kept = next((old.get("cascade") for old in known), None)
        if target["model"] in asked:
            kept = asked[target["model"]]
        if kept:
            target["cascade"] = {name: kept[name] for name in ("to", "by", "threshold")}


def _sent_on(text: str) -> tuple[str, dict[str, Any] | None]:
    """The target that a cascade is of, and the cascade; None where it is to have none."""
    named, _, teacher = text.strip().partition(" ")
    model, _, threshold = named.rpartition("=")
    if model and threshold == _NONE and not teacher:
        return model, None
    try:
        least = float(threshold)
    except ValueError:
        least = inf
    if not model or not teacher.strip() or not isfinite(least):
        raise Stopped(f"'{text}' is no cascade: give 'MODEL=THRESHOLD TEACHER', such as 'student=-0.12 gpt-6'")
    return model, {"to": teacher.strip(), "by": "logprob", "threshold": least}


def _halves(text: str) -> tuple[str, str, str]:
    """What a slice is known by, and who answers it: a model's name has no spaces, a value of metadata may."""
    return text.strip().rpartition(" ")


def _pair(text: str, wanted: str = "KEY=VALUE MODEL") -> dict[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise Stopped(f"'{text}' is no pair of metadata: give '{wanted}'")
    return {key: value}


def _show(alias: dict[str, Any], *, as_json: bool) -> None:
    sticky = " then ".join(f"{kind} {key}" for kind, key in (alias["sticky_by"] or {}).items() if key)
    lines = [
        f"{alias['id']}@{alias['version']}  by {alias['by']}  {stack.at(alias['updated_at'])}",
        *(f"  {share}" for share in _shares(alias)),
        f"  fallback: {alias['fallback'] or 'none'}",
        f"  sticky by: {sticky or 'user, then the first messages'}",
        f"  changed by a verdict: {alias['promote_on'] or 'no'}",
        *([f"  why: {alias['why']}"] if alias["why"] else []),
    ]
    stack.show(alias, as_json=as_json, lines=lines)


def _line(alias: dict[str, Any]) -> str:
    return f"{alias['id']}@{alias['version']}  {', '.join(_shares(alias))}  fallback {alias['fallback'] or '-'}"


def _version(version: dict[str, Any]) -> str:
    back = f"  back to {version['rolled_back_to']}" if version["rolled_back_to"] else ""
    said = "deleted" if version["deleted"] else ", ".join(_shares(version))
    why = f"  {version['why']}" if version["why"] else ""
    return f"{version['version']}  {stack.at(version['created_at'])}  by {version['by']}{back}  {said}{why}"


def _shares(alias: dict[str, Any]) -> list[str]:
    """Each target with its share of the calls of its slice."""
    shown = []
    for target in alias["targets"]:
        whole = sum(other["weight"] for other in alias["targets"] if other["when"] == target["when"])
        percent = f"{target['model']} {100 * target['weight'] / (whole or 1):.3g}%"
        when = ", ".join(f"{key}={value}" for key, value in target["when"].items())
        cascade = target.get("cascade")
        if cascade:
            percent += f" (below {cascade['threshold']:.6g} to {cascade['to']})"
        shown.append(f"{percent} of {when}" if when else percent)
    return shown


def _path(name: str) -> str:
    return stack.place("aliases", name)
