"""`stillhouse import <source>`: the command line of the importers.

In: a source and its options; Stillhouse's URL and the keys from the environment. Out: a progress bar on standard
error, the counts on standard output. Exit code 1 where the import stopped, or, with --strict, where something was
refused or had no chat shape; 130 where the user stopped it. Run again after either it goes on where it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

# The sources and what they stand on are imported when one is run: the SDK alone takes most of a second.
if TYPE_CHECKING:
    from openai import OpenAI

    from stillhouse.importing.source import Source
    from stillhouse.importing.state import Counts

app = typer.Typer(no_args_is_help=True, help="Import completions that another system recorded.")

To = Annotated[str, typer.Option("--to", envvar="STILLHOUSE_BASE_URL", help="Stillhouse's API, up to /v1.")]
StateFile = Annotated[
    Path | None, typer.Option("--state", help="Where to remember how far it is; else under ~/.local/state.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything was refused or had no chat shape.")]
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

    def client() -> OpenAI:
        from openai import OpenAI

        return OpenAI(base_url=base_url, max_retries=_RETRIES)

    _import(partial(_stored, client, "openai", model, metadata), to, state, strict=strict)


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

    def client() -> OpenAI:
        from openai import AzureOpenAI, OpenAI

        if api_version:
            return AzureOpenAI(azure_endpoint=endpoint, api_version=api_version, max_retries=_RETRIES)
        url = f"{endpoint.rstrip('/').removesuffix('/openai/v1')}/openai/v1"
        # Without one the SDK would send OPENAI_API_KEY, which is somebody else's.
        return OpenAI(base_url=url, api_key=_key("AZURE_OPENAI_API_KEY"), max_retries=_RETRIES)

    _import(partial(_stored, client, "azure", model, metadata), to, state, strict=strict)


@app.command()
def bedrock(
    place: Annotated[str, typer.Argument(help="s3://bucket/prefix, or a local copy of it.")],
    *,
    to: To,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Amazon Bedrock's model invocation logs; AWS credentials as everywhere."""

    def source() -> Source:
        from stillhouse.importing import bedrock_logs

        return bedrock_logs.source(place)

    _import(source, to, state, strict=strict)


@app.command()
def langfuse(
    file: Files,
    *,
    to: To,
    model: Model = None,
    group: Group = False,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Observations of type GENERATION from a Langfuse export."""

    def source() -> Source:
        from stillhouse.importing import langfuse as rows
        from stillhouse.importing.files import FileSource, LocalFolder

        folder = LocalFolder(file)
        options = {"source": rows.ORIGIN, "place": str(folder.path), "model": model, "group": group}
        return FileSource(folder, lambda row, _: rows.record_of(row, model=model, group=group), options)

    _import(source, to, state, strict=strict)


@app.command()
def tensorzero(
    file: Files,
    *,
    to: To,
    model: Model = None,
    group: Group = False,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Inferences or datapoints of TensorZero."""

    def source() -> Source:
        from stillhouse.importing import tensorzero as rows
        from stillhouse.importing.files import FileSource, LocalFolder

        folder = LocalFolder(file)
        options = {"source": rows.ORIGIN, "place": str(folder.path), "model": model, "group": group}
        return FileSource(folder, lambda row, _: rows.record_of(row, model=model, group=group), options)

    _import(source, to, state, strict=strict)


@app.command()
def jsonl(
    file: Files,
    *,
    to: To,
    model: Model = None,
    reference: Annotated[
        str | None, typer.Option(metavar="FIELD", help="The field with the known right answer, such as metadata.label.")
    ] = None,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Our own records, or OpenAI's fine-tuning format, whose last message is the answer."""

    def source() -> Source:
        from stillhouse.importing import jsonl as rows
        from stillhouse.importing.files import FileSource, LocalFolder

        folder = LocalFolder(file)
        options = {"source": rows.ORIGIN, "place": str(folder.path), "model": model, "reference": reference}
        return FileSource(
            folder,
            lambda row, name: rows.record_of(row, created=folder.modified(name), model=model, reference=reference),
            options,
        )

    _import(source, to, state, strict=strict)


_RETRIES = 8


def _stored(client: Callable[[], OpenAI], origin: str, model: str | None, metadata: list[str] | None) -> Source:
    from openai import OpenAIError

    from stillhouse.importing.source import Stopped
    from stillhouse.importing.stored import StoredSource

    pairs = dict(pair.partition("=")[::2] for pair in metadata or ())
    if not all("=" in pair for pair in metadata or ()):
        raise Stopped("--metadata takes KEY=VALUE")
    try:
        return StoredSource(client(), origin, model=model, metadata=pairs)
    except OpenAIError as error:
        raise Stopped(str(error)) from None


def _import(make: Callable[[], Source], to: str, file: Path | None, *, strict: bool) -> None:
    from stillhouse.capturing.endpoint import Endpoint
    from stillhouse.importing import report
    from stillhouse.importing.push import push
    from stillhouse.importing.source import Stopped
    from stillhouse.importing.state import State, path_for

    try:
        endpoint = Endpoint(to.rstrip("/"), _key("STILLHOUSE_API_KEY"))
        source = make()
        identity = {**source.identity, "to": endpoint.base_url}
        state = State(file or path_for(identity), identity)
        with report.progress(source) as told:
            counts = push(source, endpoint, state, told=told)
    except (Stopped, OSError) as stopped:
        typer.echo(f"error: {stopped}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("stopped: the same command goes on where it was", err=True)
        raise typer.Exit(130) from None
    typer.echo(report.summary(counts, state.refusals))
    raise typer.Exit(_code(counts, strict=strict))


def _key(variable: str) -> str:
    from stillhouse.importing.source import Stopped

    key = os.environ.get(variable)
    if not key:
        raise Stopped(f"{variable} is not set")
    return key


def _code(counts: Counts, *, strict: bool) -> int:
    return int(strict and bool(counts.refused or counts.unmapped))
