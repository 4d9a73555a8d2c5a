"""`stillhouse rollout start|list|show|watch|pairs|freeze|resume|rollback|cancel|delete`: an alias moves on.

In: Stillhouse's URL and a key with the scope `write`. Out: lines for people, or JSON with --json. The exit code is 1
where Stillhouse refuses or cannot be reached; of `watch` it is 0 once the candidate is promoted, 3 where the rollout
went back or was canceled, and 4 where it waits for a person.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import Annotated, Any

import typer

from stillhouse import stack, watched
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.rolled.printed import line, pair, whole
from stillhouse.stack import AsJson, Limit

app = typer.Typer(no_args_is_help=True, help="Move an alias to another model in steps, as long as it is no worse.")

_EXAMPLE = "Example: stillhouse rollout start quick-reply student --eval eval_1 --max-usd 20"
_GATES = ("quality_margin", "max_error_rate", "malformed_margin", "max_latency_p95_ms", "max_cost_ratio", "alpha")

Id = Annotated[str, typer.Argument(help="The rollout's id, as rollout_…")]
Why = Annotated[str | None, typer.Option(help="Why, for those who read its steps.")]


@app.command(epilog=_EXAMPLE)
def start(
    alias: Annotated[str, typer.Argument(help="The alias, whose calls one model answers now.")],
    candidate: Annotated[
        str | None, typer.Argument(help="The model that is to take over; absent where --verdict names it.")
    ] = None,
    *,
    to: To,
    max_usd: Annotated[float, typer.Option(min=0, help="What the second answers and the judges may cost in all.")],
    eval_id: Annotated[
        str | None, typer.Option("--eval", help="What grades production, as eval_…; absent where --verdict names it.")
    ] = None,
    verdict: Annotated[
        str | None, typer.Option(help="A verdict, as verdict_…: its model takes over, its eval grades.")
    ] = None,
    stages: Annotated[
        str, typer.Option(help="The candidate's share of the calls in percent, stage by stage; 0 is the shadow.")
    ] = "0,1,5,25,100",
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Of the captured calls, how many are graded: 0.1 is one in ten.")
    ] = 1.0,
    min_pairs: Annotated[int, typer.Option(min=20, help="Graded pairs that a stage needs.")] = 100,
    min_minutes: Annotated[int, typer.Option(min=0, help="How long a stage lasts at least.")] = 60,
    no_data_minutes: Annotated[int, typer.Option(min=1, help="After how long without a graded pair it pauses.")] = 60,
    quality_margin: Annotated[
        float | None, typer.Option(min=0, max=1, help="How much more often the candidate may fail; else 0.02.")
    ] = None,
    max_error_rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="Of its calls, how many may get no answer; else 0.02.")
    ] = None,
    malformed_margin: Annotated[
        float | None, typer.Option(min=0, max=1, help="How much more often it may be malformed; else 0.01.")
    ] = None,
    max_latency_p95_ms: Annotated[
        int | None, typer.Option("--max-latency-ms", min=1, help="Its p95; else 1.5 times that of the model of now.")
    ] = None,
    max_cost_ratio: Annotated[
        float | None, typer.Option(min=0, help="How many times as dear it may be; else there is no limit.")
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(min=0, max=0.5, help="How probable it may be that chance rolls back; else 0.01.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start a rollout: in the shadow first, then for a growing share of the calls. It goes back by itself.

    Needed are the candidate and --eval, or --verdict alone. `stillhouse rollout watch` follows it.
    """
    given = (quality_margin, max_error_rate, malformed_margin, max_latency_p95_ms, max_cost_ratio, alpha)
    body = {
        "alias": alias,
        "candidate": candidate,
        "eval_id": eval_id,
        "verdict_id": verdict,
        "max_usd": max_usd,
        "share": share,
        "min_pairs": min_pairs,
        "min_minutes": min_minutes,
        "no_data_minutes": no_data_minutes,
        "gates": _known(dict(zip(_GATES, given, strict=True))),
    }
    with errors_in_one_line():
        if not verdict and not (candidate and eval_id):
            raise Stopped("say what is rolled out: a model and --eval, or --verdict, which has both")
        _show(stack.asked(to, "POST", "/rollouts", {**_known(body), "stages": _stages(stages)}), as_json=as_json)


