"""`stillhouse login|logout` and `stillhouse key list|create|revoke`.

In: Stillhouse's URL; for keys one with the scope `admin`. Out: lines for people, or JSON with --json. A key that is
created is shown this once, on standard output alone, so that it can go into a file or a secret store. The exit code is
1 where Stillhouse refuses or cannot be reached.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from stillhouse import login as logins
from stillhouse import stack
from stillhouse.captured import chosen
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.stack import AsJson, Limit

app = typer.Typer(no_args_is_help=True, help="List, create and revoke API keys.")


def login(
    url: Annotated[str, typer.Argument(help="Stillhouse's API, up to /v1: the output ApiUrl of the stack.")],
    *,
    key_stdin: Annotated[bool, typer.Option("--key-stdin", help="Read the key from standard input, unasked.")] = False,
) -> None:
    """Keep the address and a key, so that other commands need neither. The key is asked for, unseen."""
    with errors_in_one_line():
        if not url.startswith(("https://", "http://")):
            raise Stopped(f"'{url}' is no address: it begins with https://")
        key = sys.stdin.readline().strip() if key_stdin else typer.prompt("key (sk-sh-…)", hide_input=True).strip()
        if not key:
            raise Stopped("no key was given")
        address = url.rstrip("/")
        stack.try_key(address, key)
        typer.echo(f"kept in {logins.keep(logins.Login(address, key))}, readable by you alone")


def logout() -> None:
    """Forget the address and the key that `stillhouse login` keeps. The key itself stays valid."""
    with errors_in_one_line():
        typer.echo("forgotten" if logins.forget() else "there was no login")


@app.command("list")
def list_(*, to: To, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List keys, those that are revoked too."""
    with errors_in_one_line():
        stack.show_list(stack.every(to, "/keys"), _line, limit=limit, as_json=as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="For people, to tell keys apart.")],
    *,
    to: To,
    scope: Annotated[list[str], typer.Option(help="capture, infer, read, write or admin; may be repeated.")],
    store: Annotated[
        bool | None, typer.Option("--store/--no-store", help="Whether the gateway captures calls that do not say.")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A tag of what the gateway captures with it; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a key. Its secret is shown this once."""
    with errors_in_one_line():
        body: dict[str, Any] = {"name": name, "scopes": scope}
        if store is not None:
            body["store"] = store
        if tag:
            body["metadata"] = chosen.tags(tag)
        made = stack.asked(to, "POST", "/keys", body)
        stack.show(made, as_json=as_json, lines=[made["key"]])
        if not as_json:
            typer.echo(f"{made['id']}: nobody can read this key again", err=True)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as key_…")], *, to: To, as_json: AsJson = False
) -> None:
    """Revoke a key: it is refused from now on, within a minute everywhere."""
    with errors_in_one_line():
        gone = stack.asked(to, "DELETE", stack.place("keys", key_id))
        stack.show(gone, as_json=as_json, lines=[f"revoked: {key_id}"])


def _line(key: dict[str, Any]) -> str:
    revoked = "  revoked" if key["revoked_at"] else ""
    return stack.plain(f"{key['id']}  {key['name']}  {', '.join(key['scopes'])}{revoked}")
