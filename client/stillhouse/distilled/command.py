"""`stillhouse distill`, `stillhouse distillation list|show|approve|cancel`, `stillhouse watch|lineage|experiments`.

In: Stillhouse's URL and a key. Out: lines for people, or JSON with --json; what lasts tells its changes on standard
error. The exit code is 1 where Stillhouse refuses or cannot be reached, 3 where what was waited for has failed or was
cancelled, and 4 where it waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from stillhouse import stack, watched
from stillhouse.captured import chosen
from stillhouse.evaluated.runs import eval_of
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.named import TRAINERS
from stillhouse.rolled import printed
from stillhouse.stack import AsJson, Limit
from stillhouse.wording import counted

app = typer.Typer(no_args_is_help=True, help="List, show, approve, repeat and cancel distillations.")

Id = Annotated[str, typer.Argument(help="The distillation's id, as distill_…")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it has ended, and show the verdict.")]


_TRAINER = f"Who trains: {TRAINERS}, or the name of a provider."
EXAMPLE = (
    "Example: stillhouse distill --eval eval_1 --teacher gpt-4.1 --student gpt-4.1-nano --train-tag split=train "
    "--test-tag split=test --max-cost-usd 20"
)


def distill(
    *,
    to: To,
    file: Annotated[
        Path | None, typer.Option(help="JSON as POST /v1/distillations takes it; options come before it.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    eval_id: Annotated[str | None, typer.Option("--eval", help="What is asked of an answer, as eval_….")] = None,
    teacher: Annotated[str | None, typer.Option(help="The big model, whose captured answers train.")] = None,
    student: Annotated[list[str] | None, typer.Option(help="The small model to train; may be repeated.")] = None,
    alias: Annotated[str | None, typer.Option(help="The alias that it is for; it may change it by itself.")] = None,
    train_tag: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Train on completions with this tag; may be repeated.")
    ] = None,
    test_tag: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Measure on those with this tag; may be repeated.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Train on this dataset, as dataset_….")] = None,
    trainer: Annotated[str | None, typer.Option(help=_TRAINER)] = None,
    max_cost_usd: Annotated[float | None, typer.Option(min=0, help="What the training may cost.")] = None,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Start a distillation: measure, assemble, train, measure again, decide.

    Needed are --eval, --teacher, --student, the rows to measure on (--test-tag) and those to learn from (--train-tag or
    --dataset); or --file with all of it. Where the rows or the money do not reach, it is blocked before anything is
    paid for, and the exit code is 4.
    """
    with errors_in_one_line():
        body = stack.document(file) if file else {}
        said = {"name": name, "eval_id": eval_id, "teacher": teacher, "student": _student(student)}
        said |= {"trainer": trainer, "alias": alias}
        body |= {field: value for field, value in said.items() if value is not None}
        if dataset and train_tag:
            raise Stopped("give --dataset or --train-tag, not both")
        if dataset:
            body["train"] = {"type": "dataset", "id": dataset}
        elif train_tag:
            body["train"] = chosen.source(train_tag)
        if test_tag:
            body["test"] = chosen.source(test_tag)
        if max_cost_usd is not None:
            body["gate"] = {**body.get("gate", {}), "max_cost_usd": max_cost_usd}
        body.setdefault("name", "from the command line")
        begun = stack.asked(to, "POST", "/distillations", body)
        _end(to, begun, wait=wait, as_json=as_json)


@app.command("list")
def list_(*, to: To, limit: Limit = 20, as_json: AsJson = False) -> None:
    """List the newest distillations."""
    with errors_in_one_line():
        stack.show_list(stack.every(to, "/distillations"), _line, limit=limit, as_json=as_json)


