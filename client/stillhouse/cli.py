"""The `stillhouse` command, which `command` starts.

In: the command line. Out: an exit code; errors are one line on standard error.
"""

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from stillhouse.aliased.command import app as aliased
from stillhouse.captured import command as captured
from stillhouse.checked.command import doctor
from stillhouse.costing.command import app as costing
from stillhouse.dataset.command import app as dataset
from stillhouse.distilled import command as distilled
from stillhouse.evaluated import evals, runs
from stillhouse.importing.command import app as importing
from stillhouse.importing.command import jsonl
from stillhouse.keyed import command as keyed
from stillhouse.providing.command import app as providing
from stillhouse.reported.command import report
from stillhouse.rolled.command import app as rolled
from stillhouse.told import command as told
from stillhouse.trained.command import app as trained
from stillhouse.tuned.command import app as tuned

_EXIT_CODES = (
    "Exit codes: 0 done; 1 refused, or Stillhouse cannot be reached; 2 the command itself is wrong; 3 what was waited "
    "for failed or was canceled, or `doctor` found something wrong; 4 it waits for a person; 130 stopped by you."
)
_PUSHED = 'Example of a line: {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}'

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, epilog=_EXIT_CODES)
app.command()(keyed.login)
app.command()(keyed.logout)
app.command("push", epilog=_PUSHED, help="Push completions out of files: what `export` writes, or fine-tuning lines.")(
    jsonl
)
app.command("list")(captured.list_)
app.command()(captured.search)
app.command()(captured.show)
app.command()(captured.export)
app.command()(captured.usage)
app.add_typer(evals.app, name="eval")
app.add_typer(runs.app, name="run")
app.command()(runs.compare)
app.command(epilog=distilled.EXAMPLE)(distilled.distill)
app.add_typer(distilled.app, name="distillation")
app.command()(distilled.watch)
app.command()(told.verdict)
app.command()(distilled.lineage)
app.add_typer(keyed.app, name="key")
app.command()(doctor)
app.command()(distilled.experiments)
app.add_typer(importing, name="import")
app.add_typer(providing, name="provider")
app.add_typer(trained, name="model")
app.add_typer(aliased, name="alias")
app.add_typer(rolled, name="rollout")
app.add_typer(costing, name="costs")
app.add_typer(told.app, name="channel")
app.add_typer(tuned, name="job")
app.add_typer(dataset, name="dataset")
app.command()(report)


@app.callback()
def stillhouse() -> None:
    """Model distillation in your own AWS account, with OpenAI's API."""


@app.command()
def demo(
    *,
    data: Annotated[
        Path | None,
        typer.Option(help="JSONL of messages, answers, reference, metadata; else generated mail."),
    ] = None,
    teacher: Annotated[
        str, typer.Option(help="The big model: of the lab, or one with answers in --data.")
    ] = "lab-large",
    student: Annotated[str, typer.Option(help="The small model to train, untrained also the baseline.")] = "lab-small",
    trainer: Annotated[
        str, typer.Option(help="Who trains: default, bedrock or sagemaker for their fakes, file for a person played.")
    ] = "default",
    test_fraction: Annotated[
        float,
        typer.Option(min=0.01, max=0.99, help="Share of rows to test on where metadata.split is missing."),
    ] = 0.3,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")] = None,
    approve: Annotated[
        bool,
        typer.Option("--approve/--no-approve", help="Go on where the gate blocks, or stop with exit code 3."),
    ] = True,
    seed: Annotated[int, typer.Option(help="Decides the generated mail, the split and the training.")] = 42,
    keep: Annotated[bool, typer.Option("--keep", help="Leave a stack that the demo started running.")] = False,
) -> None:
    """Run the whole loop on this machine: capture, measure, train, evaluate, decide, notify."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "local" / "demo").is_dir():
        # The demo reads the documents of the loop with the services' own models.
        sys.path += [str(root) for root in (checkout, checkout / "services") if str(root) not in sys.path]
    try:
        importlib.import_module("local.demo")
    except ModuleNotFoundError:
        typer.echo("error: the demo runs from a checkout of the repository: clone it and run `make demo`", err=True)
        raise typer.Exit(1) from None
    command = importlib.import_module("local.demo.command")
    options = importlib.import_module("local.demo.plan").Options(
        data=data,
        teacher=teacher,
        student=student,
        trainer=trainer,
        test_fraction=test_fraction,
        json_out=json_out,
        approve=approve,
        seed=seed,
        keep=keep,
    )
    raise typer.Exit(command.run(options))


def main() -> None:
    app()
