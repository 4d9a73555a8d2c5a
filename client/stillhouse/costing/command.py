"""`stillhouse costs show|cap|retire-lost`: what trainings, evals and rollouts cost, and what they may.

In: Stillhouse's URL and a key; changes need the scope `admin`. Out: lines for people, or JSON with
--json. The exit code is 1 where Stillhouse refuses or cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stillhouse import stack
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.stack import AsJson
from stillhouse.wording import counted

app = typer.Typer(no_args_is_help=True, help="See what trainings, evals and rollouts cost, and set what they may.")


@app.command()
def show(
    *,
    to: To,
    month: Annotated[str | None, typer.Option(help="The month in UTC, such as 2026-11; else this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a month has cost, and what is left of its cap."""
    with errors_in_one_line():
        _show(stack.asked(to, "GET", f"/costs?month={month}" if month else "/costs"), as_json=as_json)


@app.command()
def cap(
    *,
    to: To,
    usd: Annotated[float | None, typer.Argument(min=0, help="US dollars a month; without it there is no cap.")] = None,
    as_json: AsJson = False,
) -> None:
    """Set what trainings, evals and rollouts may cost in a month."""
    with errors_in_one_line():
        _show(stack.asked(to, "POST", "/costs", {"monthly_cap_usd": usd}), as_json=as_json)


@app.command("retire-lost")
def retire_lost(
    *,
    to: To,
    days: Annotated[int | None, typer.Argument(help="Days after the verdict; without it they are kept.")] = None,
    as_json: AsJson = False,
) -> None:
    """Have models retired that lost their verdict, unless they are kept."""
    with errors_in_one_line():
        _show(stack.asked(to, "POST", "/costs", {"retire_lost_after_days": days}), as_json=as_json)


def _show(costs: dict[str, Any], *, as_json: bool) -> None:
    stack.show(costs, as_json=as_json, lines=_lines(costs))


def _lines(costs: dict[str, Any]) -> list[str]:
    spent = costs["spending"]
    kinds = ", ".join(f"{kind} ${spent[f'{kind}_usd']:.2f}" for kind in ("trainings", "evals", "rollouts"))
    lines = [f"{spent['month']}: ${spent['total_usd']:.2f}", f"  {kinds}"]
    if spent["unpriced"]:
        lines.append(f"  {spent['unpriced']} without a known cost, in no sum")
    if spent["monthly_cap_usd"] is not None:
        lines.append(f"  cap ${spent['monthly_cap_usd']:.2f}, left ${spent['left_usd']:.2f}")
    days = costs["retire_lost_after_days"]
    return [*lines, f"models that lost are {f'retired after {counted(days, "day")}' if days else 'kept'}"]
