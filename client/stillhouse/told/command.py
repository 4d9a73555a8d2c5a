"""`stillhouse verdict` and `stillhouse channel list|add|events|test|deliveries|remove`.

In: Stillhouse's URL and a key; for channels one with the scope `admin`. The URL of a channel, which may be a secret,
comes from an environment variable or standard input, never from the command line, where others could read it. Out:
lines for people, or JSON with --json. The exit code is 1 where Stillhouse refuses or cannot be reached.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from stillhouse import stack
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.named import EVENTS
from stillhouse.stack import AsJson, Limit

app = typer.Typer(no_args_is_help=True, help="Choose who is told of what, test it, and see what was delivered.")

ChannelId = Annotated[str, typer.Argument(help="The channel's id; channel_email is the stack's topic, which mails.")]
_EVENTS = f"Events: {EVENTS}."
Event = Annotated[
    list[str], typer.Option("--event", help="An event of those below, such as distillation.verdict; may be repeated.")
]


def verdict(
    verdict_id: Annotated[str, typer.Argument(help="The verdict's id, or that of its distillation.")],
    *,
    to: To,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute it anew from the stored rows, and say what differs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a verdict: the sentence, the evidence, and where it is in the dashboard."""
    path = stack.place("verdicts", verdict_id)
    with errors_in_one_line():
        if recompute:
            again = stack.asked(to, "POST", f"{path}/recompute")
            differs = ", ".join(again["differs"])
            line = f"computed anew, it differs in: {differs}" if differs else "computed anew, it is the same"
            stack.show(again, as_json=as_json, lines=[stack.plain(again["verdict"]["sentence"]), line])
        elif as_json:
            stack.show(stack.asked(to, "GET", path), as_json=True)
        else:
            told = stack.asked(to, "GET", f"{path}/text")
            lines = [told["sentence"], "", *told["lines"], "", told["url"]]
            stack.show(told, as_json=False, lines=map(stack.plain, lines))


@app.command("list")
def list_(*, to: To, as_json: AsJson = False) -> None:
    """List the channels, with what each is told of."""
    with errors_in_one_line():
        stack.show_list(stack.asked(to, "GET", "/channels")["data"], _line, limit=None, as_json=as_json)


@app.command(
    epilog=f"{_EVENTS}\n\nExample: stillhouse channel add team --event distillation.verdict --url-env SLACK_URL"
)
def add(
    name: Annotated[str, typer.Argument(help="For people, to tell channels apart.")],
    *,
    to: To,
    event: Event,
    kind: Annotated[
        str, typer.Option("--type", help="slack, also for what takes its messages, or webhook for signed events.")
    ] = "slack",
    url_env: Annotated[
        str | None, typer.Option(metavar="VARIABLE", help="The variable with its URL; else standard input has it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a channel. What signs a webhook's events is shown this once."""
    with errors_in_one_line():
        body = {"type": kind, "name": name, "url": _url(url_env), "event_types": event}
        made = stack.asked(to, "POST", "/channels", body)
        secret = [f"it signs with {made['signing_secret']}, which is shown this once"] if made["signing_secret"] else []
        stack.show(made, as_json=as_json, lines=[_line(made), *secret])


@app.command(epilog=_EVENTS)
def events(channel_id: ChannelId, *, to: To, event: Event, as_json: AsJson = False) -> None:
    """Choose the events that a channel is told of, instead of those before."""
    with errors_in_one_line():
        changed = stack.asked(to, "POST", stack.place("channels", channel_id), {"event_types": event})
        stack.show(changed, as_json=as_json, lines=[_line(changed)])


@app.command("test")
def try_(channel_id: ChannelId, *, to: To, as_json: AsJson = False) -> None:
    """Send a channel an event of its own. Its deliveries say within seconds whether it took it."""
    with errors_in_one_line():
        sent = stack.asked(to, "POST", f"{stack.place('channels', channel_id)}/test")
        line = f"sent {sent['id']}; see: stillhouse channel deliveries {channel_id}"
        stack.show(sent, as_json=as_json, lines=[line])


@app.command()
def deliveries(channel_id: ChannelId, *, to: To, limit: Limit = 20, as_json: AsJson = False) -> None:
    """List what a channel was told, or was not, the newest first."""
    with errors_in_one_line():
        path = f"{stack.place('channels', channel_id)}/deliveries"
        stack.show_list(stack.every(to, path), _delivery, limit=limit, as_json=as_json)


@app.command()
def remove(channel_id: ChannelId, *, to: To, as_json: AsJson = False) -> None:
    """Delete a channel; nothing more is delivered to it."""
    with errors_in_one_line():
        gone = stack.asked(to, "DELETE", stack.place("channels", channel_id))
        stack.show(gone, as_json=as_json, lines=[f"removed: {gone['id']}"])


def _line(channel: dict[str, Any]) -> str:
    told = ", ".join(channel["event_types"])
    return stack.plain(f"{channel['id']}  {channel['type']}  {channel['name']}  {channel['address']}  {told}")


def _delivery(delivery: dict[str, Any]) -> str:
    attempts = f"{delivery['attempts']} attempt{'' if delivery['attempts'] == 1 else 's'}"
    state = f"{delivery['status'].replace('_', ' ')} ({attempts})"
    why = f"  {delivery['last_error']}" if delivery["last_error"] and delivery["status"] != "delivered" else ""
    again = f"  again at {stack.at(delivery['next_attempt_at'])}" if delivery["next_attempt_at"] else ""
    when = stack.at(delivery["created_at"])
    return stack.plain(f"{when}  {delivery['type']}  {delivery['object_id']}  {state}{why}{again}")


def _url(variable: str | None) -> str:
    url = os.environ.get(variable, "") if variable else sys.stdin.readline().strip()
    if not url:
        raise Stopped(f"{variable} is not set" if variable else "no URL was given on standard input")
    return url
