"""`stillhouse import <source>`: the command line of the importers.

In: a source and its options; Stillhouse's URL and the keys from the environment. Out: a progress bar on standard
error, the counts on standard output. The exit code is 1 if the import stopped, or, with --strict, if something did not
come over; it is 130 if the user stopped it. The same command continues an import that stopped.

This module only declares the commands. What they do stands in `sources`, which is imported when one is run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stillhouse.importing.evals.command import openai_evals, promptfoo
from stillhouse.importing.terminal import Strict, To, errors_in_one_line

if TYPE_CHECKING:
    from stillhouse.importing.source import Source

app = typer.Typer(no_args_is_help=True, help="Import completions and evals from another system.")
app.command("openai-evals")(openai_evals)
app.command("promptfoo")(promptfoo)

StateFile = Annotated[
    Path | None, typer.Option("--state", help="Where to remember how far it is; else under ~/.local/state.")
]
Model = Annotated[str | None, typer.Option(help="The model of rows that name none.")]
Group = Annotated[bool, typer.Option("--group", help="Keep ids of traces, sessions, episodes, users as metadata.")]
OfModel = Annotated[str | None, typer.Option("--model", help="Only completions of this model.")]
WithMetadata = Annotated[
    list[str] | None, typer.Option("--metadata", metavar="KEY=VALUE", help="Only with this metadata; may be repeated.")
]
Files = Annotated[Path, typer.Argument(help="A file, or a folder of them: JSON lines or a JSON array, also gzip'd.")]


@app.command()
def openai(
    *,
    to: To,
    base_url: Annotated[str | None, typer.Option(envvar="OPENAI_BASE_URL", help="Of any server with this API.")] = None,
    model: OfModel = None,
    metadata: WithMetadata = None,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Stored completions of OpenAI; the key is OPENAI_API_KEY."""
    _import(lambda sources: sources.openai(base_url, model, metadata), to, state, strict=strict)


@app.command()
def azure(
    *,
    to: To,
    endpoint: Annotated[str, typer.Option(envvar="AZURE_OPENAI_ENDPOINT", help="https://….openai.azure.com")],
    api_version: Annotated[
        str | None, typer.Option(envvar="OPENAI_API_VERSION", help="Of the dated API; without it, /openai/v1.")
    ] = None,
    model: OfModel = None,
    metadata: WithMetadata = None,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Stored completions of Azure OpenAI; the key is AZURE_OPENAI_API_KEY."""
    _import(lambda sources: sources.azure(endpoint, api_version, model, metadata), to, state, strict=strict)


@app.command()
def bedrock(
    place: Annotated[str, typer.Argument(help="s3://bucket/prefix, or a local copy of it.")],
    *,
    to: To,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Amazon Bedrock's model invocation logs; AWS credentials as everywhere."""
    _import(lambda sources: sources.bedrock(place), to, state, strict=strict)


def _exported(system: str) -> Callable[..., None]:
    """The command for the exports of a system: all have the same options."""

    def command(
        file: Files,
        *,
        to: To,
        model: Model = None,
        group: Group = False,
        state: StateFile = None,
        strict: Strict = False,
    ) -> None:
        _import(lambda sources: sources.exported(system, file, model=model, group=group), to, state, strict=strict)

    return command


app.command("langfuse", help="Observations of type GENERATION from a Langfuse export.")(_exported("langfuse"))
app.command("tensorzero", help="Inferences or datapoints of TensorZero.")(_exported("tensorzero"))


@app.command()
def jsonl(
    file: Files,
    *,
    to: To,
    model: Model = None,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="The field with the known right answer, as reference or metadata.label; else none is taken.",
        ),
    ] = None,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Our own records, or OpenAI's fine-tuning format, whose last message is the answer."""
    _import(lambda sources: sources.jsonl(file, model=model, reference=reference), to, state, strict=strict)


def _import(source: Callable[[Any], Source], to: str, state: Path | None, *, strict: bool) -> None:
    """Run the import whose source this function makes, which gets the module `sources`."""
    with errors_in_one_line():
        from stillhouse.importing import sources

        endpoint = sources.stillhouse(to)
        code = sources.run(source(sources), endpoint, state, strict=strict)
    raise typer.Exit(code)
