"""`stillhouse model add|list|show|idle|keep|retire`: the models that were trained, by a trainer or by a person.

In: Stillhouse's URL and a key from the environment; the key of a model's own server from an environment variable, never
from the command line, where others could read it. Out: lines for people, or JSON with --json. The exit code is 1 where
Stillhouse refuses or cannot be reached.
"""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from stillhouse import stack
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.stack import AsJson

app = typer.Typer(no_args_is_help=True, help="Name, list, show, keep and retire trained models.")

Name = Annotated[str, typer.Argument(help="The model's name, as its server knows it.")]


@app.command()
def add(
    name: Name,
    *,
    to: To,
    base: Annotated[str, typer.Option(help="The model that was trained.")],
    url: Annotated[
        str | None, typer.Option(help="Where it answers, up to /v1; absent where a provider has it.")
    ] = None,
    job: Annotated[str | None, typer.Option(help="The fine-tuning job that waits for it.")] = None,
    key_env: Annotated[str | None, typer.Option(metavar="VARIABLE", help="The variable that holds the key.")] = None,
    as_json: AsJson = False,
) -> None:
    """Name a model that you have trained; the job that waits for it goes on."""
    fields = {"id": name, "base": base, "url": url, "job_id": job}
    with errors_in_one_line():
        given = {field: value for field, value in fields.items() if value is not None}
        if key_env:
            given["api_key"] = _key(key_env)
        stack.show(stack.asked(to, "POST", "/models", given), as_json=as_json)


@app.command("list")
def list_(*, to: To, as_json: AsJson = False) -> None:
    """List the models that were trained."""
    with errors_in_one_line():
        listed = stack.asked(to, "GET", "/models")["data"]
        trained = [model for model in listed if "base" in model]
        stack.show_list(trained, _line, limit=None, as_json=as_json)


def _line(model: dict[str, Any]) -> str:
    state = "retired" if model.get("retired_at") else "answers"
    return f"{model['id']}  {state}  base {model['base']}  job {model.get('job_id') or '-'}"


@app.command()
def show(name: Name, *, to: To, as_json: AsJson = False) -> None:
    """Show one model."""
    with errors_in_one_line():
        stack.show(stack.asked(to, "GET", _path(name)), as_json=as_json)


@app.command()
def keep(
    name: Name,
    *,
    to: To,
    kept: Annotated[bool, typer.Option("--keep/--no-keep", help="Keep it though it lost, or no longer.")] = True,
    as_json: AsJson = False,
) -> None:
    """Keep a model that lost its verdict from being retired."""
    with errors_in_one_line():
        stack.show(stack.asked(to, "POST", _path(name), {"keep": kept}), as_json=as_json)


@app.command()
def idle(*, to: To, as_json: AsJson = False) -> None:
    """List the trained models that answer, what they cost while nobody asks, and when they were last asked."""
    with errors_in_one_line():
        deployments = stack.asked(to, "GET", "/deployments?limit=100")["data"]
        stack.show_list(deployments, _idle, limit=None, as_json=as_json)


def _idle(deployment: dict[str, Any]) -> str:
    month = deployment["usd_per_month"]
    cost = "price not known" if month is None else f"${month:.2f} a month"
    at = deployment["last_asked_at"]
    asked_at = f"last asked {stack.at(at)}" if at else "never asked"
    lost = "  lost its verdict" if deployment["lost_at"] else ""
    return f"{deployment['id']}  {deployment['idle_cost'].replace('_', ' ')}, {cost}  {asked_at}{lost}"


@app.command()
def retire(name: Name, *, to: To, as_json: AsJson = False) -> None:
    """Retire a model: its deployment ends, and what it costs at its trainer is deleted."""
    with errors_in_one_line():
        gone = stack.asked(to, "DELETE", _path(name))
        stack.show(gone, as_json=as_json, lines=[f"retired: {gone['id']}"])


def _path(name: str) -> str:
    return stack.place("models", name)


def _key(variable: str) -> str:
    key = os.environ.get(variable)
    if not key:
        raise Stopped(f"{variable} is not set")
    return key