@app.command("list")
def list_(
    *,
    to: To,
    alias: Annotated[str | None, typer.Option(help="Only those of this alias.")] = None,
    status: Annotated[
        str | None,
        typer.Option(help="Only running, paused, frozen, rolled_back, promoted, failed or canceled ones."),
    ] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest rollouts."""
    with errors_in_one_line():
        wanted = _known({"alias": alias, "status": status})
        stack.show_list(stack.every(to, "/rollouts", wanted), line, limit=limit, as_json=as_json)


@app.command()
def show(rollout_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Show one rollout: its stage, each gate with its evidence, what it waits for, what users got, its steps."""
    with errors_in_one_line():
        _show(stack.asked(to, "GET", _path(rollout_id)), as_json=as_json)


@app.command()
def watch(rollout_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Follow a rollout until it has ended, or waits for a person. Who stops watching stops nothing.

    The exit code is 0 once the candidate is promoted, 3 where it was rolled back or canceled, 4 where somebody has to
    say how it goes on.
    """
    with errors_in_one_line():
        ended = watched.until_ended(to, rollout_id, _path(rollout_id))
        _show(ended, as_json=as_json)
        code = watched.code(ended)
    raise typer.Exit(code)


@app.command()
def pairs(
    rollout_id: Id,
    *,
    to: To,
    lost: Annotated[bool, typer.Option("--lost", help="Only those that the candidate lost.")] = False,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Show what users got beside the other model's answer, each with its grades; with --json one object a line."""
    with errors_in_one_line():
        found = stack.every(to, f"{_path(rollout_id)}/pairs", {"lost": "true"} if lost else {})
        for one in islice(found, limit):
            typer.echo(json.dumps(one) if as_json else "\n".join(pair(one)))


@app.command()
def freeze(rollout_id: Id, *, to: To, why: Why = None, as_json: AsJson = False) -> None:
    """Keep the shares as they are: nothing moves by itself, and nothing is graded."""
    _ask(to, rollout_id, "freeze", {"why": why}, as_json=as_json)


@app.command()
def resume(
    rollout_id: Id,
    *,
    to: To,
    max_usd: Annotated[
        float | None, typer.Option(min=0, help="What it may cost in all from now on, for one whose budget is spent.")
    ] = None,
    why: Why = None,
    as_json: AsJson = False,
) -> None:
    """Let a frozen or paused rollout go on in its stage, which begins anew."""
    _ask(to, rollout_id, "resume", {"max_usd": max_usd, "why": why}, as_json=as_json)


@app.command()
def rollback(rollout_id: Id, *, to: To, why: Why = None, as_json: AsJson = False) -> None:
    """Let the model of before take all calls again, at once; also after the candidate was promoted."""
    _ask(to, rollout_id, "rollback", {"why": why}, as_json=as_json)


@app.command()
def cancel(rollout_id: Id, *, to: To, why: Why = None, as_json: AsJson = False) -> None:
    """End a rollout whose candidate has answered no user yet."""
    _ask(to, rollout_id, "cancel", {"why": why}, as_json=as_json)


@app.command()
def delete(rollout_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Delete a rollout that has ended, with its runs and grades."""
    with errors_in_one_line():
        gone = stack.asked(to, "DELETE", _path(rollout_id))
        stack.show(gone, as_json=as_json, lines=[f"deleted: {rollout_id}"])


def _ask(to: str, rollout_id: str, verb: str, body: dict[str, Any], *, as_json: bool) -> None:
    with errors_in_one_line():
        _show(stack.asked(to, "POST", f"{_path(rollout_id)}/{verb}", _known(body)), as_json=as_json)


def _show(rollout: dict[str, Any], *, as_json: bool) -> None:
    stack.show(rollout, as_json=as_json, lines=whole(rollout))


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _stages(text: str) -> list[int]:
    parts = [part.strip().removesuffix("%") for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise Stopped(f"'{text}' are no stages: write percentages such as 0,1,5,25,100")
    return [int(part) for part in parts]


def _path(rollout_id: str) -> str:
    return stack.place("rollouts", rollout_id)
