"""`stillhouse provider add|list|show|test|webhooks|remove`: the providers that models are asked at.

In: Stillhouse's URL and a key with the scope `admin` from the environment; a provider's own secrets from an environment
variable or from standard input, never from the command line, where others could read it. Out: lines for people, or
JSON with --json. The exit code is 1 where Stillhouse refuses or cannot be reached, and where a tried provider fails.

This module only declares the commands. What they do stands in `providers`, which is imported when one is run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import To, errors_in_one_line

app = typer.Typer(no_args_is_help=True, help="Add, list, show, test and remove providers of models.")

Name = Annotated[str, typer.Argument(help="The provider's name; NAME/model asks it for any model.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]


@app.command(epilog="Example: stillhouse provider add acme --base-url https://api.example.com/v1 --key-env ACME_KEY")
def add(
    name: Name,
    *,
    to: To,
    kind: Annotated[str, typer.Option(help="openai, sagemaker, bedrock or bedrock_imported.")] = "openai",
    base_url: Annotated[str | None, typer.Option(help="Where its API is, such as https://api.example.com/v1.")] = None,
    region: Annotated[str | None, typer.Option(help="The AWS region, for the kinds of AWS.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="A model of it by its plain name; may be repeated.")] = None,
    key_env: Annotated[str | None, typer.Option(metavar="VARIABLE", help="The variable that holds its key.")] = None,
    key_stdin: Annotated[bool, typer.Option("--key-stdin", help="Read its key from standard input.")] = False,
    webhook_secret_env: Annotated[
        str | None, typer.Option(metavar="VARIABLE", help="The variable with what signs its webhooks, whsec_….")
    ] = None,
    responses: Annotated[bool | None, typer.Option(help="Whether it has the Responses API; else it is tried.")] = None,
    requests_per_second: Annotated[float, typer.Option(min=0, help="Limit for evals; 0 for none.")] = 0.0,
    concurrency: Annotated[int, typer.Option(min=0, help="Calls of evals at once; 0 for no limit.")] = 200,
    prices: Annotated[
        Path | None, typer.Option(help='JSON {"as_of", "models": {name: {"input", "output", …}}}, dollars a million.')
    ] = None,
    trains_others: Annotated[
        str, typer.Option(help="Whether its terms let its answers train another model: yes, no or unknown.")
    ] = "unknown",
    note: Annotated[str | None, typer.Option(help="Why, or where that stands.")] = None,
    json: AsJson = False,
) -> None:
    """Add a provider: calls can name its models within a minute.

    One that has this name already is refused, and stays as it is.
    """
    fields = {
        "name": name,
        "kind": kind,
        "base_url": base_url,
        "region": region,
        "models": model,
        "responses": responses,
        "requests_per_second": requests_per_second,
        "concurrency": concurrency,
        "trains_others": trains_others,
        "trains_others_note": note,
    }

    def added(providers: Any) -> int:
        fields["api_key"] = _key(key_env, from_stdin=key_stdin)
        fields["webhook_secret"] = _key(webhook_secret_env, from_stdin=False)
        fields["prices"] = providers.prices_in(prices) if prices else None
        return int(providers.add(to, fields, as_json=json))

    _run(added)


@app.command("list")
def list_(*, to: To, json: AsJson = False) -> None:
    """List all providers, those of the template too."""
    _run(lambda providers: providers.list_all(to, as_json=json))


@app.command()
def show(name: Name, *, to: To, json: AsJson = False) -> None:
    """Show one provider, without its key."""
    _run(lambda providers: providers.show(to, name, as_json=json))


@app.command("test")
def try_out(
    name: Name,
    *,
    to: To,
    model: Annotated[str | None, typer.Option(help="The model to ask; else the first that is listed.")] = None,
    json: AsJson = False,
) -> None:
    """Ask a provider one short question, which costs a few tokens."""
    _run(lambda providers: providers.try_out(to, name, model, as_json=json))


@app.command()
def webhooks(
    name: Name,
    *,
    to: To,
    secret_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE", help="The variable with what signs them: whsec_…, or the new and the old one."
        ),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Take no webhooks of it any more.")] = False,
    json: AsJson = False,
) -> None:
    """Say what signs the webhooks that a provider sends when a job has ended."""

    def changed(providers: Any) -> int:
        if none == bool(secret_env):
            raise Stopped("give --secret-env or --none")
        return int(providers.change(to, name, {"webhook_secret": _key(secret_env, from_stdin=False)}, as_json=json))

    _run(changed)


@app.command()
def remove(name: Name, *, to: To, json: AsJson = False) -> None:
    """Remove a provider and its key; what it answered stays."""
    _run(lambda providers: providers.remove(to, name, as_json=json))


def _key(variable: str | None, *, from_stdin: bool) -> str | None:
    if variable and from_stdin:
        raise Stopped("give --key-env or --key-stdin, not both")
    if from_stdin:
        return sys.stdin.readline().strip() or None
    if variable is None:
        return None
    key = os.environ.get(variable)
    if not key:
        raise Stopped(f"{variable} is not set")
    return key


def _run(work: Callable[[Any], int]) -> None:
    """Run what the module `providers` does; it gives the exit code."""
    with errors_in_one_line():
        from stillhouse.providing import providers

        code = work(providers)
    raise typer.Exit(code)