@app.command()
def show(distillation_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Show one distillation: where it stands, and in the end its verdict."""
    with errors_in_one_line():
        found = stack.asked(to, "GET", stack.place("distillations", distillation_id))
        stack.show(found, as_json=as_json, lines=_whole(found))


@app.command()
def approve(distillation_id: Id, *, to: To, wait: Wait = True, as_json: AsJson = False) -> None:
    """Go on with a distillation that the gate has blocked: its training is paid for from here on."""
    with errors_in_one_line():
        path = stack.place("distillations", distillation_id)
        _end(to, stack.asked(to, "POST", f"{path}/approve"), wait=wait, as_json=as_json)


@app.command()
def repeat(
    distillation_id: Id,
    *,
    to: To,
    file: Annotated[
        Path | None, typer.Option(help="JSON of what is to be otherwise, as POST …/repeat takes it.")
    ] = None,
    student: Annotated[list[str] | None, typer.Option(help="Another small model; may be repeated.")] = None,
    trainer: Annotated[str | None, typer.Option(help=f"Another trainer: {TRAINERS}, or a provider.")] = None,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Run the same loop again on the same frozen rows, with another student, trainer or settings."""
    with errors_in_one_line():
        otherwise = {"student": _student(student), "trainer": trainer}
        body = (stack.document(file) if file else {}) | {name: value for name, value in otherwise.items() if value}
        path = stack.place("distillations", distillation_id)
        _end(to, stack.asked(to, "POST", f"{path}/repeat", body), wait=wait, as_json=as_json)


@app.command()
def cancel(distillation_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Cancel a distillation, and its job at the trainer; it has ended once its status says so."""
    with errors_in_one_line():
        found = stack.asked(to, "POST", f"{stack.place('distillations', distillation_id)}/cancel")
        stack.show(found, as_json=as_json, lines=[_line(found)])


def watch(
    object_id: Annotated[str, typer.Argument(help="As distill_…, evalrun_…, dataset_…, ftjob-… or rollout_…")],
    *,
    to: To,
    as_json: AsJson = False,
) -> None:
    """Follow what lasts until it has ended, and show how. Who stops watching stops nothing.

    The exit code is 0 where it succeeded, 3 where it failed or was canceled, 4 where it waits for a person.
    """
    with errors_in_one_line():
        ended = watched.until_ended(to, object_id, _path(to, object_id))
        stack.show(ended, as_json=as_json, lines=_ended(ended))
        code = watched.code(ended)
    raise typer.Exit(code)


def _ended(found: dict[str, Any]) -> Iterable[str]:
    match found["object"]:
        case "distillation":
            return _whole(found)
        case "rollout":
            return printed.whole(found)
        case _:
            return [f"{found['id']}: {watched.how_far(found)}"]


def lineage(
    object_id: Annotated[str, typer.Argument(help="Of anything: a completion, a dataset, a job, a model, a verdict …")],
    *,
    to: To,
    as_json: AsJson = False,
) -> None:
    """Show what an object came from, and what it went into."""
    with errors_in_one_line():
        graph = stack.asked(to, "GET", stack.place("lineage", object_id))
        stack.show(graph, as_json=as_json, lines=_graph(graph))


def experiments(
    eval_id: Annotated[str | None, typer.Argument(help="The eval of a task, as eval_…; without it all tasks.")] = None,
    *,
    to: To,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List the tasks that models were distilled for, or the attempts at one: data, settings, score, cost."""
    with errors_in_one_line():
        path = stack.place("experiments", eval_id) if eval_id else "/experiments"
        stack.show_list(stack.every(to, path), _attempt if eval_id else _task, limit=limit, as_json=as_json)


def _task(task: dict[str, Any]) -> str:
    best = f"  best {_score(task['best']['score'])}, {task['best']['distillation_id']}" if task["best"] else ""
    return stack.plain(f"{task['id']}  {task['attempts']} attempts{best}  {task['name']}")


def _attempt(attempt: dict[str, Any]) -> str:
    score = _score(attempt["score"]) if attempt["score"] else "no score yet"
    dollars = (attempt["costs"] or {}).get("training_usd")
    cost = "" if dollars is None else f"  ${dollars:.2f}"
    settings = stack.text(attempt["hyperparameters"]) if attempt["hyperparameters"] else "no settings"
    data = counted(attempt["train_rows"], "example") if attempt["train_rows"] else "- examples"
    models = f"{attempt['student']} at {attempt['trainer']}"
    return stack.plain(
        f"{attempt['id']}  {attempt['outcome'] or attempt['status']}  {score}  {models}, {data}, {settings}{cost}"
    )


def _path(to: str, object_id: str) -> str:
    kinds = {
        "distill_": ("distillations",),
        "dataset_": ("datasets",),
        "ftjob-": ("fine_tuning", "jobs"),
        "rollout_": ("rollouts",),
    }
    for prefix, places in kinds.items():
        if object_id.startswith(prefix):
            return stack.place(*places, object_id)
    if object_id.startswith("evalrun_"):
        return stack.place("evals", eval_of(to, object_id), "runs", object_id)
    raise Stopped(f"'{object_id}' cannot be watched: give distill_…, evalrun_…, dataset_…, ftjob-… or rollout_…")


def _student(given: list[str] | None) -> str | list[str] | None:
    return given[0] if given and len(given) == 1 else given or None


def _end(to: str, begun: dict[str, Any], *, wait: bool, as_json: bool) -> None:
    found = begun
    if wait:
        found = watched.until_ended(to, begun["id"], stack.place("distillations", begun["id"]))
    stack.show(found, as_json=as_json, lines=_whole(found))
    if wait and watched.code(found):
        raise typer.Exit(watched.code(found))


def _line(found: dict[str, Any]) -> str:
    verdict = found["verdict"]
    outcome = f"  {verdict['outcome']}" if verdict else ""
    models = f"{found['teacher']} -> {found['student']}"
    return stack.plain(f"{found['id']}  {found['status']}{outcome}  {models}  {found['name']}")


def _whole(found: dict[str, Any]) -> Iterator[str]:
    yield _line(found)
    if found["error"]:
        yield stack.plain(f"  {found['error']['message']}")
    if watched.waits_for_people(found):
        yield from (stack.plain(f"  {reason}") for reason in (found["plan"] or {}).get("reasons", ()))
        yield f"  go on with it: stillhouse distillation approve {found['id']}"
    elif found["status"] == "blocked":
        yield "  approved: it goes on within seconds"
    verdict = found["verdict"]
    if verdict:
        yield stack.plain(f"  {verdict['sentence']}")
        yield from (f"  {role}: {_score(score)}" for role, score in verdict["scores"].items())
        yield f"  model: {stack.plain(found['model'] or '-')}"


def _score(score: dict[str, Any]) -> str:
    low, high = score["interval"]
    return f"{score['score']:.1%} ({low:.1%} to {high:.1%})"


def _graph(graph: dict[str, Any]) -> Iterator[str]:
    for side, title in (("up", "came from"), ("start", ""), ("down", "went into")):
        nodes = [node for node in graph["nodes"] if node["side"] == side]
        if nodes and title:
            yield title
        yield from (stack.plain(f"{'  ' if title else ''}{node['kind']}  {node['id']}") for node in nodes)
    known = graph["completions"]
    if known["total"]:
        yield f"{counted(known['total'], 'completion')}, as {', '.join(known['data'][:3])}; all with --json"
    if graph["has_more"]:
        yield "there are more objects than are shown"
